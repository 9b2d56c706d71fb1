"""What can be known of libraries without asking an installer: bounds that contradict each other.

What a version of a distribution requires stands in its METADATA, which registries have beside
each wheel. A bound that the host's own version does not fit, or that no version of a library fits
together with another bound, needs no solver.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ...errors import RequirementError
from ...model.requirement import Requirement, parse_requirement
from ..wanted import HostSide
from .market import Market
from .nogoods import named_in
from .universe import Universe

__all__ = ["Contradiction", "Contradictions"]


class Contradiction(NamedTuple):
    """Distributions that cannot all be had.

    Attributes:
        pins: The distributions, each with the versions that are meant.
        why: What speaks against it.
        remedy: What to do about it.
    """

    pins: Dict[str, FrozenSet[str]]
    why: str
    remedy: str = ""


class Contradictions:
    """Finds them among distributions with one version each.

    Args:
        universe: What there is to choose from.
        market: Where that is from.
        host: What is there already.
    """

    def __init__(self, universe: Universe, market: Market, host: HostSide) -> None:
        self._universe = universe
        self._market = market
        self._pins = {each.name: each for each in host.pins}
        self._environment = {
            "python_version": ".".join(host.python_version.split(".")[:2]),
            "python_full_version": host.python_version,
            "extra": "",
        }
        self._known: Dict[Tuple[str, str], Tuple[Requirement, ...]] = {}

    def of(self, pins: Mapping[str, FrozenSet[str]], *, libraries: bool) -> List[Contradiction]:
        """Parts of the pins that cannot be had, each with the reason.

        Args:
            pins: Distributions with one version each.
            libraries: Whether it is also looked at which versions there are of libraries.

        Raises:
            RegistryError: A registry cannot be asked.
        """
        found: List[Contradiction] = []
        bounds: Dict[str, List[Tuple[str, Requirement]]] = {}
        for name in sorted(pins):
            (version,) = pins[name]
            for requirement in self._requires(name, version):
                objection = self._objection(name, version, requirement, pins)
                if objection is not None:
                    found.append(objection)
                elif requirement.name not in self._pins and requirement.name not in pins:
                    bounds.setdefault(requirement.name, []).append((name, requirement))
        if libraries and not found:
            for library, stated in sorted(bounds.items()):
                found += self._apart(library, stated, pins)
        return found

    def in_the_way(self, pins: Mapping[str, FrozenSet[str]], locked: Mapping[str, str]) -> Set[str]:
        """The locked distributions whose versions do not fit what the pins require.

        Args:
            pins: Distributions with one version each.
            locked: The version that each is locked at.
        """
        found: Set[str] = set()
        for name in sorted(pins):
            (version,) = pins[name]
            for requirement in self._requires(name, version):
                held = locked.get(requirement.name)
                if held is not None and not requirement.contains(held):
                    found.add(requirement.name)
        return found

    def pins_in(self, lines: Sequence[str]) -> List[str]:
        """What the host has of the distributions that a text names, each in a line."""
        return [
            f"the host has {name} {self._pins[name].version}, in {self._pins[name].location}"
            for name in sorted(named_in(lines, self._pins))
        ]

    def _objection(
        self,
        distribution: str,
        version: str,
        requirement: Requirement,
        pins: Mapping[str, FrozenSet[str]],
    ) -> Optional[Contradiction]:
        """Why a requirement cannot be met, given what is fixed; None if it can."""
        name, own = requirement.name, {distribution: pins[distribution]}
        who = self._universe.called(distribution, version)
        pin = self._pins.get(name)
        if pin is not None and not requirement.contains(pin.version):
            return Contradiction(
                own,
                f"{who} needs {_bare(requirement)}, and the host has {name} {pin.version} in "
                f"{pin.location}, which no plugin may move",
                f'change the environment of the host: pip install "{_bare(requirement)}"',
            )
        if pin is None and name in pins and name != distribution:
            (other,) = pins[name]
            if not requirement.contains(other):
                why = f"{who} needs {_bare(requirement)}"
                return Contradiction({**own, name: pins[name]}, why)
        return None

    def _apart(
        self,
        library: str,
        stated: Sequence[Tuple[str, Requirement]],
        pins: Mapping[str, FrozenSet[str]],
    ) -> List[Contradiction]:
        """Bounds on one library that no version of it meets."""
        there = self._market.versions(library)
        if not there:
            return []
        fits = [
            (who, requirement, {v for v in there if requirement.contains(v)})
            for who, requirement in stated
            if requirement.specifier
        ]
        for who, requirement, versions in fits:
            if not versions:
                called = self._universe.called(who, *pins[who])
                text = f"{called} needs {_bare(requirement)}, and there is {_spread(there)}"
                return [Contradiction({who: pins[who]}, text)]
        found: List[Contradiction] = []
        for i, (one, first, some) in enumerate(fits):
            for other, second, more in fits[i + 1 :]:
                if not some & more and one != other:
                    text = (
                        f"{one} needs {_bare(first)}, {other} needs {_bare(second)}, and of "
                        f"{library} there is {_spread(there)}"
                    )
                    found.append(Contradiction({one: pins[one], other: pins[other]}, text))
        return found

    def _requires(self, name: str, version: str) -> Tuple[Requirement, ...]:
        """What a version of a distribution requires here, without extras."""
        key = (name, version)
        if key not in self._known:
            texts: Sequence[str] = ()
            entries = self._universe.carriers(name, version)
            chosen = entries[0].chosen if entries else None
            if chosen is not None:
                texts = chosen.requires
                if not texts and chosen.registry:
                    listed = self._market.listed(name, version, chosen.registry)
                    texts = listed.requires if listed is not None else ()
            read = [_read(text) for text in texts]
            self._known[key] = tuple(
                each for each in read if each is not None and each.applies(self._environment)
            )
        return self._known[key]


def _read(text: str) -> Optional[Requirement]:
    try:
        return parse_requirement(text)
    except RequirementError:
        return None


def _bare(requirement: Requirement) -> str:
    """A requirement without its marker."""
    return f"{requirement.name}{requirement.specifier}"


def _spread(versions: Sequence[str]) -> str:
    shown: List[str] = list(versions[:6])
    rest = len(versions) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
