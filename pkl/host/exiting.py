"""The part of a host that is about its end: who may ask for it, and how the application hears."""

from __future__ import annotations

from threading import Event as Flag
from typing import Optional

from ..errors import NotPermitted
from ..kernel.context import _current
from ..kernel.core import Kernel

__all__ = ["Exiting"]


class Exiting:
    """The part of ``PluginHost`` that is about its end."""

    kernel: Kernel
    exit_code: Optional[int] = None
    """What a plugin passed to ``exit()``, or None."""
    _exit: Flag

    def _check_may_close(self) -> None:
        subject = _current.get()
        own = subject is not None and subject.kernel is self.kernel
        plugin = subject.plugin if subject is not None and own else None
        if plugin is not None:
            raise NotPermitted(
                f"plugin {plugin.name!r} may not close the host {self.kernel.name!r}",
                plugin=plugin.name,
                version=plugin.version,
                hint="ask it to stop with host.exit(code)",
            )

    def exit(self, code: int = 0) -> None:
        """Asks the application to stop: wakes ``wait()``. The way for a plugin to end it all."""
        self.exit_code = code
        self._exit.set()

    def wait(self, timeout: Optional[float] = None) -> Optional[int]:
        """Blocks until somebody calls ``exit()``; its code, or None after ``timeout`` seconds."""
        self._exit.wait(timeout)
        return self.exit_code
