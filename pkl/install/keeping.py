"""A market in which held plugins have no other version than the one that is there."""

from __future__ import annotations

from typing import Dict, Optional, Protocol, Sequence, Tuple

from ..model.requirement import version_key
from ..model.state import Reason
from .holding import Held, held_reason
from .solution import Chosen

__all__ = ["Keeping"]


class _Market(Protocol):
    """Where the candidates of a solve come from."""

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        """Every version of a plugin."""
        ...

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        """Why a version of a plugin may not be chosen; None if it may."""
        ...

    def indexes(self) -> Tuple[str, ...]:
        """The package indexes of the libraries."""
        ...


class Keeping:
    """What a solve may choose from while updates are held.

    Args:
        market: What it may choose from otherwise.
        held: The updates that are held.
    """

    def __init__(self, market: _Market, held: Sequence[Held]) -> None:
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
