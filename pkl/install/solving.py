"""One solve over two layers: what plugins ask of each other, and what their libraries ask.

1. What cannot be chosen anyway is left out: withdrawn, revoked, for another platform or host.
2. Our resolver proposes; the installer is asked once for the ranges that follow, with the host's
   own versions as constraints, and answers with versions of plugins and libraries.
3. The answer is held against the registries, and against the plugins' own requirements.
4. Only where that fails, the two are asked in turn: the resolver proposes versions, the installer
   says whether their libraries go together, and what does not is learned, as few as it takes.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Collection, Dict, FrozenSet, List, Mapping, NoReturn, Optional, Sequence, Tuple

from ..errors import NoSolution
from ..model.requirement import version_key
from ..model.state import Desired, Reason
from ..names import canonical
from ..registry.address import file_of
from ..resolver import Nogood
from .answers import Judge, Judged, Unsuitable
from .backend import Backend, Query
from .contradictions import Contradiction, Contradictions
from .market import Market
from .nogoods import least_nogood
from .oracle import Answer, Oracle, QuestionsSpent
from .project import stub_wheel
from .proposals import Proposal, Proposer
from .ranges import spanning
from .solution import Chosen, Solution
from .universe import Universe
from .wanted import HostSide, Root

__all__ = ["solve"]

DOZEN = 12
"""How many lines of a proof are kept unless all are asked for."""


def solve(
    roots: Sequence[Root],
    *,
    market: Market,
    backend: Backend,
    host: HostSide,
    locked: Optional[Mapping[str, str]] = None,
    upgrade: Optional[Collection[str]] = None,
    desired: Optional[Mapping[str, Desired]] = None,
    uploaded_before: Optional[int] = None,
    prereleases: bool = False,
    allow_builds: bool = False,
    offline: bool = False,
    bound: int = 50,
    full: bool = False,
) -> Solution:
    """Versions of plugins and libraries with which everything holds; nothing is installed.

    What is locked is kept where it can be; then the highest versions are taken. In the ordinary
    case the installer is asked once. The same inputs and the same answers of the installer give
    the same solution.

    Args:
        roots: All that the generation is to hold, what was asked for before included.
        market: What there is to choose from.
        backend: The installer.
        host: What is there already; none of it is moved, and what starts goes on starting.
        locked: The versions of distributions to keep, by canonical name, libraries included.
        upgrade: The plugins or distributions whose locked versions need not be kept.
        desired: What people want of each plugin, by name; it matters for what is masked or
            disabled.
        uploaded_before: Nothing younger from a registry, in seconds since 1970; None for any age.
        prereleases: Whether pre-releases may be chosen where there is something else.
        allow_builds: Whether the installer may build a source distribution, which runs its code.
        offline: Whether the network may not be used.
        bound: How often the installer may be asked.
        full: Whether a proof is wanted in full, instead of its last dozen lines.

    Raises:
        NoSolution: There is none, or none was found within the bound; ``proof`` says why.
        WheelRefused: The installer found a wheel that no registry lists.
        BackendFailed: The installer failed in another way.
        RegistryError: A registry cannot be asked.
    """
    moving = {canonical(name) for name in upgrade or ()}
    with ExitStack() as stack:
        settled = _Settled(
            tuple(roots), market, backend, host, desired or {}, prereleases, bound, full
        )
        return settled.run(
            stack, locked or {}, moving, uploaded_before, allow_builds=allow_builds, offline=offline
        )


class _Settled:
    """The state of one solve."""

    def __init__(
        self,
        roots: Tuple[Root, ...],
        market: Market,
        backend: Backend,
        host: HostSide,
        desired: Mapping[str, Desired],
        prereleases: bool,
        bound: int,
        full: bool,
    ) -> None:
        self._roots = roots
        self._market = market
        self._backend = backend
        self._host = host
        self._desired = desired
        self._prereleases = prereleases
        self._bound = bound
        self._full = full
        self._nogoods: List[Nogood] = []
        self._faults: Dict[Tuple[str, str], Reason] = {}
        self._refusals: List[NoSolution] = []

    def run(
        self,
        stack: ExitStack,
        locked: Mapping[str, str],
        moving: Collection[str],
        uploaded_before: Optional[int],
        *,
        allow_builds: bool,
        offline: bool,
    ) -> Solution:
        """The solution."""
        universe = Universe(self._roots, self._market, self._host, locked, uploaded_before)
        self._universe = universe
        kept = _kept(locked, moving, universe)
        self._judge = Judge(
            universe,
            self._market,
            self._host,
            self._roots,
            self._desired,
            self._backend.name,
            self._prereleases,
        )
        self._proposer = Proposer(
            universe,
            self._roots,
            self._host,
            self._judge.standing,
            self._desired,
            kept,
            self._prereleases,
        )
        self._contradictions = Contradictions(universe, self._market, self._host)
        query = Query(
            (),
            constraints=tuple(self._constraints()),
            installed=self._host.pins,
            indexes=self._market.indexes(),
            wheels=tuple(_given_wheels(stack, universe)),
            preferred=tuple(f"{name}=={kept[name]}" for name in sorted(kept)),
            uploaded_before=uploaded_before,
            prereleases=self._prereleases,
            allow_builds=allow_builds,
            offline=offline,
        )
        self._oracle = Oracle(self._backend, query, universe.distributions, self._bound)
        proposal = self._proposed(libraries=False)
        try:
            judged = self._at_once(proposal, kept) or self._in_turn(proposal)
        except QuestionsSpent:
            self._give_up()
        return Solution(self._roots, judged.chosen, judged.plan, self._oracle.asked, judged.notes)

    def _constraints(self) -> List[str]:
        """Of what carries plugins, the versions that may be chosen."""
        found: List[str] = []
        pinned = {each.name for each in self._host.pins}
        everyone, alive = self._universe.distributions, self._universe.alive
        for name, versions in alive.items():
            if versions and versions != everyone[name] and name not in pinned:
                found.append(spanning(name, versions, everyone[name]))
        return found

    # Once.

    def _at_once(self, proposal: Proposal, kept: Mapping[str, str]) -> Optional[Judged]:
        """The ranges of the proposal put to the installer; None if that leads nowhere."""
        if not proposal.pins:
            return self._judge.judge((), frozenset())
        ranges = {
            name: proposal.pins[name] if name in kept else versions
            for name, versions in proposal.ranges.items()
        }
        asked = frozenset(ranges)
        own = self._universe.distributions
        libraries = tuple(f"{n}=={kept[n]}" for n in sorted(kept) if n not in own)
        if libraries:
            # First with every library as it is, so that nothing moves without need.
            try:
                return self._judge.judge(
                    self._oracle.put(ranges, constraints=self._free(libraries)), asked
                )
            except (NoSolution, Unsuitable):
                pass
        try:
            return self._judge.judge(self._oracle.ask(proposal.ranges, just=True), asked)
        except (NoSolution, Unsuitable):
            return None

    def _free(self, libraries: Sequence[str]) -> Tuple[str, ...]:
        """Those of the locked libraries that the host does not pin."""
        pinned = {each.name for each in self._host.pins}
        return tuple(each for each in libraries if each.partition("==")[0] not in pinned)

    # In turn.

    def _in_turn(self, proposal: Proposal) -> Judged:
        """Proposals of the resolver, until the installer can have the libraries of one."""
        # What is known of libraries may settle more than the installer would say.
        proposal = self._proposed(libraries=True) if self._ruled_out(proposal) else proposal
        while True:
            asked = frozenset(proposal.pins)
            try:
                return self._answered(proposal, asked)
            except NoSolution as refusal:
                core = least_nogood(self._oracle, proposal.pins, refusal, self._universe.alive)
                self._learn(core, refusal)
            except Unsuitable as e:
                self._exclude(proposal.pins, e.why)
            proposal = self._proposed(libraries=True)

    def _answered(self, proposal: Proposal, asked: FrozenSet[str]) -> Judged:
        """An answer to exactly these versions; what nobody asked for may be had in another one."""
        answer: Answer = self._oracle.ask(proposal.pins, just=True)
        out: List[str] = []
        while True:
            try:
                return self._judge.judge(answer, asked)
            except Unsuitable as e:
                fresh = [f"{name}!={version}" for name, version in e.besides]
                if not fresh or set(fresh) <= set(out):
                    raise
                out += fresh
                try:
                    answer = self._oracle.put(proposal.pins, constraints=tuple(out))
                except NoSolution:
                    raise e from None

    def _proposed(self, *, libraries: bool) -> Proposal:
        """A proposal in which nothing contradicts what is known without asking.

        Args:
            libraries: Whether it is also looked at which versions there are of libraries.
        """
        while True:
            proposal = self._proposer.propose(self._nogoods, self._faults, self._full)
            if proposal.blocked is not None:
                self._refuse(proposal)
            found = self._contradictions.of(proposal.pins, libraries=libraries)
            if not found:
                return proposal
            self._take(found)

    def _ruled_out(self, proposal: Proposal) -> bool:
        """Whether what is known of libraries speaks against a proposal; it is noted."""
        found = self._contradictions.of(proposal.pins, libraries=True)
        self._take(found)
        return bool(found)

    def _take(self, found: Sequence[Contradiction]) -> None:
        for each in found:
            self._exclude(each.pins, each.why, each.remedy)

    # What is learned.

    def _learn(self, core: Mapping[str, FrozenSet[str]], refusal: NoSolution) -> None:
        self._refusals.append(refusal)
        why = "the libraries they need do not go together"
        pins = self._contradictions.pins_in(refusal.proof)
        if len(core) == 1 and pins:
            why = f"it needs libraries that do not go with what is there: {'; '.join(pins)}"
        elif len(core) == 1:
            why = f"{self._backend.name} finds no libraries that it could run with"
        self._exclude(core, why)

    def _exclude(self, core: Mapping[str, FrozenSet[str]], why: str, remedy: str = "") -> None:
        """Notes that these distributions may not all be chosen."""
        if len(core) == 1:
            ((name, versions),) = core.items()
            for version in versions:
                called = self._universe.called(name, version)
                text = why if why.startswith(called) else f"{called} cannot be had: {why}"
                said = Reason("libraries", text, text, remedy or f"ask for another version: {name}")
                self._faults.setdefault((name, version), said)
            return
        terms: List[List[Tuple[str, FrozenSet[str]]]] = [[]]
        for name, versions in sorted(core.items()):
            keys = {version_key(each) for each in versions}
            carried: Dict[str, List[str]] = {}
            for plugin, entries in self._universe.entries.items():
                for each in entries:
                    if each.chosen.name == name and version_key(each.chosen.version) in keys:
                        carried.setdefault(plugin, []).append(each.plugin.version)
            terms = [
                [*before, (plugin, frozenset(found))]
                for before in terms
                for plugin, found in sorted(carried.items())
            ]
        self._nogoods += [Nogood(tuple(each), why) for each in terms]

    # What is said in the end.

    def _refuse(self, proposal: Proposal) -> NoReturn:
        assert proposal.blocked is not None
        lines = _capped(
            [
                line
                for line in proposal.proof
                if line.strip() and not line.startswith(("cause: ", "repair: "))
            ],
            self._full,
        )
        for refusal in self._refusals[-1:]:
            said = [line for line in refusal.proof if line.strip()]
            said += self._contradictions.pins_in(refusal.proof)
            lines.append(f"{self._backend.name} says of the libraries:")
            lines += [f"  {line}" for line in _capped(said, self._full)]
        wanted = ", ".join(sorted({each.requirement for each in self._roots}))
        raise NoSolution(
            f"nothing that goes together was found for {wanted}: {proposal.blocked.cause}",
            proof=lines,
            hint=proposal.blocked.remedy,
        )

    def _give_up(self) -> NoReturn:
        wanted = ", ".join(sorted({each.requirement for each in self._roots}))
        lines = [f"{self._backend.name} was asked {self._oracle.asked} times"]
        lines += [f"learned: {_told(each)}" for each in self._nogoods]
        lines += [f"learned: {each.message}" for each in self._faults.values()]
        raise NoSolution(
            f"no answer for {wanted} within {self._bound} questions to {self._backend.name}",
            proof=_capped(lines, self._full),
            hint="narrow the versions, as in: pkl install "
            + " ".join(f'"{each.name}==VERSION"' for each in self._roots[:2]),
        )


def _kept(locked: Mapping[str, str], moving: Collection[str], universe: Universe) -> Dict[str, str]:
    """The locked versions that are to be kept, by canonical name of the distribution."""
    carriers = {each.chosen.name for name in moving for each in universe.entries.get(name, ())}
    return {
        canonical(name): version
        for name, version in locked.items()
        if canonical(name) not in moving and canonical(name) not in carriers
    }


def _given_wheels(stack: ExitStack, universe: Universe) -> List[str]:
    """The wheels of this machine; of an editable project one that only states what it needs."""
    found: Dict[str, str] = {}
    for entries in universe.entries.values():
        for each in entries:
            chosen = each.chosen
            if chosen.editable and chosen.name not in found:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pkl-"))
                found[chosen.name] = _stub(folder, chosen)
            elif not chosen.registry and chosen.wheel is not None:
                found[chosen.wheel.url] = file_of(chosen.wheel.url)
    return sorted(found.values())


def _stub(folder: str, chosen: Chosen) -> str:
    name, data = stub_wheel(chosen.name, chosen.version, chosen.requires)
    path = os.path.join(folder, name)
    Path(path).write_bytes(data)
    return path


def _told(nogood: Nogood) -> str:
    names = [f"{name} {max(versions, key=version_key)}" for name, versions in nogood.terms]
    return f"{' and '.join(names)}: {nogood.why}"


def _capped(lines: Sequence[str], full: bool) -> List[str]:
    if full or len(lines) <= DOZEN:
        return list(lines)
    left = len(lines) - DOZEN
    return [f"... {left} more lines before these; --full shows them", *lines[left:]]
