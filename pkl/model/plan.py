"""The plan that resolution yields: ordered steps, and a reason for everything left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .candidate import Candidate
from .graph import Graph
from .state import Reason

__all__ = ["Plan", "Step"]


@dataclass(frozen=True)
class Step:
    """One plugin to start.

    Attributes:
        name: Canonical plugin name.
        candidate: What will be started.
        layer: Index of the wave it starts in, from 0; a layer depends on earlier ones only.
        bindings: For each name in its ``requires`` and ``wants``, the plugin chosen for it
            (a capability maps to its provider).
    """

    name: str
    candidate: Candidate
    layer: int
    bindings: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version text of the chosen candidate."""
        return self.candidate.version


@dataclass(frozen=True)
class Plan:
    """What would be started, in which order, and why the rest would not.

    Attributes:
        steps: In start order: every step comes after all it depends on.
        waiting: Of the steps, those that are taken when a trigger of theirs fires, and for what
            they wait; by name.
        blocked: Why each other known plugin is left out, by name, sorted.
        graph: Nodes and edges of everything that was looked at.
        notes: Remarks, such as a soft cycle that was cut or an extra that was ignored.
        explainer: How ``explain`` words its answer; filled in by the resolver.
    """

    steps: Tuple[Step, ...] = ()
    blocked: Mapping[str, Reason] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)
    notes: Tuple[str, ...] = ()
    waiting: Mapping[str, Reason] = field(default_factory=dict)
    explainer: Optional[Callable[[str, bool], str]] = field(default=None, compare=False, repr=False)

    @property
    def layers(self) -> Tuple[Tuple[str, ...], ...]:
        """The names that may start together, wave by wave."""
        waves: Dict[int, List[str]] = {}
        for each in self.steps:
            waves.setdefault(each.layer, []).append(each.name)
        return tuple(tuple(waves[i]) for i in sorted(waves))

    def step(self, name: str) -> Optional[Step]:
        """The step that starts ``name``, or None."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Dict[str, Step]:
        return {each.name: each for each in self.steps}

    def explain(self, name: str, full: bool = False) -> str:
        """Why ``name`` is in the plan, or the proof of why it is not.

        Args:
            name: Canonical plugin name.
            full: The whole proof instead of its last dozen steps.
        """
        if self.explainer is not None:
            return self.explainer(name, full)
        reason = self.blocked.get(name)
        if reason is not None:
            return "\n".join(line for line in (reason.message, reason.cause, reason.remedy) if line)
        found = self.step(name)
        if found is None:
            return f"{name} is not known"
        return f"{name} {found.version} starts in layer {found.layer}"
