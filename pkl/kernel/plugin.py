"""A plugin as its users hold it: what it is, what state it is in, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, FrozenSet, Optional, Set, Tuple

from ..errors import InvalidTransition
from ..model.activation import Activation
from ..model.candidate import Candidate
from ..model.manifest import PluginMetadata
from ..model.state import Action, Desired, PluginState, Reason, step
from .generation import Generation
from .impairments import impairments_of
from .lifecycle_event import LifecycleEvent
from .reasons import resting, unwanted
from .settings import Settings
from .stop_token import StopToken, token_of

if TYPE_CHECKING:
    from pathlib import Path

    from .activation import Waiting
    from .core import Kernel
    from .receipt import Receipt

__all__ = ["Plugin"]


class Plugin:
    """A named, versioned unit of code in one host. Made by the host, never by hand.

    Attributes:
        name: The canonical name.
        candidate: What was found of it: manifest, distribution, location.
        parent: The plugin that loaded it as a child, or None.
        config: Its settings, from the moment it begins to load.
        state: What it actually is.
        activation: How one of its triggers last started it; None if none ever did.
        error: The error that put it into ERROR or BLOCKED, or None.
        generation: The current load of its code.
        faults: How many errors of its handlers, timers and tasks were contained.
        bindings: For each name it requires or wants, the plugin chosen for it.
        receipt: The account of what its last stop took back and left behind, or None.
    """

    def __init__(self, kernel: "Kernel", candidate: Candidate) -> None:
        self._kernel = kernel
        self.name = candidate.name
        self.candidate = candidate
        self.successor: Optional[Candidate] = None
        """What was found of it since it was loaded; taken when it is loaded again."""
        self.parent: Optional[Plugin] = None
        self._desired = Desired.ENABLED
        self.config = Settings(kernel, self)
        self.state = PluginState.UNLOADED
        self._reason: Optional[Reason] = None
        self.activation: Optional[Activation] = None
        self.called_for = False
        """Whether it was started, or was to be, since it last began to wait for its triggers."""
        self.waiting: Optional[Waiting] = None
        """What stands for it in the kernel while it waits for its triggers."""
        self.error: Optional[BaseException] = None
        self.generation = Generation(kernel, self, 0)
        self.faults = 0
        self.bindings: Dict[str, Plugin] = {}
        self.started = 0
        """Its place in the order in which plugins were enabled; 0 while it is not."""
        self.needs: Tuple[Plugin, ...] = ()
        """The plugins it is bound to by ``requires``."""
        self.bound = False
        """Whether ``needs`` says what it requires; not once it was stopped."""
        self.planned: FrozenSet[str] = frozenset()
        """Names in ``bindings`` that only the plan knows to be required."""
        self.users: Dict[str, Plugin] = {}
        """The plugins that are bound to it by ``requires``, by name."""
        self.offspring: Dict[str, Plugin] = {}
        """Its children, by name, in the order in which it loaded them."""
        self.warned: Set[str] = set()
        """The plugins it imported without naming them in its manifest."""
        self.receipt: Optional["Receipt"] = None
        self.last_module: Callable[[], Any] = _gone

    def __repr__(self) -> str:
        return f"<Plugin {self.name} {self.version} {self.state.value}>"

    @property
    def host(self) -> Any:
        """The ``PluginHost`` it belongs to."""
        return self._kernel.host

    @property
    def version(self) -> str:
        """The version, ``0`` where none is stated."""
        return self.candidate.version

    @property
    def metadata(self) -> PluginMetadata:
        """The manifest."""
        return self.candidate.metadata

    @property
    def path(self) -> Optional["Path"]:
        """The directory, file or archive that holds it, or None."""
        from pathlib import Path

        location = self.candidate.location
        return Path(location) if location is not None else None

    @property
    def desired(self) -> Desired:
        """What people want of it; only they change it."""
        return self._desired

    @desired.setter
    def desired(self, desired: Desired) -> None:
        self._desired = desired
        if desired is not Desired.ENABLED and self.waiting is not None:
            self._kernel.activations.disarm(self)
            if self.state not in _RUNNING:
                self._reason = unwanted(self)
            self._kernel.contributions.tell()

    @property
    def stopping(self) -> StopToken:
        """Its stop token, true from the moment it begins to stop: ``while not pkl.this.stopping``.

        Each load of its code has a token of its own.
        """
        return token_of(self.generation)

    @property
    def module(self) -> Any:
        """The entry-point module of the current generation, or None while it is not loaded.

        After a stop, the stopped generation's for as long as somebody else keeps it alive.
        """
        code = self.generation.code
        return code.module if code is not None else self.last_module()

    @property
    def api(self) -> Any:
        """What ``pkl.plugins.<name>`` shows: the package, or ``module`` if it has no package."""
        code = self.generation.code
        return code.api if code is not None else None

    @property
    def children(self) -> Tuple["Plugin", ...]:
        """The plugins it loaded and has not detached, in that order."""
        return tuple(self.offspring.values())

    @property
    def running(self) -> bool:
        """Whether it is enabled or on its way there or back."""
        return self.state in _RUNNING

    @property
    def reason(self) -> Optional[Reason]:
        """Why it is not running; None while it is."""
        if self._reason is None and self.state not in _RUNNING:
            return resting(self)
        return self._reason

    @reason.setter
    def reason(self, reason: Optional[Reason]) -> None:
        self._reason = reason

    @property
    def impairments(self) -> Tuple[Reason, ...]:
        """What does not work of it although it runs: wants that are not met, hook handlers that
        the host blocked, the events and hooks whose handlers are skipped because they kept
        failing, and the calls that are slow or hung. Empty while it does not run."""
        return tuple(impairments_of(self))

    @property
    def on_enable(self) -> LifecycleEvent:
        """Called when the plugin is enabled, before what it staged goes live."""
        return LifecycleEvent(self, "on_enable")

    @on_enable.setter
    def on_enable(self, event: LifecycleEvent) -> None:
        self._same(event, "on_enable")

    @property
    def on_disable(self) -> LifecycleEvent:
        """Called when the plugin is disabled, before its resources are released."""
        return LifecycleEvent(self, "on_disable")

    @on_disable.setter
    def on_disable(self, event: LifecycleEvent) -> None:
        self._same(event, "on_disable")

    @property
    def on_unload(self) -> LifecycleEvent:
        """Called once, when the plugin is unloaded or before its next generation loads."""
        return LifecycleEvent(self, "on_unload")

    @on_unload.setter
    def on_unload(self, event: LifecycleEvent) -> None:
        self._same(event, "on_unload")

    def _same(self, event: object, name: str) -> None:
        # ``plugin.on_disable += f`` assigns the event back; anything else is a mistake.
        if event != LifecycleEvent(self, name):
            raise AttributeError(f"{name} of a plugin cannot be replaced; subscribe to it")

    def is_ancestor_of(self, other: "Plugin") -> bool:
        """Whether ``other`` is a child of this plugin, or a child's child."""
        seen = other.parent
        while seen is not None:
            if seen is self:
                return True
            seen = seen.parent
        return False

    def move(self, action: Action, reason: Optional[Reason] = None) -> None:
        """Moves the state as the transition table allows; called by the kernel only.

        Raises:
            InvalidTransition: The table has no such move.
        """
        to = step(self.state, action)
        if to is None:
            raise InvalidTransition(
                f"plugin {self.name!r} {self.version} cannot be {action.value} while it is "
                f"{self.state.value}",
                plugin=self.name,
                version=self.version,
            )
        self.state = to
        self._reason = reason
        if to not in _STILL_WAITS and self.waiting is not None:
            self._kernel.activations.disarm(self)
        if to is PluginState.ENABLED:
            self.called_for = True
        if to not in _KEEPS_ERROR:
            self.error = None
        if to is PluginState.BLOCKED:
            self._kernel.held_up[self.name] = self
        else:
            self._kernel.held_up.pop(self.name, None)
        self._kernel.contributions.changed(self)

    def enable(self, *, detach: bool = False, replace: bool = False) -> "Plugin":
        """Runs the plugin: what it requires first, then its ``on_enable``, then all it staged.

        Enabling an enabled plugin does nothing. From DISABLED, or an ERROR or BLOCKED whose cause
        is gone, its code is imported afresh. Safe from any thread.

        Args:
            detach: For a child: let it live on when its parent stops.
            replace: Stop running plugins that it conflicts with, instead of refusing.

        Returns:
            The plugin itself.

        Raises:
            PluginBlocked: Something it requires is missing, unsatisfied, or not running.
            PluginLoadError: Its code could not be imported.
            PluginEnableError: One of its ``on_enable`` handlers raised.
            ConflictError: It conflicts with a running plugin.
            TransitionTimeout: Another transition of it did not end in time.
            TransitionDeadlock: It is being enabled on behalf of this very call.
            HostClosed: The host is closed.
        """
        self._kernel.lifecycle.enable_blocking(self, detach, replace)
        return self

    def disable(self, *, cascade: bool = True, timeout: Optional[float] = None) -> None:
        """Stops the plugin and takes back everything it holds.

        First its dependants in reverse start order, then its children, ``on_disable``, then its
        resources in reverse order of registration. A plugin that is not running is left as it
        is. Safe from any thread.

        Args:
            cascade: Whether dependants are stopped too; False refuses if there are any.
            timeout: Seconds to wait for calls in other threads and tasks, by default the host's.
                Given, it bounds handlers and clean-ups that block, too: they run on a thread of
                pkl's own then, which is left behind if they do not return.

        Raises:
            InUse: ``cascade`` is False and running plugins depend on it.
            NotPermitted: Another plugin than itself or an ancestor asks for it.
            CleanupError: What failed on the way, gathered; the plugin is stopped all the same.
        """
        self._kernel.lifecycle.disable_blocking(self, cascade, timeout)

    def crash(self, error: BaseException) -> None:
        """Says that the plugin failed while it ran: it is stopped, and its dependants with it.

        For whoever notices that it cannot go on: the host after a failed health check, or the
        plugin itself. It becomes ERROR(crash), and its dependants BLOCKED with that cause: they
        start again when it does, by its restart policy or by hand. What fails on the way is
        reported to ``host.on_error``. A plugin that does not run is left as it is. Safe from any
        thread.

        Args:
            error: What went wrong; ``plugin.error.__cause__`` from now on.

        Raises:
            NotPermitted: Another plugin than itself or an ancestor says so.
        """
        self._kernel.lifecycle.crash_blocking(self, error)

    def unload(self) -> None:
        """Stops the plugin if it runs, runs ``on_unload``, and forgets its code.

        Raises:
            NotPermitted: Another plugin than itself or an ancestor asks for it.
            CleanupError: What failed on the way, gathered; the plugin is unloaded all the same.
        """
        self._kernel.lifecycle.unload_blocking(self)

    async def aenable(self, *, detach: bool = False, replace: bool = False) -> "Plugin":
        """The async twin of ``enable``: async ``on_enable`` handlers are awaited."""
        await self._kernel.lifecycle.enable_async(self, detach, replace)
        return self

    async def adisable(self, *, cascade: bool = True, timeout: Optional[float] = None) -> None:
        """The async twin of ``disable``."""
        await self._kernel.lifecycle.disable_async(self, cascade, timeout)

    async def acrash(self, error: BaseException) -> None:
        """The async twin of ``crash``."""
        await self._kernel.lifecycle.crash_async(self, error)

    async def aunload(self) -> None:
        """The async twin of ``unload``."""
        await self._kernel.lifecycle.unload_async(self)


_KEEPS_ERROR = (PluginState.ERROR, PluginState.BLOCKED)
_STILL_WAITS = (PluginState.LOADED, PluginState.ENABLING)
_RUNNING = (PluginState.ENABLING, PluginState.ENABLED, PluginState.DISABLING)


def _gone() -> None:
    """Stands for the module of a plugin that was never loaded."""
