"""The application: a plugin host of its own, opened and closed."""

from __future__ import annotations

from typing import Any, Callable, Optional

import pkl

from .account import Account
from .events import desk_opened

__all__ = ["POINTS", "Desk", "make_host"]

VERSION = "2.1"
POINTS = {"pages": None}
"""What plugins may contribute in their manifests: ``pages``, a list of ``{ title, function }``,
each a function of their API that says something about the desk."""


def make_host(**options: Any) -> pkl.PluginHost:
    """The desk's plugin host, with nothing started.

    Args:
        options: What else ``PluginHost`` takes, such as ``clock=`` in tests.
    """
    options.setdefault("contributions", POINTS)
    return pkl.PluginHost("desk", version=VERSION, group="desk.plugins", **options)


class Desk:
    """The desk with its plugins, as a context manager: open inside, closed outside.

    Args:
        tell: Is given a line for each thing that is enabled, disabled or released.
        host: The host, by default a new one of ``make_host``.

    Attributes:
        host: The plugin host.
        account: What was enabled, disabled and taken back.
        report: What the last ``open()`` came to, or None.
    """

    def __init__(
        self, tell: Callable[[str], object] = print, host: Optional[pkl.PluginHost] = None
    ) -> None:
        self.host = host if host is not None else make_host()
        self.account = Account(self.host, tell)
        self.report: Optional[pkl.StartReport] = None
        # Code outside of plugins means this host: ``desk_opened()``, ``pkl.plugins.tickets``.
        pkl.set_default_host(self.host)

    def open(self) -> pkl.StartReport:
        """Starts every plugin there is; one that cannot run is in the report, and no more."""
        self.report = self.host.start()
        desk_opened(self.host.name or "desk")
        return self.report

    def close(self) -> None:
        """Stops every plugin in reverse order and takes everything back.

        Raises:
            CleanupError: What plugins failed to clean up; all are stopped all the same.
        """
        try:
            self.host.close()
        finally:
            pkl.set_default_host(None)

    def __enter__(self) -> Desk:
        self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
