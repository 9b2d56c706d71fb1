"""A call of a plugin that takes long, as a value: what ``host.on_stall`` handlers are given."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, Optional, Tuple

__all__ = ["Stall"]


@dataclass(frozen=True)
class Stall:
    """A call of a plugin that takes long.

    Attributes:
        state: ``slow``, ``hung``, ``quarantined`` once its plugin was given up for it, or
            ``ended`` once a slow or hung call has ended after all.
        plugin: The plugin's name.
        version: Its version.
        what: What it runs: which handler of which event or hook, syscall, timer, step of a
            coroutine, lifecycle handler or clean-up.
        since: When the call was first seen, on the host's clock; it began at most the interval of
            two looks before.
        seconds: How long it has been at it itself; of one that has ended, how long it took in all.
        thread: The name of the thread it runs in.
        ident: That thread's identifier.
        file: Where the plugin's code is.
        line: The line in that file.
        stack: ``function (file:line)`` of each frame of the call, the innermost last.
        called_by: The other plugin that called it; None for the host.
    """

    state: str
    plugin: str
    version: str
    what: str
    since: float
    seconds: float
    thread: str
    ident: int
    file: str
    line: int
    stack: Tuple[str, ...] = ()
    called_by: Optional[str] = None

    def __str__(self) -> str:
        whose = f"plugin {self.plugin!r} {self.version}"
        if self.state == "ended":
            return f"{self.what} of {whose} has ended after all, after {self.seconds:.3g} s"
        if self.state == "quarantined":
            return (
                f"{whose} was stopped and is in quarantine: {self.what} hangs, cannot be stopped, "
                f"and runs on in the thread {self.thread}"
            )
        by = f", called by plugin {self.called_by!r}" if self.called_by is not None else ""
        return (
            f"{self.what} of {whose} is {self.state}: it has run for {self.seconds:.3g} s in the "
            f"thread {self.thread}{by}, and is at {self.file}:{self.line}"
        )

    def as_dict(self) -> Dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "stack": list(self.stack)}

    def as_text(self) -> str:
        """For people: the sentence, and below it the stack, the innermost frame last."""
        return "\n".join([str(self), *(f"  {line}" for line in self.stack)])
