"""What every error is made of: fields, faults, and several failures raised once."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Mapping, NamedTuple, Optional, Sequence

if sys.version_info >= (3, 11):
    from builtins import ExceptionGroup
else:
    from exceptiongroup import ExceptionGroup

__all__ = ["Fault", "GatheredError", "PklError", "shown", "text_of"]


class PklError(Exception):
    """The base of every error pkl raises.

    Attributes:
        code: A stable identifier such as ``E_MANIFEST``.
        exit_status: What the command line exits with for this error.
        plugin: Canonical name of the plugin it happened to, or None.
        version: That plugin's version, or None.
        distribution: The distribution that carries the plugin, or None.
        file: The file at fault, or None.
        hint: What to type or change next; empty if there is nothing to do.
        details: Further fields, JSON-representable, for ``--json`` output.
    """

    code: ClassVar[str] = "E_PKL"
    exit_status: ClassVar[int] = 70

    def __init__(
        self,
        message: str,
        *,
        plugin: Optional[str] = None,
        version: Optional[str] = None,
        distribution: Optional[str] = None,
        file: Optional[str] = None,
        hint: str = "",
        **details: Any,
    ) -> None:
        super().__init__(message)
        self._fill(message, plugin, version, distribution, file, hint, details)

    def _fill(
        self,
        message: str,
        plugin: Optional[str],
        version: Optional[str],
        distribution: Optional[str],
        file: Optional[str],
        hint: str,
        details: Mapping[str, Any],
    ) -> None:
        self._text = message
        self.plugin = plugin
        self.version = version
        self.distribution = distribution
        self.file = file
        self.hint = hint
        self.details = details

    @property
    def message(self) -> str:
        """What happened and why, in one or a few lines, without the hint."""
        return self._text

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class Fault(NamedTuple):
    """One fault of a manifest: where, what stood there, and the rule it breaks."""

    path: str
    """Dotted path of the key, such as ``limits.memory``; empty for the whole file."""
    value: Any
    """The value found there."""
    rule: str
    """What the value must be, with a did-you-mean where there is one."""

    def __str__(self) -> str:
        where = self.path or "(the whole file)"
        return f"{where} = {shown(self.value)}: {self.rule}"


def text_of(error: BaseException) -> str:
    """What an error says, whoever wrote its class."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as failed:
        return f"<its text could not be made: {type(failed).__name__}>"


def shown(value: Any) -> str:
    """A value as an error message shows it: ASCII, and not too long."""
    try:
        text = ascii(value)
    except Exception:  # An integer of 5,000 digits has no text, but its fault must have one.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


class GatheredError(PklError, ExceptionGroup[Exception]):
    """Several failures raised once: a PklError that is also an ExceptionGroup (PEP 654)."""

    def __new__(
        cls, message: str, failures: Sequence[Exception], **_fields: Any
    ) -> "GatheredError":
        return super().__new__(cls, message, failures)

    def __init__(
        self,
        message: str,
        failures: Sequence[Exception],
        *,
        plugin: Optional[str] = None,
        version: Optional[str] = None,
        hint: str = "",
        **details: Any,
    ) -> None:
        ExceptionGroup.__init__(self, message, failures)
        self._fill(message, plugin, version, None, None, hint, details)

    def __str__(self) -> str:
        lines = [PklError.__str__(self)]
        for error in self.exceptions:
            where = getattr(error, "_pkl_where", "")
            whose = f"{where}: " if where else ""
            lines.append(f"  {whose}{type(error).__name__}: {text_of(error)}")
        return "\n".join(lines)

    def derive(self, excs: Sequence[Exception]) -> "GatheredError":  # type: ignore[override]
        """A group of the same kind for ``split`` and ``subgroup`` (PEP 654)."""
        return type(self)(self.message, excs, plugin=self.plugin, version=self.version)
