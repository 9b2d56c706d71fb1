"""Blocks of a listing that more than one verb has."""

from __future__ import annotations

from typing import Sequence

from ..model.candidate import Failure
from .session import Session

__all__ = ["failure_lines"]


def failure_lines(
    session: Session, title: str, failures: Sequence[Failure], *, gap: bool = False
) -> str:
    """A block for what could not be read, each with its file and code; empty if there is none.

    Args:
        session: For what standard output can show.
        title: What they have in common.
        failures: What to list.
        gap: Whether an empty line comes first.
    """
    if not failures:
        return ""
    out = session.out
    lines = ["", out.paint(f"{title}: {len(failures)}", "bold")]
    mark = out.paint(out.glyph("fail"), "fail")
    for each in failures:
        lines += [f"  {mark} {out.clean(line)}" for line in each.message.split("\n")[:1]]
        lines += [f"    {out.clean(line)}" for line in each.message.split("\n")[1:]]
        file = f"{each.file} " if each.file and each.file not in each.message else ""
        lines.append(out.paint(f"    {out.clean(file)}({each.code})", "muted"))
    return "\n".join(lines if gap else lines[1:]) + "\n"
