"""What can go wrong when plugins are installed; nothing that was there is changed by any of it."""

from __future__ import annotations

from typing import Any, ClassVar, Sequence, Tuple

from .base import Fault, PklError, shown

__all__ = [
    "BackendFailed",
    "GenerationDamaged",
    "GenerationMissing",
    "GenerationUnwritable",
    "LockInvalid",
    "LockStale",
    "NoSolution",
    "UpdateHeld",
    "WheelRefused",
]


class NoSolution(PklError, RuntimeError):
    """No set of versions meets what everybody requires.

    Attributes:
        proof: Why not, line by line: who demands what, and which versions there are.
    """

    code: ClassVar[str] = "E_NO_SOLUTION"
    exit_status: ClassVar[int] = 5

    def __init__(self, message: str, *, proof: Sequence[str] = (), **fields: Any) -> None:
        self.proof: Tuple[str, ...] = tuple(proof)
        super().__init__(message, proof=list(self.proof), **fields)


class BackendFailed(PklError, RuntimeError):
    """The installer (uv or pip) failed; the details hold the end of what it wrote."""

    code = "E_BACKEND"
    exit_status = 6


class WheelRefused(PklError, PermissionError):
    """A wheel is not what was announced, or would do more than add a plugin.

    Attributes:
        faults: Every reason: the file in the wheel, what it is, and the rule it breaks.
    """

    code = "E_WHEEL"
    exit_status = 8

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), **fields: Any) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        listed = [{"path": f.path, "value": str(f.value), "rule": f.rule} for f in self.faults]
        super().__init__(message, faults=listed, **fields)


class UpdateHeld(PklError, PermissionError):
    """A new version asks for more than was consented to; the old one stays.

    Attributes:
        changes: What is asked for that needs consent, each in a line.
    """

    code = "E_HELD"
    exit_status = 8

    def __init__(self, message: str, *, changes: Sequence[str] = (), **fields: Any) -> None:
        self.changes: Tuple[str, ...] = tuple(changes)
        super().__init__(message, changes=list(self.changes), **fields)


class LockInvalid(PklError, ValueError):
    """A lock cannot be read, or says what no lock of pkl says.

    Attributes:
        faults: Every reason: the dotted path in the file, what stands there, and the rule.
    """

    code = "E_LOCK_INVALID"
    exit_status = 5

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), **fields: Any) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        listed = [{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults]
        super().__init__(message, faults=listed, **fields)


class LockStale(PklError, RuntimeError):
    """The lock does not say what it would say if it were made now."""

    code = "E_LOCK_STALE"
    exit_status = 1


class GenerationDamaged(PklError, ValueError):
    """A generation of what is installed cannot be used; the host starts without it.

    Attributes:
        faults: What is wrong with its files.
    """

    code = "E_GENERATION"
    exit_status = 5

    def __init__(self, message: str, faults: Sequence[Fault] = (), **fields: Any) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        super().__init__(message, faults=list(map(str, self.faults)), **fields)


class GenerationMissing(PklError, LookupError):
    """There is no generation of that number, or none to go back to."""

    code = "E_NO_GENERATION"
    exit_status = 4


class GenerationUnwritable(PklError, OSError):
    """The system refused to write a generation; what was installed before still is."""

    code = "E_GENERATION_WRITE"
    exit_status = 8
