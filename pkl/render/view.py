"""What a picture of a graph shows: nodes with words, stand-ins for what is missing, and waves.

Every renderer reads the graph through here, so that all of them agree on what is missing, what is
wrong with an edge, and in which wave a plugin stands. Any ``Graph`` is accepted: duplicates are
dropped, edges to nothing get a stand-in, and the order of the input does not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ..model.graph import Edge, Graph, Missing, Node, cycles_of, reachable, strongly_connected
from ..model.state import Reason
from ..names import canonical, printable
from .terminal import mark_of

__all__ = ["KINDS", "View", "ViewEdge", "ViewNode", "bound", "kind_rank", "listed", "notes"]

KINDS = ("requires", "wants", "after", "before", "conflicts")
"""The kinds of edges, the strongest first."""

_PULLS = ("requires", "wants")
_NEVER_STARTS = ("blocked", "error", "disabled", "masked")
_LEADING_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*")


@dataclass(frozen=True)
class ViewNode:
    """A plugin, or the stand-in for something that is not there.

    Attributes:
        id: The node's id as in the graph, unescaped.
        label: How it is called in the picture; the id where two plugins share a name. Escaped.
        version: Escaped; empty for a stand-in.
        distribution: Escaped; empty if not known.
        words: Its state, and ``cycle`` if it is on one; ``missing`` or ``absent`` for a stand-in.
        ghost: Whether it is a stand-in.
        demands: For a stand-in: the (who, requirement) pairs that ask for it, escaped.
    """

    id: str
    label: str
    version: str = ""
    distribution: str = ""
    words: Tuple[str, ...] = ()
    ghost: bool = False
    demands: Tuple[Tuple[str, str], ...] = ()

    @property
    def word(self) -> str:
        """The word that decides its colour; empty if nothing is known of its state."""
        return self.words[-1] if self.words else ""

    @property
    def role(self) -> str:
        """``ok``, ``wait``, ``fail`` or ``muted``."""
        return mark_of(self.word).role if self.words else "muted"


@dataclass(frozen=True)
class ViewEdge:
    """An edge of the graph; ``word`` says what is wrong with it.

    Attributes:
        from_: The id of the node that declared it.
        to: The id of the other end.
        kind: One of ``KINDS``.
        requirement: Its text, escaped.
        via: The distributions it passes through, escaped.
        word: Empty, ``unsatisfied``, ``missing``, ``absent``, ``conflict`` or ``cycle``.
    """

    from_: str
    to: str
    kind: str
    requirement: str = ""
    via: Tuple[str, ...] = ()
    word: str = ""

    @property
    def late(self) -> str:
        """The end that starts later: it waits for the other."""
        return self.to if self.kind == "before" else self.from_

    @property
    def early(self) -> str:
        """The end that starts earlier."""
        return self.from_ if self.kind == "before" else self.to

    @property
    def pulls(self) -> bool:
        """Whether it draws the other plugin in; order and conflicts do not."""
        return self.kind in _PULLS

    @property
    def orders(self) -> bool:
        """Whether it says anything about the order of starting; conflicts do not."""
        return self.kind != "conflicts"


def bound(edge: ViewEdge, node: ViewNode) -> str:
    """What an edge asks beside the name it already shows: ``>=1,<2`` of ``auth>=1,<2``.

    A requirement on a capability, another name than the provider's, is shown whole.
    """
    text = edge.requirement
    match = _LEADING_NAME.match(text)
    if match is None or canonical(match.group(1)) != canonical(node.label.rpartition(":")[2]):
        return text
    return text[match.end() :].strip()


def notes(edge: ViewEdge, to: ViewNode) -> List[str]:
    """What stands beside an edge: its kind unless it is ``requires``, its ``via``, what is wrong.

    Args:
        edge: The edge.
        to: The node at its ``to`` end.
    """
    mark = mark_of(edge.word)
    asked = bound(edge, to)
    if edge.kind == "conflicts":
        return [f"{mark.glyph} conflicts {asked}".strip()]
    found = [edge.kind] if edge.kind != "requires" else []
    if edge.via:
        found.append(f"via {', '.join(edge.via)}")
    if edge.word:
        found.append(f"{mark.glyph} {edge.word} {asked}".strip())
    return found


def listed(names: Iterable[str], most: int = 8) -> str:
    """The first names, and how many more there are: ``a, b and 12 more``."""
    found = list(names)
    if len(found) <= most:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most} more"


def kind_rank(kind: str) -> int:
    """The place of a kind among ``KINDS``; one that is not known comes last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


