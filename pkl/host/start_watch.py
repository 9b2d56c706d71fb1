"""What is known of a start while it goes on, so that the next one can tell why it died."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Dict, Iterator, Optional, Tuple

from ..kernel.core import Kernel
from ..kernel.log import logger_for
from ..store import DeadStart, StartMark, StateStore, dead_starts, forget
from .report import StartReport

__all__ = ["Progress", "StartWatch"]


class Progress:
    """Which plugins one start is bringing up; kept where it outlives the process.

    Args:
        mark: Where that is; None for nowhere.
    """

    def __init__(self, mark: Optional[StartMark]) -> None:
        self._mark = mark
        self._now: Dict[str, None] = {}

    def begin(self, name: str) -> None:
        """A plugin is about to be loaded and enabled."""
        if self._mark is not None:
            self._now[name] = None
            self._mark.starting(self._now)

    def end(self, name: str) -> None:
        """It was, or failed."""
        if self._mark is not None:
            self._now.pop(name, None)
            if self._now:  # else the next one is about to take its place
                self._mark.starting(self._now)


class StartWatch:
    """Marks the starts of a host with a name, and finds those whose process died.

    Args:
        kernel: The host's kernel.
        named: Whether the host has a name; of one without nothing is kept.
        store: What tells the time as it is noted.
    """

    def __init__(self, kernel: Kernel, named: bool, store: StateStore) -> None:
        self._kernel = kernel
        self._named = named
        self._store = store
        self._died: Tuple[DeadStart, ...] = ()

    @contextmanager
    def going_on(self) -> Iterator[Progress]:
        """The block is a start: what died before is told first, for it may die again."""
        if not self._named:
            yield Progress(None)
            return
        name = self._kernel.name
        self._died = dead_starts(name)
        fields = {"plugin": None, "plugin_version": None, "host": name}
        for each in self._died:
            logger_for(None).warning("%s; %s", each.message, each.remedy, extra=fields)
        mark = StartMark.begin(name, self._store.now)
        if mark is not None:
            forget(self._died)
        try:
            yield Progress(mark)
        finally:
            if mark is not None:
                mark.end()

    def reported(self, report: StartReport, safe_mode: bool) -> StartReport:
        """The report, with the starts that died before this one, and whether it was a safe one."""
        if not self._died and not safe_mode:
            return report
        return replace(report, died=self._died, safe_mode=safe_mode)
