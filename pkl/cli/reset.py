"""``pkl reset``: lets plugins out of quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import click

from .changing import Subject, plugins_named, predicted_lines, prediction, say_what_then
from .options import Verb
from .scope import Scope
from .session import Session

if TYPE_CHECKING:
    from ..store import Quarantine

__all__ = ["command"]


@click.command("reset", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_obj
def command(session: Session, names: Tuple[str, ...]) -> int:
    """Let plugins out of quarantine.

    A plugin gets there by failing too often. The next start of the host tries it again.
    """
    subject = Subject(Scope(session, warn_of_state=False))
    targets = plugins_named(subject.scope, names)
    change = subject.store.reset(subject.host, *targets)
    held = {name: change.before.record(name).quarantine for name in targets}
    plan = subject.scope.predicted(change.state)
    if session.json:
        rows = [{**_as_dict(subject, name, held), **prediction(plan, name)} for name in targets]
        session.document("pkl.reset/1", {**subject.facts, "plugins": rows})
    else:
        text = ""
        for name in targets:
            reason = plan.blocked.get(name)
            text += f"{session.out.clean(_text(name, held[name]))}\n"
            text += predicted_lines(session, reason) if reason is not None else ""
        session.write(text)
    say_what_then(session, change, any(held.values()))
    return 0


def _as_dict(
    subject: Subject, name: str, held: "Mapping[str, Optional[Quarantine]]"
) -> Dict[str, Any]:
    was = held[name]
    return {
        "name": name,
        "version": subject.version(name),
        "changed": was is not None,
        "quarantine": {"since": was.since, "why": was.why} if was is not None else None,
    }


def _text(name: str, was: "Optional[Quarantine]") -> str:
    if was is None:
        return f"{name}: was not in quarantine"
    since = f" since {was.since}" if was.since else ""
    return f"{name}: out of quarantine (was in it{since}{': ' if was.why else ''}{was.why})"
