"""The colours and lines of the drawings, as CSS for light and dark."""

from __future__ import annotations

from typing import List, Mapping, Sequence, Tuple

__all__ = ["DARK", "FONT", "LIGHT", "MONO", "coloured", "stylesheet"]

LIGHT: Mapping[str, str] = {
    "bg": "#fbfcfd",
    "panel": "#ffffff",
    "text": "#18202b",
    "muted": "#5b6878",
    "line": "#dde3ea",
    "edge": "#8492a3",
    "band": "#f1f4f8",
    "accent": "#2457c5",
    "ok": "#137a4c",
    "fail": "#b3261e",
    "wait": "#8a5a00",
    "used": "#a84a08",
}
"""The light tokens."""

DARK: Mapping[str, str] = {
    "bg": "#10141a",
    "panel": "#171c24",
    "text": "#e5eaf1",
    "muted": "#9aa7b8",
    "line": "#2b3441",
    "edge": "#6d7c90",
    "band": "#141921",
    "accent": "#7aa7ff",
    "ok": "#5ad19a",
    "fail": "#ff8a80",
    "wait": "#f1c15d",
    "used": "#ffab6b",
}
"""The dark tokens."""

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'
MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'

_COLOURS: Tuple[Tuple[str, str, str], ...] = (
    (".bg", "fill", "bg"),
    (".band", "fill", "band"),
    (".t,.name,.head", "fill", "text"),
    (".note,.sub,.m .g", "fill", "muted"),
    (".n rect", "fill", "panel"),
    (".n rect", "stroke", "line"),
    (".ok .g,.ok .w", "fill", "ok"),
    (".wait .g,.wait .w", "fill", "wait"),
    (".fail .g,.fail .w", "fill", "fail"),
    (".muted .g,.muted .w", "fill", "muted"),
    (".wait rect", "stroke", "wait"),
    (".fail rect", "stroke", "fail"),
    (".ghost.muted rect", "stroke", "muted"),
    (".e", "stroke", "edge"),
    (".e.via", "stroke", "accent"),
    (".e.absent", "stroke", "muted"),
    (".e.bad", "stroke", "fail"),
    (".loop", "stroke", "fail"),
    (".a", "fill", "edge"),
    (".a.via", "fill", "accent"),
    (".a.bad", "fill", "fail"),
    (".a.need", "fill", "accent"),
    (".a.user", "fill", "used"),
    (".l", "fill", "muted"),
    (".l", "stroke", "bg"),
    (".l.via", "fill", "accent"),
    (".l.bad", "fill", "fail"),
)
"""Selector, property, token; later lines win."""

_FIXED = f"""
svg{{font-family:{FONT}}}
.head{{font-size:16px;font-weight:600}}.t{{font-size:12px;font-weight:600}}.sub{{font-size:12px}}
.name{{font-size:13px;font-weight:600}}.note{{font-size:11px}}
.v{{font-family:{MONO};font-size:10.5px}}
.n rect{{stroke-width:1}}.wait rect,.fail rect{{stroke-width:1.5}}
.ghost rect{{stroke-dasharray:5 4;fill-opacity:.5}}
.e{{fill:none;stroke-width:1.3}}
.wants{{stroke-dasharray:7 4}}.order{{stroke-dasharray:1.5 4;stroke-linecap:round}}
.e.via{{stroke-dasharray:10 3 2 3;stroke-width:1.5}}
.e.bad{{stroke-width:1.8}}.conflicts{{stroke-width:2.2}}
.loop{{fill:none;stroke-width:1.2;stroke-dasharray:3 3}}
.l{{font-size:10.5px;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}}
.end{{text-anchor:end}}.mid{{text-anchor:middle}}
"""


def coloured(
    tokens: Mapping[str, str], rules: Sequence[Tuple[str, str, str]], scope: str = ""
) -> str:
    """The rules with the colours of some tokens.

    Args:
        tokens: ``LIGHT`` or ``DARK``.
        rules: Selectors, property and token of each rule.
        scope: What stands before each selector.
    """
    found: List[str] = []
    for selectors, name, token in rules:
        scoped = ",".join(f"{scope}{each}" for each in selectors.split(","))
        found.append(f"{scoped}{{{name}:{tokens[token]}}}")
    return "".join(found)


def stylesheet(*, switchable: bool = False) -> str:
    """The CSS of a drawing: light, and dark where the reader prefers it.

    The colours stand in the rules themselves, not in variables, since not every viewer of SVG
    knows those.

    Args:
        switchable: For a page: ``data-theme`` on the root element overrides the preference.
    """
    dark = coloured(DARK, _COLOURS, ":root:not([data-theme=light]) " if switchable else "")
    css = f"{_FIXED}{coloured(LIGHT, _COLOURS)}\n@media (prefers-color-scheme:dark){{{dark}}}\n"
    if switchable:
        css += f"{coloured(DARK, _COLOURS, ':root[data-theme=dark] ')}\n"
    return css
