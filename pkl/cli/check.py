"""``pkl check``: finds what is wrong with plugins, a plugin project, or a wheel."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import click

from ..discovery import DEFAULT_GROUP, discover
from ..errors import UsageError
from ..model.candidate import Candidate
from ..render.as_json import dumps
from .lint.finding import ERROR, WARNING, Finding, in_order
from .lint.installed import check_scope
from .lint.known import Known
from .lint.reading import subjects_at
from .lint.rules import check_subject
from .lint.sarif import sarif
from .options import Verb
from .scope import Scope
from .session import Session

__all__ = ["command", "show"]


@click.command("check", cls=Verb)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--sarif", "sarif_file", metavar="FILE", help="Write SARIF 2.1.0 to a file, too.")
@click.pass_obj
def command(
    session: Session, paths: Tuple[str, ...], strict: bool, sarif_file: Optional[str]
) -> int:
    """Find what is wrong with plugins, a plugin project, or a wheel.

    A PATH is a plugin directory, a project, a wheel, or a folder of these. Without one, the
    plugins of the chosen host or group are checked. Nothing is imported. It exits
    with 1 if there are errors. Findings are PATH:LINE: CODE MESSAGE.
    """
    scope = Scope(session)
    findings = _of_paths(scope, paths) if paths else check_scope(scope)
    if sarif_file is not None:
        _write_sarif(sarif_file, findings)
    if session.json:
        fields = {**scope.facts, "findings": [each.as_dict() for each in findings]}
        session.document("pkl.check/1", fields)
    else:
        show(session, findings)
    bad = (ERROR, WARNING) if strict else (ERROR,)
    return 1 if any(each.severity in bad for each in findings) else 0


def _of_paths(scope: Scope, paths: Sequence[str]) -> List[Finding]:
    groups = list(dict.fromkeys((scope.group, DEFAULT_GROUP)))

    def there() -> List[Candidate]:
        others = [discover(group=group) for group in groups if group != scope.group]
        return [c for found in (scope.found, *others) for c in found.candidates]

    known = Known(there)
    findings: List[Finding] = []
    for path in paths:
        for subject, found in subjects_at(path, groups):
            findings += found
            findings += check_subject(subject, known, scope.points)
    return in_order(findings)


def _write_sarif(file: str, findings: Sequence[Finding]) -> None:
    try:
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(dumps(sarif(findings)) + "\n")
    except OSError as e:
        raise UsageError(f"{file} cannot be written: {e.strerror or e}") from None


_ROLES = {ERROR: "fail", WARNING: "wait"}


def show(session: Session, findings: Sequence[Finding]) -> None:
    """Writes findings a line each, with their hints, and counts them for whoever watches.

    Args:
        session: Where to.
        findings: In the order to write them.
    """
    out = session.out
    lines: List[str] = []
    for each in findings:
        first, *rest = each.message.split("\n")
        place = f"{out.clean(each.place)}: " if each.place else ""
        code = out.paint(each.code, _ROLES.get(each.severity, "muted"))
        lines.append(f"{place}{code} {out.clean(first)}")
        lines += [f"    {out.clean(line.strip())}" for line in rest]
        if each.hint and session.verbosity >= 0:
            lines.append(f"    {out.paint('hint:', 'muted')} {out.clean(each.hint)}")
    session.write("".join(f"{line}\n" for line in lines))
    errors = sum(each.severity == ERROR for each in findings)
    warnings = sum(each.severity == WARNING for each in findings)
    session.note(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
