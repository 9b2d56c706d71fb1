"""What can be wrong with the handlers of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..model.finding import NOTE, Finding

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["blocked_handlers"]


def blocked_handlers(kernel: "Kernel") -> Iterator[Finding]:
    """Plugins whose handlers the application keeps from being called."""
    for name in sorted(kernel.blocked):
        yield Finding(
            NOTE,
            "handlers-blocked",
            f"the hook handlers of plugin {name!r} are blocked by the application",
            plugin=name,
            hint="call what host.block_handlers() returned to have them called again",
        )
