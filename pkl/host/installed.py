"""The generation of installed plugins that one host runs with, from its start to its close."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Iterator, Optional, Tuple

from ..errors import PklError
from ..install.environment.pinning import Pinned, entries_of_others, pin
from ..install.environment.standing import standing
from ..kernel.log import logger_for
from .report import StartReport

__all__ = ["HostGeneration"]


class HostGeneration:
    """What ``pkl install`` made for a host; one without a name has nothing.

    Args:
        host: The host's name, or None.
    """

    def __init__(self, host: Optional[str]) -> None:
        self._host = host
        self._lock = Lock()
        self._pinned: Optional[Pinned] = None

    @property
    def number(self) -> int:
        """The generation that the host runs with; 0 if none."""
        return self._pinned.number if self._pinned is not None else 0

    @property
    def problem(self) -> Optional[PklError]:
        """Why the host runs without what is installed, or None."""
        return self._pinned.problem if self._pinned is not None else None

    @property
    def entries(self) -> Tuple[str, ...]:
        """What it adds to ``sys.path``: of a host that does not run, what it would."""
        if self._host is None:
            return ()
        pinned = self._pinned
        return pinned.entries if pinned is not None else standing(self._host).entries

    @property
    def left_out(self) -> Tuple[str, ...]:
        """What other hosts of this process added."""
        return entries_of_others(self.entries)

    def pin(self) -> None:
        """Takes the generation that counts now, once; later changes are for the next start."""
        if self._host is None or self._pinned is not None:
            return
        with self._lock:
            if self._pinned is not None:
                return
            self._pinned = pin(self._host)
        if self._pinned.problem is not None:
            fields = {"plugin": None, "plugin_version": None, "host": self._host}
            logger_for(None).warning("%s", self._pinned.problem, extra=fields)

    def release(self) -> None:
        """Takes it off ``sys.path`` again and lets others delete it."""
        with self._lock:
            pinned, self._pinned = self._pinned, None
        if pinned is not None:
            pinned.release()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Releases it when the block is left, however that is."""
        try:
            yield
        finally:
            self.release()

    def reported(self, report: StartReport) -> StartReport:
        """The report, with why the host runs without what is installed."""
        if self.problem is None:
            return report
        status = "degraded" if report.status == "ok" else report.status
        return replace(report, notes=(*report.notes, str(self.problem)), status=status)