class View:
    """A graph as pictures show it.

    Attributes:
        nodes: By id, sorted, stand-ins included.
        edges: Sorted, without repetition.
        cycles: The members of each cycle of hard requirements, by id.
        waves: The wave in which each plugin starts, from 0; only of those that start.
        unplaced: What is missing for something that is not in the graph itself.
    """

    def __init__(self, graph: Graph, reasons: Optional[Mapping[str, Reason]] = None) -> None:
        """Read a graph.

        Args:
            graph: Any graph.
            reasons: Why plugins are not running, by id or name, as ``Plan.blocked``.
        """
        self._plugins: Dict[str, Node] = {}
        self._ids: Dict[str, str] = {}
        for node in graph.nodes:
            if self._plugins.setdefault(node.id, node) is node:
                self._ids[node.name] = "" if node.name in self._ids else node.id
        self._reasons = reasons or {}
        raw, self.unplaced = self._edges(graph)
        self.cycles = self._cycles(graph, raw)
        self._home = {key: i for i, cycle in enumerate(self.cycles) for key in cycle}
        nodes = {key: self._plugin(key) for key in self._plugins}
        nodes.update(self._ghosts(raw))
        self.nodes: Dict[str, ViewNode] = {key: nodes[key] for key in sorted(nodes)}
        self._circles = [
            f"in a cycle of {listed(nodes[each].label for each in cycle)}"
            if len(cycle) > 1
            else "needs itself"
            for cycle in self.cycles
        ]
        self.edges = tuple(dict.fromkeys(self._edge(each) for each in sorted(raw, key=_edge_key)))
        self._needs: Dict[str, List[ViewEdge]] = {}
        self._users: Dict[str, List[ViewEdge]] = {}
        for edge in sorted(self.edges, key=lambda each: kind_rank(each.kind)):
            self._needs.setdefault(edge.from_, []).append(edge)
            self._users.setdefault(edge.to, []).append(edge)
        self.waves = self._waves(graph)

    def id_of(self, name: str) -> Optional[str]:
        """The id of the plugin meant by an id, or by a name that only one plugin has."""
        return name if name in self._plugins else self._ids.get(name) or None

    def needs_of(self, key: str) -> Sequence[ViewEdge]:
        """The edges that ``key`` declared, the strongest kinds first."""
        return self._needs.get(key, ())

    def users_of(self, key: str) -> Sequence[ViewEdge]:
        """The edges that others declared towards ``key``, the strongest kinds first."""
        return self._users.get(key, ())

    def columns(
        self, fixed: Mapping[str, int], among: Optional[Iterable[str]] = None
    ) -> Dict[str, int]:
        """A column for each plugin, so that it stands right of all it waits for.

        Args:
            fixed: The columns that are given already; they are kept, even against an edge.
            among: The plugins to place; all by default. Edges to others do not count.

        Returns:
            All columns, from 0. The members of a cycle share one; stand-ins have none.
        """
        free = [
            key for key in sorted(self._plugins if among is None else among) if key not in fixed
        ]
        columns = dict(fixed)
        known = {*free, *columns}
        needs: Dict[str, List[str]] = {}
        for edge in self.edges:
            if edge.orders and edge.early in known:
                needs.setdefault(edge.late, []).append(edge.early)
        for members in strongly_connected(free, needs):
            own = set(members)
            below = (
                columns[each] + 1
                for member in members
                for each in needs.get(member, ())
                if each not in own
            )
            depth = max(below, default=0)
            columns.update((member, depth) for member in members)
        return columns

    def reason(self, key: str) -> str:
        """The reason that was given for a plugin; empty if there is none."""
        node = self._plugins.get(key)
        found = self._reasons.get(key) or (node and self._reasons.get(node.name))
        return printable(found.cause or found.message) if found else ""

    def why(self, key: str) -> str:
        """What holds a plugin up, in words: the given reason, else what the graph tells."""
        node = self.nodes[key]
        if node.ghost:
            asked = listed(f'{who}: "{text}"' if text else who for who, text in node.demands)
            verb = "wanted" if node.word == "absent" else "required"
            return f"{verb} by {asked}" if asked else ""
        given = self.reason(key)
        if given:
            return given
        if key in self._home:
            return self._circles[self._home[key]]
        held: List[str] = []
        passed_on: List[str] = []
        for edge in self.needs_of(key):
            other = self.nodes[edge.to]
            asked = edge.requirement or other.label
            if edge.kind != "requires":
                continue
            if edge.word == "missing":
                held.append(f"needs {asked}, which is missing")
            elif edge.word == "unsatisfied":
                held.append(f"needs {asked}, found {other.version or 'no version'}")
            elif edge.to not in self.waves:
                passed_on.append(f"needs {other.label}, which is {' and '.join(other.words)}")
        return "; ".join(held[:8] or passed_on[:1])

    def _edges(self, graph: Graph) -> Tuple[List[Edge], Tuple[Missing, ...]]:
        """The graph's edges, and one more for each missing name that no edge tells of.

        An order or a conflict with something that is not there says nothing and is dropped.
        """
        edges = [
            each
            for each in graph.edges
            if each.kind in _PULLS or (each.from_ in self._plugins and each.to in self._plugins)
        ]
        known = {(each.from_, each.to) for each in edges if each.kind in _PULLS}
        unplaced: Set[Missing] = set()
        for each in graph.missing:
            asker = self.id_of(each.required_by)
            if asker is None:
                unplaced.add(each)
            elif (asker, each.name) not in known:
                edges.append(Edge(asker, each.name, "requires", each.requirement, False))
        return edges, tuple(sorted(unplaced, key=lambda m: (m.name, m.required_by, m.requirement)))

    def _cycles(self, graph: Graph, raw: Sequence[Edge]) -> Tuple[Tuple[str, ...], ...]:
        if graph.cycles:
            named = (tuple(map(self.id_of, cycle)) for cycle in graph.cycles)
            return tuple(tuple(each for each in cycle if each) for cycle in named)
        needs: Dict[str, List[str]] = {}
        for each in raw:
            if each.kind == "requires":
                needs.setdefault(each.from_, []).append(each.to)
        return tuple(cycles_of(sorted(self._plugins), needs))

    def _plugin(self, key: str) -> ViewNode:
        node = self._plugins[key]
        words = [str(node.state)] if node.state else []
        if key in self._home:
            words.append("cycle")
        return ViewNode(
            key,
            _label(node.name if self._ids[node.name] else key),
            printable(node.version),
            printable(node.distribution or ""),
            tuple(map(printable, words)),
        )

    def _ghosts(self, raw: Sequence[Edge]) -> Dict[str, ViewNode]:
        """A stand-in for every end of an edge that is no plugin of the graph."""
        demands: Dict[str, Set[Tuple[str, str]]] = {}
        hard: Set[str] = set()
        for edge in raw:
            if edge.from_ not in self._plugins:
                demands.setdefault(edge.from_, set())
            if edge.to not in self._plugins:
                asked = (printable(edge.from_), printable(edge.requirement))
                demands.setdefault(edge.to, set()).add(asked)
                if edge.kind == "requires":
                    hard.add(edge.to)
        return {
            key: ViewNode(
                key,
                _label(key),
                words=("missing" if key in hard else "absent",),
                ghost=True,
                demands=tuple(sorted(asked_by)),
            )
            for key, asked_by in demands.items()
        }

    def _edge(self, edge: Edge) -> ViewEdge:
        word = ""
        ends = (self.nodes[edge.from_], self.nodes[edge.to])
        home = self._home.get(edge.from_)
        if edge.kind == "conflicts":
            word = "conflict"
        elif ends[0].ghost or ends[1].ghost:
            word = "missing" if edge.kind == "requires" else "absent"
        elif not edge.satisfied:
            word = "unsatisfied"
        elif edge.kind == "requires" and home is not None and home == self._home.get(edge.to):
            word = "cycle"
        via = tuple(map(printable, edge.via))
        return ViewEdge(
            edge.from_, edge.to, printable(edge.kind), printable(edge.requirement), via, word
        )

    def _waves(self, graph: Graph) -> Dict[str, int]:
        """The graph's layers; where it has none, what can start by what the edges say."""
        waves: Dict[str, int] = {}
        for number, layer in enumerate(graph.layers):
            for key in filter(None, map(self.id_of, layer)):
                waves.setdefault(key, number)
        if waves:
            return waves
        held = [key for key, node in self._plugins.items() if str(node.state) in _NEVER_STARTS]
        held += [each.from_ for each in self.edges if each.kind == "requires" and each.word]
        users: Dict[str, List[str]] = {}
        for edge in self.edges:
            if edge.kind == "requires":
                users.setdefault(edge.to, []).append(edge.from_)
        out = reachable(held, users)
        return self.columns({}, [key for key in self._plugins if key not in out])


def _label(name: str) -> str:
    """A name as it is shown; one of blanks only would not be seen at all."""
    return printable(name) if name.strip() else "(no name)"


def _edge_key(edge: Edge) -> Tuple[str, str, int, str, str, bool, Tuple[str, ...]]:
    rank = kind_rank(edge.kind)
    return (edge.from_, edge.to, rank, edge.kind, edge.requirement, edge.satisfied, edge.via)
