"""``pkl graph``: the dependency graph as text, a picture, or data."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Optional, Sequence

import click

from ..errors import MissingTool, UsageError
from ..render.as_json import to_json
from ..render.select import reduce as reduced
from ..render.select import select
from .options import Verb
from .scope import Scope
from .session import Session

if TYPE_CHECKING:
    from ..model.graph import Graph
    from ..model.plan import Plan

__all__ = ["command"]

FORMATS = ("tree", "waves", "dot", "mermaid", "json", "svg", "html", "png", "pdf")
_SUFFIXES = {"mmd": "mermaid", "gv": "dot", "htm": "html", **{name: name for name in FORMATS[2:]}}
_BY_DOT = ("png", "pdf")
AROUND = 2
"""How far ``--focus`` looks, in edges, if ``--depth`` does not say."""


@click.command("graph", cls=Verb)
@click.argument("name", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="By default a tree, or what the suffix of -o says. png and pdf need Graphviz.",
)
@click.option("--invert", is_flag=True, help="Show under each plugin what needs it.")
@click.option("--depth", type=click.IntRange(min=0), help="Follow so many edges at most.")
@click.option("--reduce", is_flag=True, help="Leave out edges that longer ways imply.")
@click.option("--focus", metavar="NAME", help="Only what is near this plugin, both ways.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
@click.pass_obj
def command(
    session: Session,
    name: Optional[str],
    format_: Optional[str],
    invert: bool,
    depth: Optional[int],
    reduce: bool,
    focus: Optional[str],
    output: Optional[str],
) -> int:
    """The dependency graph: as text, a picture, or data.

    All of it, or what NAME needs (with --invert: what needs NAME). Nothing is imported. Edges
    point from what needs to what is needed.
    """
    if name is not None and focus is not None:
        raise UsageError("NAME and --focus exclude each other", hint="pkl graph --help")
    chosen = _format(session, format_, output)
    scope = Scope(session)
    plan = scope.plan
    part = plan.graph
    asked = name if focus is None else focus
    meant = [scope.node(each) for each in scope.named(asked)] if asked is not None else None
    if reduce:
        part = reduced(part)
    if focus is not None:
        around = AROUND if depth is None else depth
        part = select(part, focus=meant, depth=around, direction="both")
    elif chosen != "tree" and (name is not None or depth is not None):
        part = select(part, focus=meant, depth=depth, direction="users" if invert else "needs")
    if chosen == "tree":
        root = meant if focus is None else None
        deep = depth if focus is None else None
        text = _tree(session, part, plan, root, invert, deep, output is not None)
    elif chosen in _BY_DOT:
        _write(session, _drawn_by_dot(chosen, part, plan, output), output)
        return 0
    else:
        text = _text(session, chosen, part, plan, scope, meant, output is not None)
    if not part.nodes:
        session.note(f"no plugins in {scope.where}")
    if output is None and chosen in ("tree", "waves"):
        session.write(text)
    else:
        _write(session, text.encode(), output)
    return 0


def _format(session: Session, given: Optional[str], output: Optional[str]) -> str:
    """The format that was asked for, in one way or another."""
    if session.json:
        if given not in (None, "json"):
            raise UsageError(f"--json and --format {given} exclude each other")
        return "json"
    if given is not None:
        return given
    suffix = os.path.splitext(output or "")[1][1:].lower()
    return _SUFFIXES.get(suffix, "tree")


def _tree(
    session: Session,
    part: "Graph",
    plan: "Plan",
    root: Optional[Sequence[str]],
    invert: bool,
    depth: Optional[int],
    to_file: bool,
) -> str:
    from ..render.tree import tree

    return tree(
        part,
        invert=invert,
        depth=depth,
        focus=root,
        ascii=not (to_file or session.out.unicode),
        color=session.out.color and not to_file,
        reasons=plan.blocked,
    )


def _text(
    session: Session,
    chosen: str,
    part: "Graph",
    plan: "Plan",
    scope: Scope,
    meant: Optional[Sequence[str]],
    to_file: bool,
) -> str:
    title = scope.host or scope.group
    if chosen == "json":
        return to_json(part)
    if chosen == "waves":
        from ..render.waves import waves

        return waves(
            part,
            ascii=not (to_file or session.out.unicode),
            color=session.out.color and not to_file,
            reasons=plan.blocked,
        )
    if chosen == "dot":
        from ..render.dot import dot

        return dot(part, title=title, reasons=plan.blocked)
    if chosen == "mermaid":
        from ..render.mermaid import mermaid

        return mermaid(part)
    if chosen == "svg":
        from ..render.svg import svg

        return svg(part, title=title, reasons=plan.blocked)
    from ..render.html import html

    return html(part, title=title, reasons=plan.blocked, focus=meant[0] if meant else None)


def _drawn_by_dot(chosen: str, part: "Graph", plan: "Plan", output: Optional[str]) -> bytes:
    """A picture made by Graphviz.

    Raises:
        MissingTool: There is no ``dot``.
        UsageError: It would go to a terminal, or ``dot`` cannot draw it.
    """
    import shutil
    import subprocess

    from ..render.dot import dot

    program = shutil.which("dot")
    if program is None:
        raise MissingTool(
            f"--format {chosen} needs Graphviz: there is no dot on the PATH",
            hint="install Graphviz, or draw without it: pkl graph --format svg -o graph.svg",
            tool="dot",
        )
    if output is None and sys.stdout.isatty():
        raise UsageError(f"a {chosen} does not go to a terminal", hint=f"-o graph.{chosen}")
    source = dot(part, reasons=plan.blocked).encode()
    ran = subprocess.run([program, f"-T{chosen}"], input=source, capture_output=True)
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip()
        raise UsageError(
            f"dot cannot draw this graph (exit {ran.returncode})\n{said}",
            hint="pkl graph --format svg -o graph.svg",
        )
    return ran.stdout


def _write(session: Session, data: bytes, output: Optional[str]) -> None:
    if output is None or output == "-":
        session.write_bytes(data)
        return
    try:
        with open(output, "wb") as file:
            file.write(data)
    except OSError as e:
        raise UsageError(f"{output} cannot be written: {e.strerror or e}") from None
    session.note(f"written to {output}")
