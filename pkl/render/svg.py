"""The drawing as one self-contained SVG file."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

from ..model.graph import Graph
from ..model.state import Reason
from .layout import NAME_SIZE, NOTE_SIZE, Band, Drawing, lay_out
from .markup import escaped
from .routes import Route
from .style import stylesheet
from .terminal import MARKS, mark_of
from .text_size import fitted, text_width
from .view import View, ViewEdge, ViewNode, listed

__all__ = [
    "draw",
    "edge_class",
    "edge_words",
    "glyph_id",
    "node_class",
    "summary",
    "svg",
]

_LEGEND = (
    ("requires", "e requires", "requires"),
    ("wants", "e wants", "wants (optional)"),
    ("order", "e order", "after, before (order only)"),
    ("via", "e via", "through distributions outside"),
    ("conflicts", "e bad conflicts", "✕ conflicts"),
    ("bad", "e bad", "✕ missing, unsatisfied or cycle"),
    ("absent", "e wants absent", "○ wanted, not there"),
)
_GLYPHS = {"●": "run", "○": "rest", "◐": "half", "✕": "fail"}
_RING = "M-4,0a4,4 0 1 0 8,0a4,4 0 1 0-8,0z"
_SHAPES = (
    ("run", _RING),
    ("rest", f"{_RING}M-2.8,0a2.8,2.8 0 1 0 5.6,0a2.8,2.8 0 1 0-5.6,0z"),
    ("half", f"{_RING}M0,-2.8a2.8,2.8 0 0 1 0,5.6z"),
    ("fail", "M-4,-2.6L-2.6,-4 0,-1.4 2.6,-4 4,-2.6 1.4,0 4,2.6 2.6,4 0,1.4-2.6,4-4,2.6-1.4,0z"),
)
"""The glyphs as shapes: not every font has them."""
_LEGEND_STATES = ("enabled", "disabled", "unloaded", "blocked", "error", "missing")


def svg(
    graph: Graph,
    *,
    title: str = "Plugin graph",
    reasons: Optional[Mapping[str, Reason]] = None,
) -> str:
    """The graph as an SVG file: needs nothing from outside, light and dark, with tooltips.

    Columns are the waves in which plugins start, from left to right; arrows point at what is
    needed.

    Args:
        graph: The graph, or a part of it from ``select``.
        title: The heading, also the accessible name.
        reasons: Why plugins are not running, by id or name; shown in the tooltips.
    """
    return draw(lay_out(View(graph, reasons)), title=title)


def draw(
    drawing: Drawing,
    *,
    title: str = "Plugin graph",
    inline: bool = False,
    numbers: Optional[Mapping[str, int]] = None,
) -> str:
    """A layout as SVG.

    Args:
        drawing: The layout.
        title: The heading, also the accessible name.
        inline: For a page that brings the style sheet and its own heading.
        numbers: The number by which a script knows each node; by default their order.
    """
    legend, legend_height = _legend(drawing)
    width, height = drawing.width, drawing.height + legend_height
    role = "group" if inline else "img"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" data-w="{width}" data-h="{height}" '
        f'role="{role}" aria-label="{escaped(title)}">',
        f"<title>{escaped(title)}</title>",
        f"<desc>{escaped(summary(drawing.view))}</desc>",
    ]
    if not inline:
        lines.append(f"<style>{stylesheet()}</style>")
    numbers = numbers or {key: i for i, key in enumerate(drawing.boxes)}
    lines += _definitions()
    lines.append(f'<rect class="bg" width="{width}" height="{height}"/>')
    lines.append(f'<text class="head" x="24" y="32">{escaped(title)}</text>')
    lines.append(f'<text class="sub counts" x="24" y="52">{escaped(summary(drawing.view))}</text>')
    lines += _bands(drawing)
    lines.append("<g>")
    lines += (_edge(drawing.view, route, numbers) for route in drawing.routes)
    lines.append("</g>")
    for frame in drawing.frames:
        lines.append(
            f'<rect class="loop" x="{frame.x}" y="{frame.y}" width="{frame.width}" '
            f'height="{frame.height}" rx="12"/>'
        )
    lines += (_label(route) for route in drawing.routes if route.label)
    lines += _nodes(drawing, numbers)
    lines += legend
    lines.append("</svg>\n")
    return "\n".join(lines)


def summary(view: View) -> str:
    """The counts of a graph in one line."""
    plugins = [node for node in view.nodes.values() if not node.ghost]
    ghosts = len(view.nodes) - len(plugins) + len(view.unplaced)
    parts = [
        _count(len(plugins), "plugin"),
        _count(len(view.edges), "edge"),
        _count(len(set(view.waves.values())), "wave"),
    ]
    tally: Dict[str, int] = {}
    for node in plugins:
        if node.words and node.words[0] != "enabled":
            tally[node.words[0]] = tally.get(node.words[0], 0) + 1
    parts += [f"{count} {word}" for word, count in sorted(tally.items())]
    if ghosts:
        parts.append(f"{ghosts} not there")
    if view.cycles:
        parts.append(_count(len(view.cycles), "cycle"))
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _definitions() -> List[str]:
    """The glyphs, and arrow heads: some at the start of a path pointing back, some at its end."""
    lines = ["<defs>"]
    lines += (f'<path id="pkl-{name}" fill-rule="evenodd" d="{d}"/>' for name, d in _SHAPES)
    for name in ("", "via", "bad", "need", "user"):
        for end, shape, ref in (("s", "M8,0L0,4L8,8z", 0), ("e", "M0,0L8,4L0,8z", 8)):
            lines.append(
                f'<marker id="pkl-{end}{name}" markerUnits="userSpaceOnUse" markerWidth="8" '
                f'markerHeight="8" refX="{ref}" refY="4" orient="auto">'
                f'<path class="{f"a {name}".strip()}" d="{shape}"/></marker>'
            )
    lines.append("</defs>")
    return lines


def glyph_id(word: str) -> str:
    """The name of the shape that is the glyph of a state."""
    return _GLYPHS[mark_of(word).glyph]


def node_class(node: ViewNode) -> str:
    """The CSS classes of a box."""
    return f"n {node.role}{' ghost' if node.ghost else ''}"


def edge_class(edge: ViewEdge) -> str:
    """The CSS classes of a line: its kind decides the dashes, what is wrong the colour."""
    kind = edge.kind if edge.kind in ("requires", "wants", "conflicts") else "order"
    return f"e {kind} {_edge_color(edge)}".strip()


def _edge_color(edge: ViewEdge) -> str:
    if edge.word in ("missing", "unsatisfied", "conflict", "cycle"):
        return "bad"
    return "absent" if edge.word == "absent" else "via" if edge.via else ""


def edge_words(edge: ViewEdge) -> str:
    """An edge in words, without its ends: kind, requirement, what it passes, what is wrong."""
    parts = [f"{edge.kind} {edge.requirement}".strip()]
    if edge.via:
        parts.append(f"via {', '.join(edge.via)}")
    return ", ".join([*parts, edge.word] if edge.word else parts)


def _glyph(word: str, x: int, y: int) -> str:
    """The glyph of a state, centred at a point."""
    return f'<use class="g" href="#pkl-{glyph_id(word)}" x="{x}" y="{y}"/>'


def _bands(drawing: Drawing) -> List[str]:
    lines: List[str] = []
    for number, band in enumerate(drawing.bands):
        if number % 2 == 0:
            lines.append(
                f'<rect class="band" x="{band.x}" y="64" width="{band.width}" '
                f'height="{drawing.floor - 64}" rx="10"/>'
            )
        title, note = _band_words(band)
        lines.append(f'<text class="t" x="{band.x + 14}" y="80">{title}</text>')
        lines.append(f'<text class="sub" x="{band.x + 14}" y="95">{note}</text>')
    if drawing.grid is not None:
        count = len(drawing.loose)
        waves = {drawing.view.waves.get(key, -1) for key in drawing.loose}
        when = f", all in wave {min(waves) + 1}" if len(waves) == 1 and min(waves) >= 0 else ""
        lines.append(f'<text class="t" x="48" y="{drawing.grid}">No connections</text>')
        lines.append(
            f'<text class="sub" x="170" y="{drawing.grid}">{_count(count, "plugin")}{when}</text>'
        )
    return lines


def _band_words(band: Band) -> Tuple[str, str]:
    if band.wave < 0:
        return "Not there", _count(band.absent, "name")
    words = [_count(band.starts, "plugin")] if band.starts else []
    if band.others:
        words.append(f"{band.others} not started")
    if band.absent:
        words.append(f"{band.absent} not there")
    return f"Wave {band.wave + 1}", ", ".join(words)


def _edge(view: View, route: Route, numbers: Mapping[str, int]) -> str:
    edge = route.edge
    color = _edge_color(edge)
    end, name = ("end", "e") if edge.kind == "before" else ("start", "s")
    head = "" if color == "absent" else color
    heads = "" if edge.kind == "conflicts" else f' marker-{end}="url(#pkl-{name}{head})"'
    words = f"{view.nodes[edge.from_].label} {edge_words(edge)}"
    if not edge.requirement:
        words += f" {view.nodes[edge.to].label}"
    return (
        f'<path class="{edge_class(edge)}" data-f="{numbers[edge.from_]}" '
        f'data-t="{numbers[edge.to]}" d="{route.path}"{heads}>'
        f"<title>{escaped(words)}</title></path>"
    )


def _label(route: Route) -> str:
    edge = route.edge
    x, y = route.label_at
    classes = f"l {'mid' if route.centred else 'end'} {_edge_color(edge)}".strip()
    return f'<text class="{classes}" x="{x}" y="{y}">{escaped(route.label)}</text>'


def _nodes(drawing: Drawing, numbers: Mapping[str, int]) -> List[str]:
    lines: List[str] = []
    for key, box in drawing.boxes.items():
        node = drawing.view.nodes[key]
        middle = box.height // 2
        glyph = _glyph(node.word, 13, middle - 7) if node.words else ""
        room = box.width - (30 if glyph else 18)
        left = 24 if glyph else 10
        parts = [
            f'<g class="{node_class(node)}" data-n="{numbers[key]}" data-id="{escaped(key)}" '
            f'transform="translate({box.x},{box.y})">',
            f"<title>{escaped(tooltip(drawing.view, node))}</title>",
            f'<rect width="{box.width}" height="{box.height}" rx="8"/>',
            glyph,
            f'<text class="name" x="{left}" y="{middle - 3}">'
            f"{escaped(fitted(node.label, room, NAME_SIZE, True))}</text>",
            _note(node, left, middle + 13, room),
            "</g>",
        ]
        lines.append("".join(parts))
    return lines


def _note(node: ViewNode, x: int, y: int, room: float) -> str:
    """The second line of a box: the version, and the state in words."""
    words = ", ".join(node.words)
    taken = text_width(words, NOTE_SIZE) + (text_width(" · ", NOTE_SIZE) if words else 0)
    version = fitted(node.version, max(24.0, room - taken), NOTE_SIZE)
    parts = []
    if version:
        parts.append(f'<tspan class="v">{escaped(version)}</tspan>')
    if words:
        parts.append(f'<tspan class="w">{escaped(words)}</tspan>')
    return f'<text class="note" x="{x}" y="{y}">{" · ".join(parts)}</text>' if parts else ""


def tooltip(view: View, node: ViewNode) -> str:
    """What is known of a node, in a few lines; they are joined by `` · `` as tooltips differ."""
    words = " ".join(filter(None, (node.label, node.version)))
    parts = [f"{words} from {node.distribution}" if node.distribution else words]
    parts.append(" and ".join(node.words))
    if node.word not in ("", "enabled"):
        parts.append(view.why(node.id))
    pulls = ("requires", "wants")
    needs = sorted({view.nodes[e.to].label for e in view.needs_of(node.id) if e.kind in pulls})
    users = sorted({view.nodes[e.from_].label for e in view.users_of(node.id) if e.kind in pulls})
    if needs:
        parts.append(f"needs {listed(needs)}")
    if users and not node.ghost:
        parts.append(f"needed by {listed(users)}")
    return " · ".join(part for part in parts if part)


def _head(style: str) -> str:
    """The arrow head of a line in the legend."""
    if "conflicts" in style:
        return ""
    name = "bad" if "bad" in style else "via" if "via" in style else ""
    return f' marker-start="url(#pkl-s{name})"'


def _legend(drawing: Drawing) -> Tuple[List[str], int]:
    """The lines and states that occur, explained below the drawing; and the height it takes."""
    used = set()
    for edge in drawing.view.edges:
        kind = edge.kind if edge.kind in ("requires", "wants", "conflicts") else "order"
        used.add("absent" if edge.word == "absent" else kind)
        if edge.via:
            used.add("via")
        if edge.word in ("missing", "unsatisfied", "cycle"):
            used.add("bad")
    states = {word for node in drawing.view.nodes.values() for word in node.words}
    x, y = 48, drawing.height + 16
    lines: List[str] = []
    entries = [(style, words, "") for name, style, words in _LEGEND if name in used]
    entries += [("", word, MARKS[word].role) for word in _LEGEND_STATES if word in states]
    for style, words, role in entries:
        width = 58 + round(text_width(words, 12))
        if x > 48 and x + width > drawing.width - 24:
            x, y = 48, y + 22
        if style:
            lines.append(f'<path class="{style}" d="M{x},{y - 4}H{x + 32}"{_head(style)}/>')
            lines.append(f'<text class="sub" x="{x + 40}" y="{y}">{escaped(words)}</text>')
        else:
            lines.append(
                f'<g class="{role}">{_glyph(words, x + 5, y - 4)}'
                f'<text class="sub" x="{x + 17}" y="{y}">{words}</text></g>'
            )
            width -= 24
        x += width
    lines = ['<g class="legend">', *lines, "</g>"] if lines else []
    return lines, (y - drawing.height + 22 if lines else 0)
