"""The half of a host that is about what people want: what is kept of it on disk."""

from __future__ import annotations

from typing import Mapping, Optional, Union

from ..kernel.context import _current
from ..kernel.core import Kernel
from ..model.state import Desired
from ..store import HostState
from .rows import Rows
from .wishes import Wishes

__all__ = ["Keeping"]


class Keeping:
    """The half of ``PluginHost`` that is about what people want of its plugins."""

    kernel: Kernel
    app: Optional[str] = None
    """``MODULE:ATTR`` of the application, noted for ``pkl run --host NAME``; or None."""
    _rows: Rows
    _wishes: Wishes

    @property
    def state(self) -> HostState:
        """What is kept of this host on disk, as it was last read: when it was first asked for,
        at ``start()`` and at ``refresh()``. Of a host without a name, nothing."""
        return self._wishes.state

    @property
    def desired(self) -> Mapping[str, Desired]:
        """What people want of each plugin; of one that is not in it, ``enabled``."""
        self._wishes.know()
        return self._rows.desired

    def set_desired(self, name: str, desired: Union[Desired, str]) -> None:
        """Says what people want of a plugin, known yet or not; what runs now is left as it is.

        A host with a name keeps it on disk, for every later start.

        Args:
            name: The plugin.
            desired: ``enabled``, ``disabled`` (not started by itself), or ``masked`` (never).

        Raises:
            ValueError: ``desired`` is none of these.
            StateNewer: A later version of pkl wrote the host's state; nothing was changed.
            StateUnavailable: The host's state cannot be written; nothing was changed.
            LockTimeout: Another process is changing it all the while.
        """
        subject = _current.get()
        by = "host.set_desired()"
        if subject is not None and subject.plugin is not None:
            by += f" in plugin {subject.plugin.name}"
        self._wishes.set_desired(name, Desired(desired), by)
