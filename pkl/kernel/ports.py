"""What the kernel needs from above, as Protocols that ``pkl.host`` fills in.

The kernel runs plugin code and knows neither disk nor network. Whatever it has to ask of the
rest of the house it asks through one of these.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Sequence, Tuple

from ..model.candidate import Candidate

if TYPE_CHECKING:
    from pathlib import Path

    from ..model.manifest import PluginMetadata
    from .generation import Generation
    from .plugin import Plugin
    from .receipt import Receipt

__all__ = [
    "Accountant",
    "Admission",
    "Clock",
    "CodeLoader",
    "Finder",
    "Gate",
    "LoadedCode",
    "MetadataLoader",
    "PluginLoader",
    "SettingsSource",
    "Stalled",
    "Supervisor",
    "Undo",
    "Watch",
]


class LoadedCode(Protocol):
    """The modules of one generation."""

    @property
    def module(self) -> Any:
        """The entry-point module (or whatever a custom loader returned)."""

    @property
    def api(self) -> Any:
        """What ``pkl.plugins.<name>`` shows: the package's ``__init__`` module, or ``module``."""

    def modules(self) -> Sequence[Any]:
        """All modules of the generation; none after ``drop``."""

    def drop(self) -> None:
        """Takes the generation's modules out of ``sys.modules``; never raises."""


class CodeLoader(Protocol):
    """Imports a plugin's code; called with the plugin as the current one."""

    def load(self, plugin: "Plugin", generation: "Generation") -> LoadedCode:
        """Imports the package and its entry-point module.

        Module dictionaries it creates carry ``generation`` under ``__pkl_generation__`` before
        their code runs, so that what they declare has the right owner.

        Raises:
            BaseException: Whatever the code raised; no module of it stays in ``sys.modules``.
        """


class Finder(Protocol):
    """Finds a candidate by name or path."""

    def by_name(self, name: str) -> Candidate:
        """The candidate of that name.

        Raises:
            PluginNotFound: No source has it; the text has a did-you-mean.
        """

    def peek(self, name: str) -> Optional[Candidate]:
        """The candidate of that name if it is known and sound; never looks again, never raises."""

    def by_path(self, path: str) -> Candidate:
        """The candidate that a directory holds.

        Raises:
            PathError: There is no plugin there.
            ManifestError: Its manifest is faulty, and does not even tell the name.
        """


class SettingsSource(Protocol):
    """Knows the settings of plugins."""

    def begin(self, plugin: "Plugin") -> None:
        """Gives a plugin that begins to load its settings, merged and checked.

        Raises:
            SettingsError: They break its schema.
            MissingExtra: They have a schema, and what checks it is not installed.
        """


class PluginLoader(Protocol):
    """What ``PluginHost(plugin_loader=…)`` takes: anything with this method."""

    def load(self, plugin: "Plugin") -> Any:
        """Imports a plugin's code, as the current plugin, and returns its module."""


class MetadataLoader(Protocol):
    """What ``PluginHost(metadata_loader=…)`` takes: anything with this method."""

    def load(self, location: "Path") -> "PluginMetadata":
        """Reads the manifest of the plugin at ``location`` without importing it."""


class Clock(Protocol):
    """Time as the kernel sees it; ``pkl.testing.FakeClock`` is another one."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""

    def attach(self, run_due: Callable[[float], Optional[float]]) -> bool:
        """Offers a scheduler's ``run_due``; True if the clock itself will call it.

        ``run_due(until)`` hands out what is due and returns the next deadline.
        """

    def detach(self, run_due: Callable[[float], Optional[float]]) -> None:
        """Takes ``attach`` back."""


class Stalled(Protocol):
    """A call of a plugin that takes long."""

    @property
    def state(self) -> str:
        """``slow`` or ``hung``."""

    @property
    def what(self) -> str:
        """What runs."""


class Supervisor(Protocol):
    """Who is told of plugins that end other than by request; safe from any thread.

    It is told while the plugin's transition is still going on, so it starts nothing itself.
    """

    def starting(self, plugin: "Plugin") -> None:
        """A plugin's code is about to be called: watch its calls from now on."""

    def stalls(self, plugin: "Plugin") -> "Sequence[Stalled]":
        """The calls of a plugin that take long right now."""

    def failed(self, plugin: "Plugin") -> None:
        """A plugin failed at a stage of its start, or crashed: it is in ERROR."""

    def stopped(self, plugin: "Plugin", by_itself: bool) -> None:
        """A plugin, running or not, was told to stop; ``by_itself`` if the plugin said so."""

    def close(self) -> None:
        """The host is closed: nothing is watched any more."""


class Admission(Enum):
    """What a gate says to a call."""

    PASS = "pass"
    """Go ahead; nothing is held against the handlers any more."""
    TRIAL = "trial"
    """Go ahead, and say how it went."""
    SKIP = "skip"
    """Leave the handler out."""


class Gate(Protocol):
    """What stands before one plugin's handlers of one event or hook; safe from any thread.

    ``now`` is the host's clock, and ``handler`` any object with an attribute ``held``.
    """

    @property
    def open(self) -> bool:
        """Whether calls are being turned away."""

    @property
    def until(self) -> float:
        """When the next trial is due."""

    @property
    def failures(self) -> int:
        """How many failures it was told of."""

    @property
    def skipped(self) -> int:
        """How many calls it has turned away."""

    def failed(self, now: float, handler: Any) -> bool:
        """Takes a failure of a handler; whether calls are turned away from now on."""

    def admits(self, now: float, handler: Any) -> Admission:
        """Whether a call of a handler may go ahead, and whether it is the trial."""

    def succeeded(self) -> None:
        """The trial went well."""

    def failed_again(self, now: float) -> None:
        """The trial failed."""

    def abandoned(self, now: float) -> None:
        """The trial was interrupted, which says nothing."""


class Watch(Protocol):
    """Notes what changes in the process between ``resume`` and ``pause``; neither raises."""

    def resume(self) -> None:
        """Code of the plugin is about to run in this thread."""

    def pause(self) -> None:
        """It has ended, or something else is about to run in between."""


class Accountant(Protocol):
    """Knows what each generation holds in the process; no method raises."""

    @property
    def receipts(self) -> "Tuple[Receipt, ...]":
        """The last receipt of each plugin, and earlier ones of which something is still there."""

    def watch(self, generation: "Generation") -> Watch:
        """What notes the changes that a generation's import or ``on_enable`` makes."""

    def stopping(self, generation: "Generation") -> None:
        """Its resources are about to be released."""

    def stopped(self, generation: "Generation") -> Callable[[], "Receipt"]:
        """They were, and its modules are about to be dropped: takes back what else it holds.

        Returns:
            What makes the receipt, to be called once the modules are dropped.
        """


Undo = Callable[[], None]
"""What every registration hands back: calling it once takes the registration away."""
