"""``pkl permissions``: what a plugin asks to be allowed, and what of it was granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import click

from ..errors import UsageError
from ..model.rules import PERMISSIONS
from ..names import did_you_mean
from ..render.table import Cell, Column, table
from .changing import Subject, say_what_then
from .options import Verb
from .scope import Scope
from .session import Session, plain, shown

if TYPE_CHECKING:
    from ..store import Consent, HostState

__all__ = ["command"]

ALL = "all"
"""What stands for every permission that a plugin asks for, or has been granted."""

_COLUMNS = (
    Column("PERMISSION"),
    Column("STATUS"),
    Column("ASKED"),
    Column("GRANTED"),
    Column("SINCE"),
)
_ROLES = {"granted": "ok", "not granted": "wait", "changed": "wait", "not asked": "muted"}


class _Row(NamedTuple):
    """One permission."""

    name: str
    asked: Any
    """What the manifest asks for; None if it does not any more."""
    consent: "Optional[Consent]"

    @property
    def status(self) -> str:
        """How the two compare."""
        if self.consent is None:
            return "not granted"
        if self.asked is None and self.name not in PERMISSIONS:
            return "granted"  # what an update was let in for; no manifest says it so
        if self.asked is None:
            return "not asked"
        return "granted" if self.consent.value == self.asked else "changed"


@click.command("permissions", cls=Verb)
@click.argument("name")
@click.option(
    "--grant", metavar="PERMISSION", multiple=True, help="Grant what it asks for; or all."
)
@click.option("--revoke", metavar="PERMISSION", multiple=True, help="Take it back; or all.")
@click.pass_obj
def command(session: Session, name: str, grant: Tuple[str, ...], revoke: Tuple[str, ...]) -> int:
    """What a plugin asks to be allowed, and what of it was granted.

    A grant is for what the manifest asks for now; if a later version asks for something else,
    that is shown as changed. What else an update was let in for stands below, such as a dependency
    that it was the first to have.
    """
    changing = bool(grant or revoke)
    subject = Subject(Scope(session, warn_of_state=not changing))
    key = subject.scope.known(name)
    asked = _asked(subject, key)
    state, change = subject.state, None
    # Both are looked at before either is done, so that a misspelt one changes nothing.
    granted = _meant("--grant", grant, list(asked), f"{key} asks for")
    had = list(state.record(key).consents)
    revoked = _meant("--revoke", revoke, list(dict.fromkeys([*had, *asked])), f"{key} was granted")
    if granted:
        values = {each: asked[each] for each in granted}
        by = f"pkl permissions {key} --grant"
        version = subject.version(key) or ""
        change = subject.store.consent(subject.host, key, values, version=version, by=by)
        say_what_then(session, change, change.before != change.state)
    if revoked:
        change = subject.store.revoke(subject.host, key, *revoked)
        say_what_then(session, change, change.before != change.state)
    _show(session, subject, key, _rows(asked, change.state if change is not None else state, key))
    return 0


def _asked(subject: Subject, key: str) -> Mapping[str, Any]:
    """What the manifest asks for, as JSON has it; of several sources, the one that starts.

    Raises:
        UsageError: Two sources offer the name, and nothing decides between them.
    """
    step = subject.scope.plan.step(key)
    found = [c for c in subject.scope.found.candidates if c.name == key]
    if step is not None:
        found = [step.candidate]
    asked: List[Mapping[str, Any]] = [_jsonable(c.metadata.permissions) for c in found]
    if any(each != asked[0] for each in asked):
        sources = " and ".join(c.source for c in found)
        raise UsageError(
            f"{key} is offered by {sources}, which ask for different permissions",
            hint="uninstall one of them, or choose with --path",
        )
    return asked[0] if asked else {}


def _jsonable(permissions: Mapping[str, Any]) -> Mapping[str, Any]:
    found = plain(permissions)
    assert isinstance(found, dict)
    return found


def _meant(option: str, given: Sequence[str], known: Sequence[str], what: str) -> List[str]:
    """The permissions that an option names.

    Raises:
        UsageError: One of them is not known.
    """
    if ALL in given:
        return list(known)
    for each in given:
        if each not in known:
            meant = did_you_mean(each, known)
            guess = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"{option} {each!r} is none of what {what}{guess}",
                hint=f"it is one of {', '.join(known)}" if known else "",
            )
    return list(dict.fromkeys(given))


def _rows(asked: Mapping[str, Any], state: "HostState", key: str) -> List[_Row]:
    consents = state.record(key).consents
    names = [*asked, *(each for each in consents if each not in asked)]
    return [_Row(each, asked.get(each), consents.get(each)) for each in names]


def _show(session: Session, subject: Subject, key: str, rows: Sequence[_Row]) -> None:
    if session.json:
        fields = {
            **subject.facts,
            "name": key,
            "version": subject.version(key),
            "permissions": [_as_dict(each) for each in rows],
        }
        session.document("pkl.permissions/1", fields)
        return
    if not rows:
        session.note(f"{key} asks for no permissions")
        return
    body = [
        (
            Cell(each.name, "bold"),
            Cell(each.status, _ROLES[each.status]),
            shown(each.asked) if each.asked is not None else "",
            shown(each.consent.value) if each.consent is not None else "",
            each.consent.since if each.consent is not None else "",
        )
        for each in rows
    ]
    session.write(table(_COLUMNS, body, terminal=session.out))


def _as_dict(row: _Row) -> Dict[str, Any]:
    consent = row.consent
    return {
        "name": row.name,
        "status": row.status,
        "asked": row.asked,
        "granted": consent.value if consent is not None else None,
        "version": consent.version if consent is not None else None,
        "since": consent.since if consent is not None else None,
        "by": consent.by if consent is not None else None,
    }
