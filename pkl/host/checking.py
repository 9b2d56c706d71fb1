"""``host.check()``: asks everybody who can find something wrong with what runs in a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterable, List, Tuple

from ..model.finding import Finding, sort_findings
from .contribution_findings import unknown_points
from .hook_findings import blocked_handlers, deprecated_hooks, unfit_handlers, unknown_hooks
from .service_findings import broken_promises, missing_services

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["FINDERS", "check"]

FINDERS: Tuple[Callable[["Kernel"], Iterable[Finding]], ...] = (
    blocked_handlers,
    broken_promises,
    missing_services,
    unknown_points,
    unknown_hooks,
    unfit_handlers,
    deprecated_hooks,
)
"""Each looks at one kind of thing. It runs no plugin code, changes nothing and never raises."""


def check(kernel: "Kernel") -> Tuple[Finding, ...]:
    """What every finder finds in a host, the worst first."""
    found: List[Finding] = []
    for finder in FINDERS:
        found += finder(kernel)
    return sort_findings(found)
