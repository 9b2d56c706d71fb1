"""A market in which held plugins have no other version than the one that is there."""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple

from ...model.requirement import version_key
from ...model.state import Reason
from ..solution import Chosen
from ..solve.market import Market
from .holding import Held, held_reason

__all__ = ["Keeping"]


class Keeping:
    """What a solve may choose from while updates are held.

    Args:
        market: What it may choose from otherwise.
        held: The updates that are held.
    """

    def __init__(self, market: Market, held: Sequence[Held]) -> None:
        self._market = market
        self._held: Dict[str, Held] = {
            said.name: each for each in held for said in (*each.after.plugins, *each.before.plugins)
        }

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        """Every version; of a held plugin, the one that is there is as it is there."""
        found = self._market.offers(plugin)
        held = self._held.get(plugin)
        if held is None:
            return found
        own = version_key(held.before.version)
        others = (each for each in found if version_key(each.version) != own)
        return (held.before, *others)

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        """Why a version may not be chosen; a withdrawn one may, where it is there already."""
        found = self._market.problem(plugin, version)
        held = self._held.get(plugin)
        if held is None:
            return found
        there = {version_key(each.version) for each in held.before.plugins if each.name == plugin}
        if version_key(version) not in there:
            return found or held_reason(held)
        return found if found is not None and found.code == "revoked" else None

    def indexes(self) -> Tuple[str, ...]:
        """The package indexes of the libraries."""
        return self._market.indexes()

    def given(self) -> Tuple[Chosen, ...]:
        """What is no question of registries."""
        return self._market.given()

    def listed(self, distribution: str, version: str, registry: str = "") -> Optional[Chosen]:
        """What a registry's own package index says of a version of a distribution, or None."""
        return self._market.listed(distribution, version, registry)

    def versions(self, distribution: str) -> Tuple[str, ...]:
        """The versions of a distribution that there are for this platform."""
        return self._market.versions(distribution)

    def carried(self, distribution: str) -> Tuple[str, ...]:
        """The plugins that a distribution is known to carry."""
        return self._market.carried(distribution)

    def providers(self, capability: str) -> Tuple[str, ...]:
        """The plugins that are known to provide a capability in some version."""
        return self._market.providers(capability)
