"""One solve over two layers: what plugins ask of each other, and what their libraries ask.

1. What cannot be chosen anyway is left out: withdrawn, revoked, for another platform or host.
2. Our resolver proposes; the installer is asked once for the ranges that follow, with the host's
   own versions as constraints, and answers with versions of plugins and libraries.
3. The answer is held against the registries, and against the plugins' own requirements.
4. Only where that fails, the two are asked in turn: the resolver proposes versions, the installer
   says whether their libraries go together, and what does not is learned, as few as it takes.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Collection, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ...errors import NoSolution
from ...model.state import Desired
from ...names import canonical
from ..backends.backend import Backend, Query
from ..solution import Solution
from ..wanted import HostSide, Root
from .answers import Judge, Judged, Unsuitable
from .contradictions import Contradiction, Contradictions
from .lessons import Lessons
from .market import Market
from .no_answer import gave_up, refused
from .nogoods import least_nogood, named_in
from .oracle import Answer, Oracle, QuestionsSpent
from .proposals import Proposal, Proposer
from .ranges import spanning
from .stand_ins import local_wheels
from .universe import Universe

__all__ = ["solve"]

RELAXED = 3
"""How often the installer is asked with all but a few locked versions, before with none."""


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
            What is locked is never too young.
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
        self._lessons = Lessons(universe)
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
            wheels=tuple(local_wheels(stack, universe, self._market.given())),
            preferred=tuple(f"{name}=={kept[name]}" for name in sorted(kept)),
            uploaded_before=uploaded_before,
            standing=tuple(f"{canonical(name)}=={locked[name]}" for name in sorted(locked)),
            prereleases=self._prereleases,
            allow_builds=allow_builds,
            offline=offline,
        )
        self._oracle = Oracle(self._backend, query, universe.distributions, self._bound)
        proposal = self._proposed(libraries=False)
        try:
            judged = self._at_once(proposal, kept) or self._in_turn(proposal)
        except QuestionsSpent:
            name, asked = self._backend.name, self._oracle.asked
            raise gave_up(self._roots, name, asked, self._lessons, self._full) from None
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
            # All is there already.
            return self._judge.judge((), frozenset())
        found = self._as_locked(proposal, kept) if kept else None
        if found is not None:
            return found
        try:
            answer = self._oracle.ask(proposal.ranges, just=True)
            return self._judge.judge(answer, frozenset(proposal.ranges))
        except (NoSolution, Unsuitable):
            return None

    def _as_locked(self, proposal: Proposal, kept: Mapping[str, str]) -> Optional[Judged]:
        """The same with all that is locked as it is, but for what is said to be in the way.

        So that nothing moves without need, whatever the installer thinks of preferences.
        """
        own, pinned = self._universe.distributions, {each.name for each in self._host.pins}
        locked = {name for name in kept if name not in pinned}
        locked -= self._contradictions.in_the_way(proposal.pins, kept)
        for _ in range(RELAXED):
            wanted = {
                name: proposal.pins[name] if name in locked else versions
                for name, versions in proposal.ranges.items()
            }
            as_is = tuple(f"{n}=={kept[n]}" for n in sorted(locked) if n not in own)
            if not as_is and wanted == proposal.ranges:
                return None
            try:
                answer = self._oracle.put(wanted, constraints=as_is)
                return self._judge.judge(answer, frozenset(wanted))
            except Unsuitable:
                return None
            except NoSolution as e:
                named = named_in(e.proof, dict.fromkeys(locked))
                if not named:
                    return None
                # A proof names those that need a library, too; the library is what may move.
                locked -= {each for each in named if each not in own} or named
        return None

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
                if not proposal.pins:
                    raise NoSolution(e.why) from None
                self._lessons.exclude(proposal.pins, e.why)
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
            proposal = self._proposer.propose(
                self._lessons.nogoods, self._lessons.faults, self._full
            )
            if proposal.blocked is not None:
                said = self._refusals[-1] if self._refusals else None
                name, known = self._backend.name, self._contradictions
                others = self._host.found
                raise refused(self._roots, proposal, name, said, known, self._full, others)
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
            self._lessons.exclude(each.pins, each.why, each.remedy)

    # What is learned.

    def _learn(self, core: Mapping[str, FrozenSet[str]], refusal: NoSolution) -> None:
        self._refusals.append(refusal)
        why = "the libraries they need do not go together"
        pins = self._contradictions.pins_in(refusal.proof)
        if len(core) == 1 and pins:
            why = f"it needs libraries that do not go with what is there: {'; '.join(pins)}"
        elif len(core) == 1:
            why = f"{self._backend.name} finds no libraries that it could run with"
        self._lessons.exclude(core, why)


def _kept(locked: Mapping[str, str], moving: Collection[str], universe: Universe) -> Dict[str, str]:
    """The locked versions that are to be kept, by canonical name of the distribution."""
    carriers = {each.chosen.name for name in moving for each in universe.entries.get(name, ())}
    return {
        canonical(name): version
        for name, version in locked.items()
        if canonical(name) not in moving and canonical(name) not in carriers
    }
