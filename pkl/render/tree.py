"""The graph as a tree of text, in the manner of ``cargo tree``."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ..model.graph import Graph, strongly_connected
from ..model.state import Reason
from .terminal import Terminal, mark_of
from .view import View, ViewEdge, bound

__all__ = ["tree"]

_DEEPEST = 100
"""Below this a branch goes on under a heading of its own, or a long chain's indentation alone
would take quadratic space."""

_UNICODE = ("├── ", "└── ", "│   ", "    ")
_ASCII = ("|-- ", "`-- ", "|   ", "    ")
_QUIET = ("", "enabled")


class _Branch(NamedTuple):
    """A line to write: a node, and the edge by which it was reached."""

    key: str
    edge: Optional[ViewEdge]
    indent: str
    last: bool
    depth: int


def tree(
    graph: Graph,
    *,
    invert: bool = False,
    depth: Optional[int] = None,
    focus: Union[str, Sequence[str], None] = None,
    ascii: bool = False,
    color: bool = False,
    reasons: Optional[Mapping[str, Reason]] = None,
) -> str:
    """The graph as indented lines, each plugin under what needs it.

    The roots are the plugins that nobody needs, and one of each cycle that nobody outside it
    needs. Below a plugin stand its ``requires`` and ``wants``; order and conflicts are lines
    without children. What was shown already ends in ``(*)``, a way back to itself in ``(cycle)``.

    Args:
        graph: The graph.
        invert: Show under each plugin what needs it instead of what it needs.
        depth: How many levels below the roots to show; all by default.
        focus: The plugins (ids or names) to take as roots; unknown ones are left out.
        ascii: Draw with ASCII only.
        color: Write colours.
        reasons: Why plugins are not running, by id or name; a root cause that holds up several
            is told beside the first of them.
    """
    return _Tree(View(graph, reasons), invert, depth, Terminal(color, not ascii)).text(focus)


class _Tree:
    def __init__(self, view: View, invert: bool, depth: Optional[int], terminal: Terminal) -> None:
        self.view = view
        self.invert = invert
        self.depth = depth
        self.terminal = terminal
        self.tee, self.elbow, self.bar, self.blank = _UNICODE if terminal.unicode else _ASCII
        self.lines: List[str] = []
        self.grown: Set[str] = set()
        self.told: Set[str] = set()
        self.later: Deque[str] = deque()
        self.repeats = False

    def text(self, focus: Union[str, Sequence[str], None]) -> str:
        clean, paint = self.terminal.clean, self.terminal.paint
        for root in self.roots(focus):
            self.grow(root)
            while self.later:
                key = self.later.popleft()
                self.lines.append(
                    paint(clean(f"{self.view.nodes[key].label}, continued:"), "muted")
                )
                self.grow(key)
        if focus is None:
            for each in self.view.unplaced:
                what = f'(missing, required by {each.required_by}: "{each.requirement}")'
                self.lines.append(paint(clean(f"{each.name} {what}"), "fail"))
        if self.repeats:
            self.lines.append(paint("(*) shown above", "muted"))
        return "".join(f"{line}\n" for line in self.lines)

    def roots(self, focus: Union[str, Sequence[str], None]) -> List[str]:
        """What the tree hangs from; every plugin can be reached from one of them."""
        view = self.view
        if focus is not None:
            names = [focus] if isinstance(focus, str) else focus
            meant = (name if name in view.nodes else view.id_of(name) for name in names)
            return list(dict.fromkeys(key for key in meant if key is not None))
        keys = [key for key in view.nodes if self.invert or not view.nodes[key].ghost]
        ways = {key: [other for other, _ in self.branches(key)] for key in keys}
        components = strongly_connected(keys, ways)
        home = {key: number for number, members in enumerate(components) for key in members}
        inner = {
            home[other]
            for key in keys
            for other in ways[key]
            if other in home and home[other] != home[key]
        }
        return sorted(members[0] for n, members in enumerate(components) if n not in inner)

    def branches(self, key: str) -> List[Tuple[str, ViewEdge]]:
        """What stands below a node, with the edge that leads there, and is followed further."""
        return [each for each in self.below(key) if each[1].pulls]

    def below(self, key: str) -> List[Tuple[str, ViewEdge]]:
        if self.invert:
            return [(edge.from_, edge) for edge in self.view.users_of(key)]
        return [(edge.to, edge) for edge in self.view.needs_of(key)]

    def grow(self, root: str) -> None:
        """Write a node and everything below it; a stack takes the place of recursion."""
        stack = [_Branch(root, None, "", True, 0)]
        path: List[str] = []
        while stack:
            here = stack.pop()
            del path[here.depth :]
            below = self.below(here.key) if self.followed(here.edge) else []
            note = ""
            if here.key in path:
                note, below = "(cycle)", []
            elif below and here.key in self.grown:
                note, below, self.repeats = "(*)", [], True
            elif self.depth is not None and here.depth >= self.depth:
                below = []
            elif below and here.depth >= _DEEPEST:
                note, below = "(continued below)", []
                self.later.append(here.key)
            joint = "" if here.edge is None else self.elbow if here.last else self.tee
            self.lines.append(here.indent + joint + self.line(here, note))
            if not below:
                continue
            self.grown.add(here.key)
            path.append(here.key)
            indent = here.indent
            if here.edge is not None:
                indent += self.blank if here.last else self.bar
            children = [
                _Branch(key, edge, indent, i == len(below) - 1, here.depth + 1)
                for i, (key, edge) in enumerate(below)
            ]
            stack.extend(reversed(children))

    @staticmethod
    def followed(edge: Optional[ViewEdge]) -> bool:
        return edge is None or edge.pulls

    def line(self, here: _Branch, note: str) -> str:
        node, edge = self.view.nodes[here.key], here.edge
        clean, paint = self.terminal.clean, self.terminal.paint
        if node.ghost:
            why = self.view.why(here.key)
            if edge is not None and not self.invert:
                verb = "wanted" if edge.word == "absent" else "required"
                why = f'{verb} by {self.view.nodes[edge.from_].label}: "{edge.requirement}"'
            text = f"{node.label} ({node.word}{f', {why}' if why else ''})"
            return paint(clean(text), node.role)
        parts = [paint(clean(node.label), "bold"), clean(node.version)]
        if edge is not None:
            asked = edge.requirement if self.invert else bound(edge, node)
            kind = "" if edge.kind == "requires" else edge.kind
            parts.append(_in_brackets(clean(f"{kind} {asked}".strip())))
            if edge.via:
                parts.append(_in_brackets(clean(f"via {', '.join(edge.via)}")))
            if edge.word in ("unsatisfied", "conflict"):
                parts.append(self.terminal.state(edge.word))
        for word in node.words:
            if word not in _QUIET and (word, note) != ("cycle", "(cycle)"):
                parts.append(self.terminal.state(word))
        given = self.view.reason(here.key)
        if given and given not in self.told:
            self.told.add(given)
            parts[-1] += ":"
            parts.append(paint(clean(given), mark_of(node.word).role))
        parts.append(paint(note, "fail" if note == "(cycle)" else "muted"))
        return " ".join(part for part in parts if part)


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""
