"""Versions that a registry revoked: known from its cached list, with no network."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Iterable, List, Optional

from ..errors import RegistryGarbage
from ..model.candidate import Candidate, Origin
from ..model.known_registry import KnownRegistry
from ..model.state import Reason
from ..names import canonical, printable
from .cache import Cache
from .layout import MAX_REVOKED, REVOKED
from .model import Revocation, Revocations
from .schema import parse_revoked

__all__ = ["Revoked", "revoked_reason"]


def revoked_reason(entry: Revocation) -> Reason:
    """Why a version that was revoked does not run."""
    text = f"{entry.name} {entry.version} was revoked by its registry"
    if entry.reason:
        text += f": {printable(entry.reason)}"
    remedy = f"install another version of it, or do without it: pkl disable {entry.name}"
    return Reason("revoked", text, text, remedy)


class Revoked:
    """What all known registries have revoked, as far as it was fetched.

    What is damaged or missing in the cache revokes nothing: a registry's fault stops no host.

    Args:
        registries: The registries that the user knows.
        directory: Where the copies of all registries are, if not in the user's cache directory.
    """

    def __init__(
        self, registries: Iterable[KnownRegistry], directory: Optional[str] = None
    ) -> None:
        self._lists: List[Revocations] = []
        for known in registries:
            if not known.revoked:
                continue
            copy = Cache(known.url, directory).load(REVOKED, MAX_REVOKED)
            if copy is None or sha256(copy.data).hexdigest() != known.revoked:
                continue
            try:
                found = parse_revoked(copy.data)
            except RegistryGarbage:
                continue
            if found.entries:
                self._lists.append(found)

    def marked(self, candidate: Candidate) -> Candidate:
        """The candidate; with the reason as its fault if it was revoked, and else without one.

        A version is the one that was revoked if it is of the same distribution, or if the
        registry does not say of which. What is unusable anyway keeps the fault that it has.
        """
        fault = candidate.fault
        if fault is not None and fault.code != "revoked":
            return candidate
        reason = self._reason(candidate)
        return candidate if reason == fault else replace(candidate, fault=reason)

    def _reason(self, candidate: Candidate) -> Optional[Reason]:
        if candidate.distribution is None or candidate.origin is Origin.REGISTRY:
            return candidate.fault
        for each in self._lists:
            entry = each.of(candidate.name, candidate.version)
            if entry is None:
                continue
            stated = entry.distribution
            if not stated or canonical(stated) == canonical(candidate.distribution):
                return revoked_reason(entry)
        return None
