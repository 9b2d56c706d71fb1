"""The graph in the DOT language of Graphviz."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional

from ..model.graph import Graph
from ..model.state import Reason
from ..names import printable
from .terminal import mark_of
from .view import View, ViewEdge, ViewNode, notes

__all__ = ["dot"]

_COLORS = {"ok": "#137a4c", "wait": "#8a5a00", "fail": "#b3261e", "muted": "#5b6878"}
_STYLES = {
    "requires": "solid",
    "wants": "dashed",
    "after": "dotted",
    "before": "dotted",
    "conflicts": "bold",
}


def dot(
    graph: Graph,
    *,
    title: str = "plugins",
    reasons: Optional[Mapping[str, Reason]] = None,
) -> str:
    """The graph for ``dot``: waves from left to right, arrows from what needs to what is needed.

    Args:
        graph: The graph.
        title: The name of the digraph.
        reasons: Why plugins are not running, by id or name; shown as tooltips.
    """
    view = View(graph, reasons)
    lines = [
        f"digraph {_quoted(title)} {{",
        "  rankdir=RL;",
        '  node [shape=box, style="rounded", fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9, color="#5b6878"];',
    ]
    lines += [f"  {_quoted(key)} [{_node(view, node)}];" for key, node in view.nodes.items()]
    for edge in view.edges:
        attributes = _edge(edge, view)
        lines.append(f"  {_quoted(edge.late)} -> {_quoted(edge.early)} [{attributes}];")
    by_wave: Dict[int, List[str]] = {}
    for key in view.nodes:
        if key in view.waves:
            by_wave.setdefault(view.waves[key], []).append(key)
    for wave in sorted(by_wave):
        members = "; ".join(map(_quoted, by_wave[wave]))
        lines.append(f"  {{ rank=same; {members}; }}")
    return "\n".join([*lines, "}", ""])


def _node(view: View, node: ViewNode) -> str:
    words = " ".join(f"{mark_of(word).glyph} {word}" for word in node.words)
    second = " · ".join(part for part in (node.version, words) if part)
    why = "" if node.word in ("", "enabled") else view.why(node.id)
    color = _COLORS[node.role] if node.words else "#18202b"
    attributes = [
        f"label={_lines(node.label, second)}",
        f"tooltip={_lines(node.label, node.distribution, second, why)}",
        f'color="{color}"',
        f'fontcolor="{color}"',
    ]
    if node.ghost:
        attributes.append('style="rounded,dashed"')
    return ", ".join(attributes)


def _edge(edge: ViewEdge, view: View) -> str:
    """The attributes of an edge, which is written from its later end to its earlier one."""
    asker, to = view.nodes[edge.from_], view.nodes[edge.to]
    attributes = [
        f'style="{_STYLES.get(edge.kind, "dotted")}"',
        f"tooltip={_lines(f'{asker.label} {edge.kind} {edge.requirement or to.label}')}",
    ]
    if edge.word:
        color = _COLORS[mark_of(edge.word).role]
        attributes.append(f'color="{color}", fontcolor="{color}"')
    if edge.kind == "conflicts":
        attributes.append('dir="both", arrowhead="tee", arrowtail="tee", constraint=false')
    elif edge.kind == "before":
        attributes.append('dir="back"')
    elif edge.via:
        attributes.append('dir="both", arrowtail="odot"')
    label = notes(edge, to)
    if label:
        attributes.append(f"label={_lines(*label)}")
    return ", ".join(attributes)


def _quoted(text: str) -> str:
    r"""A quoted id; control characters, quotes and backslashes cannot end it or change it.

    Ids keep their identity: what has to be escaped is written as ``\x1b`` and the like, and a
    backslash of the id itself is doubled first, so that no two ids become one.
    """
    text = printable(text.replace("\\", "\\\\"))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lines(*parts: str) -> str:
    """A quoted label of one line each; neither escapes nor entities are left for Graphviz."""
    safe = (part.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for part in parts)
    return '"' + "\\n".join(part for part in safe if part) + '"'
