"""The graph of everything that was looked at, as the value that is drawn, listed and searched."""

from __future__ import annotations

from typing import List, Mapping, Optional, Sequence

from ..model.graph import Edge, Graph, Missing, Node
from ..model.requirement import Requirement
from ..model.state import PluginState, Reason
from .choice import Choice
from .problem import Demand, Problem
from .selection import Selection

__all__ = ["graph_of"]


def graph_of(
    problem: Problem,
    choice: Choice,
    packages: Sequence[int],
    selection: Selection,
    blocked: Mapping[str, Reason],
    layers: Sequence[Sequence[int]],
) -> Graph:
    """Nodes for all packages looked at, and every edge between them."""
    builder = _Builder(problem, choice, selection)
    nodes = [builder.node(package, blocked) for package in packages]
    for package in packages:
        builder.edges_of(package)
    ids = builder.ids
    return Graph(
        nodes=tuple(nodes),
        edges=tuple(builder.edges),
        layers=tuple(tuple(ids[p] for p in wave) for wave in layers),
        cycles=tuple(tuple(ids[p] for p in members) for members in selection.cycles),
        missing=tuple(builder.missing),
    )


class _Builder:
    def __init__(self, problem: Problem, choice: Choice, selection: Selection) -> None:
        self.problem = problem
        self.choice = choice
        self.selection = selection
        self.edges: List[Edge] = []
        self.missing: List[Missing] = []
        if problem.terms.foreign:
            self.ids = [group[0].id for group in problem.candidates]
        else:
            self.ids = problem.names

    def position(self, package: int) -> int:
        chosen = self.selection.chosen.get(package)
        if chosen is not None:
            return chosen
        mask = self.problem.alive[package] or self.problem.everyone[package]
        return self.choice.best(package, mask)

    def node(self, package: int, blocked: Mapping[str, Reason]) -> Node:
        name = self.problem.names[package]
        candidate = self.problem.candidates[package][self.position(package)]
        return Node(
            self.ids[package],
            candidate.name,
            candidate.version,
            candidate.distribution,
            self._state(package, blocked.get(name)),
        )

    def _state(self, package: int, reason: Optional[Reason]) -> str:
        if package in self.selection.chosen:
            return PluginState.ENABLED.value
        if reason is None:
            return PluginState.UNLOADED.value
        states = {"disabled": PluginState.DISABLED, "manifest": PluginState.ERROR}
        return states.get(reason.code, PluginState.BLOCKED).value

    def edges_of(self, package: int) -> None:
        problem, position = self.problem, self.position(package)
        candidate = problem.candidates[package][position]
        metadata, file = candidate.metadata, candidate.manifest_file
        source = self.ids[package]
        for kind, table, bound in (
            ("requires", problem.requires, self.selection.requires),
            ("wants", problem.wants, self.selection.wants),
        ):
            rows = table[package]
            if not rows or not rows[position]:
                continue
            served = {id(demand): other for demand, other in bound.get(package, ())}
            for demand in rows[position]:
                target = served.get(id(demand))
                satisfied = target is not None or bool(demand.link)
                if target is None:
                    target = self._towards(demand)
                if target is not None:
                    self.edges.append(
                        Edge(source, self.ids[target], kind, demand.text, satisfied, (), file)
                    )
                elif kind == "requires":
                    self.missing.append(Missing(demand.name, source, demand.text))
        if metadata.after:
            self._ordering(source, "after", metadata.after, file)
        if metadata.before:
            self._ordering(source, "before", metadata.before, file)

    def _towards(self, demand: Demand) -> Optional[int]:
        """The package to draw an edge to that nothing serves in this plan."""
        if demand.link:
            return demand.link[0][0]
        package = self.problem.index.get(demand.name)
        if package is None and demand.name in self.problem.providers:
            package = self.problem.providers[demand.name][0][0]
        return package

    def _ordering(
        self, source: str, kind: str, requirements: Sequence[Requirement], file: Optional[str]
    ) -> None:
        for requirement in requirements:
            demand = self.problem.demand(requirement)
            if demand is None:
                continue
            target = self._towards(demand)
            if target is not None and self.ids[target] != source:
                satisfied = bool(demand.link)
                self.edges.append(
                    Edge(source, self.ids[target], kind, requirement.text, satisfied, (), file)
                )
