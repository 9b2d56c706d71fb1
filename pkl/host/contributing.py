"""The points of a host, and what plugins contribute to them by their manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Tuple

from ..kernel.contributions import ContributionsChange
from ..kernel.core import Kernel
from ..model.candidate import Discovery
from ..model.contributions import Contribution
from ..model.state import Desired
from .finding import HostFinder
from .planning import Planning

if TYPE_CHECKING:
    from ..kernel.ports import Undo

__all__ = ["Contributing"]


class Contributing(Planning):
    """The part of ``PluginHost`` that is about what plugins contribute."""

    kernel: Kernel
    _finder: HostFinder
    _foreseen: Optional[Tuple[Discovery, Mapping[str, Desired], bool]] = None
    """What the plan was made of that was looked at before the host has started: what was found,
    what is wanted, and whether it is safe mode."""

    @property
    def points(self) -> Optional[Mapping[str, Any]]:
        """The points that this host declares, each with its JSON Schema or None; None for a host
        that declares nothing."""
        points = self.kernel.contributions.points
        return None if points is None else points.declared

    def contributions(self, point: str) -> Tuple[Contribution, ...]:
        """What plugins contribute to a point, in the order of the plan; imports none of them.

        Plugins that run count, and those that wait to be needed. Until the host starts it is what
        a start would come to; while it starts, what has not failed yet.

        Args:
            point: Its exact name.

        Raises:
            PointNotFound: The host declares no such point.
        """
        self._foresee()
        return self.kernel.contributions.entries(point)

    def all_contributions(self) -> Mapping[str, Tuple[Contribution, ...]]:
        """What plugins contribute to each point, all of it at one moment."""
        self._foresee()
        return self.kernel.contributions.all_entries()

    def on_contributions(self, point: str, handler: Callable[[ContributionsChange], Any]) -> "Undo":
        """Calls ``handler(change)`` after what is contributed to a point has changed.

        It is called as whoever adds it, under no lock, in the thread that made the change or in
        one that made another at that time; changes that come close together may be one. What it
        raises is contained. It is a resource of who adds it; a plugin's hears nothing before that
        plugin is enabled, and then of what it missed.

        Returns:
            The undo.

        Raises:
            PointNotFound: The host declares no such point.
            PluginNotRunning: A plugin adds it that has been stopped, or is stopping.
            HostClosed: The host is closed.
            TypeError: The handler cannot be called.
        """
        return self.kernel.contributions.watch(point, handler)

    def _foresee(self) -> None:
        """Before the host has started: looks at what a start would come to, if that changed."""
        held = self.kernel.contributions
        if held.points is None or held.begun or self.kernel.closing:
            return
        desired = dict(self.desired)
        known = self._foreseen
        found = self._finder.found
        if known is None or known[0] is not found or known[1:] != (desired, self.safe_mode):
            plan = self.resolve()
            self._foreseen = (self._finder.found, desired, self.safe_mode)
            held.expect(plan, starting=False)
