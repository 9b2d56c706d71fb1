"""The graph as the waves in which plugins start, and what is left out below them."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional

from ..model.graph import Graph
from ..model.state import Reason
from .terminal import Terminal, mark_of
from .view import View

__all__ = ["waves"]


def waves(
    graph: Graph,
    *,
    ascii: bool = False,
    color: bool = False,
    reasons: Optional[Mapping[str, Reason]] = None,
) -> str:
    """One block for each wave with its count, then what does not start and why.

    Plugins of one wave may start together; each needs only plugins of earlier waves.

    Args:
        graph: The graph; in a part of one, empty layers keep the numbers of the whole.
        ascii: Write ASCII only.
        color: Write colours.
        reasons: Why plugins are not running, by id or name; else the graph's own words are used.
    """
    view = View(graph, reasons)
    terminal = Terminal(color, not ascii)
    clean, paint = terminal.clean, terminal.paint
    by_wave: Dict[int, List[str]] = {}
    for key in view.nodes:
        if key in view.waves:
            by_wave.setdefault(view.waves[key], []).append(key)
    lines: List[str] = []
    for number in sorted(by_wave):
        lines.append(_heading(f"wave {number + 1}", len(by_wave[number]), terminal))
        for key in by_wave[number]:
            node = view.nodes[key]
            parts = [clean(node.label), clean(node.version)]
            needs = [view.nodes[edge.early].label for edge in view.needs_of(key) if edge.orders]
            needs = sorted(set(needs) - {node.label})
            if needs:
                parts.append(paint(clean(f"after {', '.join(needs)}"), "muted"))
            parts += [terminal.state(word) for word in node.words if word != "enabled"]
            lines.append("  " + " ".join(part for part in parts if part))
    out = [key for key, node in view.nodes.items() if not node.ghost and key not in view.waves]
    if out:
        lines.append(_heading("not started", len(out), terminal))
    for key in out:
        node = view.nodes[key]
        words = " ".join(terminal.state(word) for word in node.words)
        why = view.why(key)
        line = " ".join(part for part in (clean(node.label), clean(node.version), words) if part)
        lines.append(f"  {line}{': ' + paint(clean(why), mark_of(node.word).role) if why else ''}")
    ghosts = [node for node in view.nodes.values() if node.ghost]
    absent = len(ghosts) + len(view.unplaced)
    if absent:
        lines.append(_heading("not there", absent, terminal))
    for node in ghosts:
        why = view.why(node.id)
        lines.append(
            f"  {terminal.state(node.word)} {clean(node.label)}{': ' if why else ''}{clean(why)}"
        )
    for each in view.unplaced:
        text = f'{each.name}: required by {each.required_by}: "{each.requirement}"'
        lines.append(f"  {terminal.state('missing')} {clean(text)}")
    return "".join(f"{line}\n" for line in lines)


def _heading(title: str, count: int, terminal: Terminal) -> str:
    noun = "plugin" if count == 1 else "plugins"
    if title == "not there":
        noun = "name" if count == 1 else "names"
    return terminal.paint(f"{title}: {count} {noun}", "bold")
