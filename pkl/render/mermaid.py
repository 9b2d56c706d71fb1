"""The graph as a Mermaid flowchart, for pages that draw them."""

from __future__ import annotations

from typing import Dict, List

from ..model.graph import Graph
from .terminal import mark_of
from .view import View, ViewEdge, ViewNode, notes

__all__ = ["mermaid"]

_ARROWS = {"requires": "-->", "wants": "-.->", "conflicts": "x--x"}
_CLASSES = (
    ("ok", "stroke:#137a4c"),
    ("wait", "stroke:#8a5a00"),
    ("fail", "stroke:#b3261e,stroke-width:2px"),
    ("muted", "stroke:#5b6878"),
    ("missing", "stroke:#b3261e,stroke-dasharray:5 4"),
    ("absent", "stroke:#5b6878,stroke-dasharray:5 4"),
)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-_+,:●○✕◐·")


def mermaid(graph: Graph) -> str:
    """The graph as a flowchart: arrows from what needs to what is needed, waves left to right.

    Nodes are called ``n0``, ``n1``… in the order of their ids; what plugins wrote stands only in
    quoted labels, every character but letters, digits and a few signs as an entity.
    """
    view = View(graph)
    lines = ["flowchart RL"]
    number = {key: f"n{i}" for i, key in enumerate(view.nodes)}
    for key, node in view.nodes.items():
        name = node.word if node.ghost else node.role
        suffix = f":::{name}" if node.words else ""
        lines.append(f'  {number[key]}["{_label(node)}"]{suffix}')
    styles: Dict[str, List[str]] = {}
    for i, edge in enumerate(view.edges):
        text = "<br/>".join(map(_escaped, notes(edge, view.nodes[edge.to])))
        label = f'|"{text}"|' if text else ""
        arrow = _ARROWS.get(edge.kind, "-.->")
        lines.append(f"  {number[edge.from_]} {arrow}{label} {number[edge.to]}")
        style = _edge_style(edge)
        if style:
            styles.setdefault(style, []).append(str(i))
    lines += [f"  classDef {name} {style}" for name, style in _CLASSES]
    lines += [f"  linkStyle {','.join(styles[each])} {each}" for each in sorted(styles)]
    return "\n".join([*lines, ""])


def _label(node: ViewNode) -> str:
    words = " ".join(f"{mark_of(word).glyph} {word}" for word in node.words)
    second = " · ".join(part for part in (node.version, words) if part)
    return "<br/>".join(_escaped(part) for part in (node.label, second) if part)


def _edge_style(edge: ViewEdge) -> str:
    parts: List[str] = []
    if edge.word in ("missing", "unsatisfied", "conflict", "cycle"):
        parts.append("stroke:#b3261e")
    if edge.kind in ("after", "before"):
        parts.append("stroke-dasharray:2 4")
    elif edge.kind == "wants":
        parts.append("stroke-dasharray:7 4")
    elif edge.via:
        parts.append("stroke-dasharray:9 3 2 3")
    return ",".join(parts)


def _escaped(text: str) -> str:
    """Text with every sign that means something to Mermaid, Markdown or HTML as an entity."""
    return "".join(
        each if each in _PLAIN or (each.isalnum() and not each.isascii()) else f"#{ord(each)};"
        for each in text
    )
