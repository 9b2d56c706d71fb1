"""The registries that the user knows, as the verbs ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from ..errors import PklError
from ..model.known_registry import KnownRegistry
from ..registry.catalog import Catalog
from ..registry.client import RegistryClient
from ..registry.keys import parse_public_key
from ..registry.moments import moment_text
from ..store import RegistryBook

if TYPE_CHECKING:
    from .session import Session

__all__ = ["catalog_of", "fingerprint", "known_facts", "say_problem", "say_remarks"]


def catalog_of(session: "Session", only: Optional[str] = None) -> Catalog:
    """The registries that are known here, or the one that is meant.

    Args:
        session: The options.
        only: The name of the one that is meant, or None.

    Raises:
        RegistryAbsent: There is none, or none of that name.
    """
    book = RegistryBook()
    registries, problem = book.read()
    say_problem(session, problem)

    def client(known: KnownRegistry) -> RegistryClient:
        return RegistryClient(known, offline=session.offline, note=book.note)

    return Catalog(registries, only, client=client)


def known_facts(known: KnownRegistry) -> Dict[str, Any]:
    """What the JSON of the verbs has of a registry that is known."""
    return {
        "name": known.name,
        "url": known.url,
        "keys": [fingerprint(each) for each in known.keys],
        "wins": known.wins,
        "serial": known.serial or None,
        "contact": moment_text(known.contact) if known.contact else None,
        "added": known.added or None,
    }


def fingerprint(key: str) -> str:
    """What people compare of a pinned key."""
    try:
        return parse_public_key(key).fingerprint
    except ValueError:
        return "damaged"


def say_problem(session: "Session", problem: Optional[PklError]) -> None:
    """Says what is wrong with the list of registries, if anything is."""
    if problem is not None:
        session.warn(problem.message, problem.hint)


def say_remarks(session: "Session", catalog: Catalog) -> None:
    """Says what the registries are to be said of, such as the age of a copy."""
    for remark in (*catalog.remarks, *catalog.notes):
        session.warn(remark)
