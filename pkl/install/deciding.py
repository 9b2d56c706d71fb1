"""From what was asked for to what may be put in place: solved, and held where nobody consented."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Collection, Dict, Optional, Tuple

from ..registry.catalog import Catalog
from ..store.state import HostState
from .backends.backend import Backend
from .consent.age import MinAge
from .consent.holding import Held, Settled, settle
from .consent.keeping import Keeping
from .environment.generation import GenerationRecord
from .roots import Asked
from .solution import Chosen, Solution
from .solve.market import RegistryMarket
from .solve.project import wheel_as_chosen
from .solve.solving import solve
from .wanted import HostSide
from .wheels.fetching import Fetcher

__all__ = ["Terms", "decide", "inspecting"]


@dataclass(frozen=True)
class Terms:
    """What somebody said beside what they asked for.

    Attributes:
        upgrade: The plugins whose versions need not stay; None for none, ``ALL`` for all.
        accepted: The consents that were given, as ``parse_consents`` yields them.
        min_age: The age that a version must have; None for any.
        prereleases: Whether pre-releases may be chosen where there is something else.
        offline: Whether the network may not be used.
        full: Whether a proof is wanted in full.
    """

    upgrade: Collection[str] = ()
    everything: bool = False
    accepted: Tuple[str, ...] = ()
    min_age: Optional[MinAge] = None
    prereleases: bool = False
    offline: bool = False
    full: bool = False


def decide(
    asked: Asked,
    before: Optional[GenerationRecord],
    *,
    host: HostSide,
    state: HostState,
    catalog: Optional[Catalog],
    backend: Backend,
    fetcher: Fetcher,
    terms: Terms = Terms(),
) -> Settled:
    """What may be put in place of what was asked for; nothing is.

    Args:
        asked: All that is to be there, what was asked for before included.
        before: What is there; None if nothing is.
        host: The host.
        state: What is kept of it.
        catalog: The registries; None if none is known.
        backend: The installer.
        fetcher: What brings wheels: those with new plugins are looked into.
        terms: What was said beside.

    Raises:
        NoSolution: There is no solution.
        UpdateHeld: There is none without an update that nobody has consented to.
        RegistryError: A registry cannot be asked.
        WheelRefused: A wheel is not what was announced.
        BackendFailed: The installer failed in another way.
    """
    there = before.distributions if before is not None else ()
    known = {each.name for each in catalog.clients} if catalog is not None else set()
    # What comes from a registry that is not known any more stays as it is.
    orphans = [c for c in there if c.plugins and c.registry and c.registry not in known]
    given = list(asked.given)
    given += [c for c in orphans if c.name not in {each.name for each in given}]
    registries: Dict[str, str] = {
        p.name: c.registry for c in there if c.registry in known for p in c.plugins
    }
    registries.update({each.name: each.registry for each in asked.roots if each.registry})
    market = RegistryMarket(catalog, given, registries)
    # Whether what is there may start is another question than whether it stays there.
    own = {each.name for each in asked.roots} | {p.name for c in there for p in c.plugins}
    desired = {name: each for name, each in state.desired.items() if name not in own}
    upgrade = set(terms.upgrade)
    if terms.everything:
        upgrade |= {c.name for c in there} | {p.name for c in there for p in c.plugins}

    def solved(held: Tuple[Held, ...]) -> Solution:
        fixed = {each.before.name for each in held}
        fixed |= {p.name for each in held for p in (*each.before.plugins, *each.after.plugins)}
        return solve(
            asked.roots,
            market=Keeping(market, held) if held else market,
            backend=backend,
            host=host,
            locked={c.name: c.version for c in there},
            upgrade=upgrade - fixed,
            desired=desired,
            uploaded_before=terms.min_age.uploaded_before if terms.min_age is not None else None,
            prereleases=terms.prereleases,
            offline=terms.offline,
            full=terms.full,
        )

    settled = settle(
        there, solved, state, accepted=terms.accepted, inspect=inspecting(fetcher, host.group)
    )
    settled = settled._replace(solution=_with_own_roots(settled.solution))
    if terms.min_age is None:
        return settled
    chosen = settled.solution.chosen
    offers = [o for c in chosen for p in c.plugins for o in market.offers(p.name)]
    young = tuple(dict.fromkeys(terms.min_age.notes(offers, chosen)))
    return settled._replace(notes=(*settled.notes, *young))


def _with_own_roots(solution: Solution) -> Solution:
    """The solution without roots that the host's environment has already, which are not ours."""
    carried = {p.name for c in solution.chosen for p in c.plugins}
    carried |= {each.name for c in solution.chosen for p in c.plugins for each in p.provides}
    return replace(solution, roots=tuple(each for each in solution.roots if each.name in carried))


def inspecting(fetcher: Fetcher, group: str) -> Callable[[Chosen], Chosen]:
    """Gives what was chosen with what its wheel says, which is fetched for that.

    Args:
        fetcher: What brings wheels.
        group: The entry-point group of the host's plugins.
    """

    def inspect(chosen: Chosen) -> Chosen:
        seen = wheel_as_chosen(fetcher.fetch(chosen), group)
        return replace(chosen, plugins=seen.plugins, requires=seen.requires)

    return inspect
