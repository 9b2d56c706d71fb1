"""The graph of everything that was looked at, as the value that is drawn, listed and searched."""

from __future__ import annotations

from typing import Collection, List, Mapping, Optional, Sequence

from ..model.graph import Edge, Graph, Missing, Node
from ..model.requirement import Requirement
from ..model.state import PluginState, Reason
from .choice import Choice
from .demands import Demands
from .problem import Demand
from .selection import Selection

__all__ = ["graph_of"]

_STATES = {"disabled": PluginState.DISABLED, "manifest": PluginState.ERROR}
"""The state that a reason predicts; BLOCKED for every other."""


def graph_of(
    demands: Demands,
    choice: Choice,
    packages: Sequence[int],
    selection: Selection,
    blocked: Mapping[str, Reason],
    layers: Sequence[Sequence[int]],
    waiting: Collection[str],
) -> Graph:
    """Nodes for all the packages given, and every edge between them.

    A ``requires`` edge goes to the plugin that serves it, else to one that would; an edge
    ``before`` goes from the plugin that declares it, as all do. A conflict is satisfied if the
    other end does not start.
    """
    graph = _Drawing(demands, choice, selection, packages)
    nodes = [graph.node(package, blocked, waiting) for package in packages]
    for package in packages:
        graph.add_edges(package)
    ids = graph.ids
    return Graph(
        nodes=tuple(nodes),
        edges=tuple(graph.edges),
        layers=tuple(tuple(ids[package] for package in wave) for wave in layers),
        cycles=tuple(tuple(ids[p] for p in members) for members in selection.cycles),
        missing=tuple(graph.missing),
    )


class _Drawing:
    def __init__(
        self, demands: Demands, choice: Choice, selection: Selection, packages: Sequence[int]
    ) -> None:
        self.edges: List[Edge] = []
        self.missing: List[Missing] = []
        self._demands = demands
        self._problem = demands.problem
        self._choice = choice
        self._selection = selection
        self._shown = set(packages)
        if self._problem.terms.foreign:
            self.ids = [group[0].id for group in self._problem.candidates]
        else:
            self.ids = self._problem.names

    def node(self, package: int, blocked: Mapping[str, Reason], waiting: Collection[str]) -> Node:
        candidate = self._problem.candidates[package][self._position(package)]
        reason = blocked.get(self._problem.names[package])
        if reason is not None:
            state = _STATES.get(reason.code, PluginState.BLOCKED)
        elif self._problem.names[package] in waiting:
            state = PluginState.UNLOADED
        elif package in self._selection.chosen:
            state = PluginState.ENABLED
        else:
            state = PluginState.UNLOADED
        return Node(
            self.ids[package],
            candidate.name,
            candidate.metadata.version,
            candidate.distribution,
            state.value,
        )

    def add_edges(self, package: int) -> None:
        position = self._position(package)
        metadata = self._problem.candidates[package][position].metadata
        for kind, rows, bound in (
            ("requires", self._demands.requires[package], self._selection.requires),
            ("wants", self._demands.wants[package], self._selection.wants),
        ):
            if rows and rows[position]:
                served = {id(demand): other for demand, other in bound.get(package, ())}
                for demand in rows[position]:
                    self._add(package, kind, demand, served.get(id(demand)))
        if metadata.after:
            self._add_all(package, "after", metadata.after)
        if metadata.before:
            self._add_all(package, "before", metadata.before)
        rows = self._demands.conflicts[package]
        for demand in rows[position] if rows else ():
            self._add_conflict(package, demand)

    def _position(self, package: int) -> int:
        chosen = self._selection.chosen.get(package)
        if chosen is not None:
            return chosen
        mask = self._problem.alive[package] or self._problem.everyone[package]
        return self._choice.best(package, mask)

    def _add(self, package: int, kind: str, demand: Demand, served: Optional[int]) -> None:
        target = self._toward(demand) if served is None else served
        if target is not None and target != package:
            satisfied = served is not None or bool(demand.link)
            self._append(package, target, kind, demand, satisfied)
        elif target is None and kind == "requires":
            self.missing.append(Missing(demand.name, self.ids[package], demand.text))

    def _toward(self, demand: Demand) -> Optional[int]:
        """The package to draw an edge to where nothing serves a demand in this plan."""
        problem = self._problem
        named = problem.about(demand)
        options = [package for package, _mask in demand.link]
        if named is not None:
            options.append(named)
        options += [package for package, _i, _v in problem.offers(demand)]
        return next((package for package in options if package in self._shown), None)

    def _append(
        self, package: int, target: int, kind: str, demand: Demand, satisfied: bool
    ) -> None:
        candidate = self._problem.candidates[package][self._position(package)]
        self.edges.append(
            Edge(
                self.ids[package],
                self.ids[target],
                kind,
                demand.text,
                satisfied,
                demand.via,
                candidate.manifest_file,
            )
        )

    def _add_all(self, package: int, kind: str, requirements: Sequence[Requirement]) -> None:
        for requirement in requirements:
            demand = self._demands.demand(requirement)
            if demand is not None:
                self._add(package, kind, demand, None)

    def _add_conflict(self, package: int, demand: Demand) -> None:
        chosen = self._selection.chosen
        for other, mask in demand.link:
            if other in self._shown:
                clear = other not in chosen or not mask & (2 << chosen[other])
                self._append(package, other, "conflicts", demand, clear)
