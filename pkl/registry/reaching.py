"""What of the registries a plan needs: the plugins that are meant, and what those ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..model.candidate import Candidate, Origin
from ..model.state import Reason
from ..names import canonical
from .catalog import Catalog

__all__ = ["reachable"]


def reachable(
    catalog: Catalog,
    names: Iterable[str],
    installed: Sequence[Candidate],
    pins: Optional[Mapping[str, str]] = None,
) -> Tuple[Candidate, ...]:
    """The candidates of registries that a plan may choose from, beside those that are installed.

    One page is read for each plugin that is named, required or wanted on the way. An index says
    nothing of capabilities, so what only provides one is found if it is installed or named.

    Args:
        catalog: The registries.
        names: The plugins that are meant, in any spelling; without any, those installed.
        installed: What is installed here.
        pins: Versions that may be chosen although they were withdrawn, by name.

    Raises:
        RegistryError: A registry cannot be asked.
    """
    here: Dict[str, List[Candidate]] = {}
    for each in installed:
        here.setdefault(each.name, []).append(each)
    waiting = [canonical(name) for name in names] or sorted(here)
    pinned = pins or {}
    seen = set(waiting)
    found: List[Candidate] = []
    while waiting:
        name = waiting.pop()
        offered = [
            _beside(each, here.get(name, ())) for each in catalog.candidates(name, pinned.get(name))
        ]
        found += offered
        for candidate in (*here.get(name, ()), *offered):
            metadata = candidate.metadata
            for requirement in (*metadata.requires, *metadata.wants):
                if requirement.name not in seen:
                    seen.add(requirement.name)
                    waiting.append(requirement.name)
    return tuple(found)


def _beside(offered: Candidate, installed: Sequence[Candidate]) -> Candidate:
    """What a registry offers; a collision if another distribution is installed of that name."""
    carrier = canonical(offered.distribution or "")
    for each in installed:
        if each.origin is Origin.PATH or canonical(each.distribution or "") == carrier:
            continue
        text = (
            f"plugin {offered.name} is of {each.source} here, and of {offered.source} in the "
            f"registry ({offered.target})"
        )
        remedy = f"remove {each.source}, if the one of the registry is meant"
        return replace(offered, fault=offered.fault or Reason("collision", text, text, remedy))
    return offered
