"""The part of a host that plans: what to start, of what is installed and what registries offer."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator, Optional, Sequence, Tuple

from ..discovery.lines import line_of_requirement
from ..kernel.core import Kernel
from ..model.candidate import Candidate
from ..model.contributions import undeclared
from ..model.plan import Plan
from ..names import canonical
from ..resolver import resolve
from ..store import RegistryBook
from .finding import HostFinder
from .installed import HostGeneration
from .keeping import Keeping
from .report import StartReport
from .rows import Rows
from .safe_mode import only_critical
from .start_watch import StartWatch

__all__ = ["Planning"]


class Planning(Keeping):
    """The part of ``PluginHost`` that plans."""

    kernel: Kernel
    version: Optional[str]
    safe_mode: bool
    """Whether the host starts only what is critical, and what that requires."""
    _finder: HostFinder
    _precedence: Tuple[str, ...]
    _rows: Rows
    _starts: StartWatch
    _generation: HostGeneration

    def resolve(self, *names: str, registry: bool = False, offline: bool = False) -> Plan:
        """Plans what to start, in which order, with a reason for everything left out.

        Args:
            names: Plugins to start with what they need; without any, all that are wanted.
            registry: Plan with what the registries offer that the user knows, beside what is
                installed; of these the highest version is chosen that fits. What a step
                takes from a registry has ``candidate.origin`` ``Origin.REGISTRY``.
            offline: Of registries, use the copies of the last contact, and no network.

        Raises:
            PluginNotFound: There is no plugin of such a name.
            RegistryError: A registry cannot be asked, or none is known.
            SignatureRefused: A registry is not signed by a key that is pinned for it.
            StateCorrupt: The list of registries is damaged.
            StateNewer: A later version of pkl wrote the list of registries.
            StateUnavailable: The list of registries cannot be read.
        """
        desired = self.desired
        candidates = self._rows.candidates()
        remarks: Tuple[str, ...] = ()
        if registry:
            offered, remarks = self._offered(names, candidates, offline)
            candidates += offered
        known = {c.name for c in candidates}
        for name in names:
            if canonical(name) not in known:
                self._finder.by_name(name)
        if self.safe_mode:
            found = candidates
            candidates = only_critical(found, desired, lambda each: self._plan(found, each))
        plan = self._plan(candidates, [canonical(n) for n in names])
        remarks += tuple(self._undeclared(plan))
        return replace(plan, notes=plan.notes + remarks) if remarks else plan

    def _plan(self, candidates: Sequence[Candidate], names: Sequence[str]) -> Plan:
        return resolve(
            candidates,
            roots=list(names) or None,
            host_version=self.version,
            desired=self.desired,
            locked=self.state.pins,
            running={p.name: p.version for p in self.kernel.plugins.values() if p.running},
            precedence=self._precedence,
            line_of=line_of_requirement,
        )

    def _reported(self, report: StartReport) -> StartReport:
        """The report of a start, with what the host knows beside."""
        report = self._generation.reported(self._wishes.reported(report))
        return self._starts.reported(report, self.safe_mode)

    def _undeclared(self, plan: Plan) -> Iterator[str]:
        """What the plugins of a plan contribute to what is no point of this host."""
        points = self._finder.points
        if points is None:
            return
        for step in plan.steps:
            for each in points.unknown(step.candidate.metadata):
                yield f"{undeclared(step.candidate, each)}: {each.hint}"

    def _offered(
        self, names: Sequence[str], installed: Sequence[Candidate], offline: bool
    ) -> Tuple[Tuple[Candidate, ...], Tuple[str, ...]]:
        """What registries offer, and what is to be said of them."""
        from ..registry.catalog import Catalog
        from ..registry.client import RegistryClient
        from ..registry.reaching import reachable

        book = RegistryBook()
        registries, problem = book.read()
        if problem is not None:
            # One that is missing from the list may be the one that has a name.
            raise problem
        catalog = Catalog(
            registries,
            client=lambda known: RegistryClient(known, offline=offline, note=book.note),
        )
        offered = reachable(catalog, names, installed, self.state.pins)
        return offered, (*catalog.remarks, *catalog.notes)
