"""``pkl doctor``: finds what is wrong with the environment, and how to repair it."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import click

from .diagnosis import CHECKS, FIXES, Check
from .lint.finding import ERROR, NOTE, WARNING, Finding
from .options import Verb
from .scope import Scope
from .session import Session

__all__ = ["command"]

_WORDS = {ERROR: "fail", WARNING: "warn", NOTE: "warn"}
_Found = List[Tuple[Check, List[Finding]]]


@click.command("doctor", cls=Verb)
@click.option("--fix", is_flag=True, help="Repair what can be repaired without any risk.")
@click.pass_obj
def command(session: Session, fix: bool) -> int:
    """Find what is wrong with this environment, and how to repair it.

    Broken and duplicate distributions, collisions, unmet requirements and Pythons, stale
    editable installations, missing extras, the cache, the state, starts that died. Nothing is
    imported. It exits with 1 if something fails; warnings alone do not count.
    """
    found = _look(Scope(session, refresh=fix, warn_of_state=False))
    fixed: List[Finding] = []
    if fix:
        fixed = _repaired(session, [each for _, findings in found for each in findings])
        found = _look(Scope(session, refresh=True, warn_of_state=False)) if fixed else found
    scope = Scope(session, warn_of_state=False)
    findings = [each for _, listed in found for each in listed]
    ok = not any(each.severity == ERROR for each in findings)
    if session.json:
        fields: Dict[str, Any] = {
            **scope.facts,
            "findings": [each.as_dict() for each in findings],
            "ok": ok,
            "checks": [{"name": check.name, "status": _status(listed)} for check, listed in found],
            "fixed": [each.as_dict() for each in fixed],
        }
        session.document("pkl.doctor/1", fields)
    else:
        session.write(_text(session, scope, found, fixed))
    return 0 if ok else 1


def _look(scope: Scope) -> _Found:
    return [(check, list(check.look(scope))) for check in CHECKS]


def _status(findings: List[Finding]) -> str:
    if any(each.severity == ERROR for each in findings):
        return "fail"
    return "warn" if findings else "ok"


def _repaired(session: Session, findings: List[Finding]) -> List[Finding]:
    """Repairs what may be repaired, and gives the findings that are history now."""
    done: List[Finding] = []
    for each in findings:
        repair = FIXES.get(each.code)
        if repair is None or each.file is None:
            continue
        try:
            if repair(each.file):
                done.append(each)
        except OSError as e:
            session.warn(f"{each.file} could not be repaired: {e.strerror or e}")
    return done


def _text(session: Session, scope: Scope, found: _Found, fixed: List[Finding]) -> str:
    out = session.out
    lines = []
    for each in fixed:
        lines.append(f"{out.state('ok')} fixed: {out.clean(each.message.splitlines()[0])}")
    for check, findings in found:
        if not findings:
            lines.append(f"{out.state('ok')} {out.clean(check.good(scope))}")
        for each in findings:
            first, *rest = each.message.split("\n")
            lines.append(f"{out.state(_WORDS[each.severity])} {out.clean(first)} ({each.code})")
            lines += [f"    {out.clean(line.strip())}" for line in rest]
            if each.place and each.place not in each.message:
                lines.append(f"    {out.paint(out.clean(each.place), 'muted')}")
            if each.hint:
                lines.append(f"    {out.paint('fix:', 'muted')} {out.clean(each.hint)}")
    return "".join(f"{line}\n" for line in lines)
