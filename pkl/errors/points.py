"""What can be wrong with the points of a host, to which plugins contribute."""

from __future__ import annotations

from typing import Sequence, Tuple

from .base import Fault, PklError, shown

__all__ = ["PointNotFound", "PointRefused"]


class PointRefused(PklError, ValueError):
    """What a host declares as its points makes no sense; ``faults`` holds every fault."""

    code = "E_POINT"
    exit_status = 2

    def __init__(self, faults: Sequence[Fault], *, file: str = "") -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        where = f" ({file})" if file else ""
        super().__init__(
            "\n  ".join([f"the points of the host have {count}{where}", *map(str, self.faults)]),
            file=file or None,
            hint='declare them as contributions={"commands": SCHEMA}, or None for any value',
            faults=[{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults],
        )


class PointNotFound(PklError, LookupError):
    """The host declares no such point."""

    code = "E_NO_POINT"
    exit_status = 2
