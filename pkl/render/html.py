"""The drawing as one self-contained HTML page, usable without scripts and at thousands of nodes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ..model.graph import Graph
from ..model.state import Reason
from .as_json import dumps
from .layout import lay_out
from .markup import escaped
from .page import SCRIPT, page_style
from .ranks import columns_of
from .select import part
from .svg import draw, edge_class, edge_words, glyph_id, node_class, summary
from .view import View, listed

__all__ = ["html"]

_AT_ONCE = 150
"""With more nodes the page opens on the surroundings of one plugin."""

_FOCUSED = 60
"""How many nodes each way the surroundings may have."""


def html(
    graph: Graph,
    *,
    title: str = "Plugin graph",
    focus: Optional[str] = None,
    reasons: Optional[Mapping[str, Reason]] = None,
) -> str:
    """The graph as an HTML page that needs nothing from outside and may load nothing.

    The page searches, zooms, and shows what a plugin needs (blue) and what needs it (orange).
    Above 150 plugins it opens on the surroundings of one, with the whole at a click. Without
    scripts the drawing and a table of all plugins remain. A content security policy allows only
    the page's own style sheet and script, by their hashes.

    Args:
        graph: The graph.
        title: The heading.
        focus: The plugin (id or name) to open on, where the page does not open on the whole; by
            default one that is failing, else one with many connections.
        reasons: Why plugins are not running, by id or name.
    """
    view = View(graph, reasons)
    style = page_style()
    numbers = {key: i for i, key in enumerate(view.nodes)}
    whole = draw(lay_out(view), title=title, inline=True, numbers=numbers)
    first, full, start = whole, "", -1
    if len(numbers) > _AT_ONCE:
        key = _start(view, focus)
        start = numbers[key]
        nearby = View(part(graph, _around(view, key)), reasons)
        first = draw(
            lay_out(nearby), title=f"{title}: {view.nodes[key].label}", inline=True, numbers=numbers
        )
        full = f'<template id="full">{whole}</template>\n'
    policy = (
        f"default-src 'none'; script-src '{_digest(SCRIPT)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{escaped(title)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{escaped(title)}</h1>
<p>{escaped(summary(view))}</p>
<div id="tools">
<input id="search" type="search" placeholder="Find a plugin" accesskey="/"
aria-label="Find a plugin">
<div id="hits"></div>
<button id="all"{"" if full else " hidden"}>Show all</button>
<button id="fit">Fit</button>
<button id="in" aria-label="Zoom in">+</button>
<button id="out" aria-label="Zoom out">&#8722;</button>
<button id="theme">Light or dark</button>
</div>
</header>
<main>
<div id="stage">{first}</div>
<aside id="side" hidden></aside>
</main>
<details>
<summary>All plugins as a table</summary>
{_table(view)}
</details>
{full}<script id="data" type="application/json">{_data(view, numbers, start)}</script>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _digest(content: str) -> str:
    """The hash of an inline part, as a content security policy names it."""
    return f"sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _data(view: View, numbers: Mapping[str, int], start: int) -> str:
    r"""The graph for the script, as JSON in which no ``<`` can end the element it stands in."""
    columns = columns_of(view)
    nodes: List[Dict[str, Any]] = []
    for key, node in view.nodes.items():
        why = view.why(key) if node.word not in ("", "enabled") else ""
        words = ", ".join(node.words)
        nodes.append(
            {
                "n": node.label,
                "v": node.version,
                "w": words,
                "s": node_class(node),
                "g": glyph_id(node.word) if node.words else "",
                "c": columns[key],
                "y": " · ".join(filter(None, (node.version, words, node.distribution, why))),
            }
        )
    edges = [
        {
            "f": numbers[edge.from_],
            "t": numbers[edge.to],
            "k": 0 if edge.kind == "requires" else 1 if edge.kind == "wants" else 2,
            "s": edge_class(edge),
            "r": edge_words(edge),
        }
        for edge in view.edges
    ]
    text = dumps({"nodes": nodes, "edges": edges, "start": start}, indent=None)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _table(view: View) -> str:
    rows = ["<table><tr><th>Plugin<th>Version<th>State<th>Needs<th>Needed by</tr>"]
    for key, node in view.nodes.items():
        needs = [f"{view.nodes[e.to].label}" for e in view.needs_of(key) if e.pulls]
        users = [f"{view.nodes[e.from_].label}" for e in view.users_of(key) if e.pulls]
        cells = (", ".join(node.words), listed(needs, 40), listed(users, 40))
        rows.append(
            f'<tr><td>{escaped(node.label)}<td class="v">{escaped(node.version)}<td>'
            f"{'<td>'.join(map(escaped, cells))}</tr>"
        )
    return "\n".join([*rows, "</table>"])


def _start(view: View, focus: Optional[str]) -> str:
    """The node to open on: the asked one, a failing one, or one whose surroundings fit a page."""
    key = focus if focus in view.nodes else view.id_of(focus or "")
    if key is not None:
        return key
    keys = [key for key, node in view.nodes.items() if not node.ghost] or list(view.nodes)

    def rank(key: str) -> Tuple[bool, int, str]:
        count = len(view.needs_of(key)) + len(view.users_of(key))
        return (view.nodes[key].role != "fail", -count, key)

    ordered = sorted(keys, key=rank)
    fits = (key for key in ordered[:50] if 2 < len(_around(view, key)) < _FOCUSED)
    return next(fits, ordered[0])


def _around(view: View, key: str) -> Set[str]:
    """What a node needs and what needs it, two steps far, the nearest first."""
    found = {key}
    for way in (0, 1):
        side: Dict[str, None] = {key: None}
        ring = [key]
        for _ in range(2):
            edges = [
                e for each in ring for e in (view.needs_of, view.users_of)[way](each) if e.pulls
            ]
            ring = [e.from_ if way else e.to for e in edges]
            side.update(dict.fromkeys(ring))
        found.update(list(side)[:_FOCUSED])
    return found
