"""From a set of distributions that cannot be had together to the reason: as few as it takes."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Mapping, Sequence, Set

from ...errors import NoSolution
from ...model.requirement import version_key
from ...names import canonical
from .oracle import Oracle, Wanted

__all__ = ["least_nogood", "named_in"]

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def least_nogood(
    oracle: Oracle, pins: Wanted, refusal: NoSolution, alive: Mapping[str, FrozenSet[str]]
) -> Dict[str, FrozenSet[str]]:
    """A part of the pins that cannot be had, of which none can be left out.

    Each distribution of it is then held against its other versions: where none of them would do
    either, or none above the best that does, the nogood is about all of these at once.

    Args:
        oracle: What is asked.
        pins: Distributions with one version each that cannot be had together.
        refusal: What the installer said of them.
        alive: Every version of each that could be chosen.

    Raises:
        QuestionsSpent: No more questions are granted.
    """
    core = dict(pins)
    named = named_in(refusal.proof, core)
    if named and len(named) < len(core):
        part = {name: core[name] for name in core if name in named}
        if oracle.refuses(part):
            core = part
    for name in sorted(core):
        without = {other: versions for other, versions in core.items() if other != name}
        if without and oracle.refuses(without):
            core = without
    for name in sorted(core):
        core[name] = _widened(oracle, core, name, alive.get(name, core[name]))
    return core


def named_in(lines: Sequence[str], names: Mapping[str, object]) -> Set[str]:
    """Which of the names occur in the text."""
    words = {canonical(word.rstrip("._-")) for line in lines for word in _WORD.findall(line)}
    return words & set(names)


def _widened(oracle: Oracle, core: Wanted, name: str, alive: FrozenSet[str]) -> FrozenSet[str]:
    """The versions of one distribution that do not go with the rest, as far as that is cheap."""
    own = core[name]
    if alive <= own:
        return own
    try:
        answer = oracle.ask({**core, name: alive | own})
    except NoSolution:
        return alive | own
    best = next((version_key(e.version) for e in answer if e.name == name), None)
    if best is None:
        return own
    above = frozenset(v for v in alive | own if version_key(v) > best)
    if own <= above and len(above) > 1 and oracle.refuses({**core, name: above}):
        return above
    return own
