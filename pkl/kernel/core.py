"""The kernel of one host: its plugins, routes, hooks, and what it shares with them."""

from __future__ import annotations

import sys
from itertools import count
from threading import RLock
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    List,
    Optional,
    Type,
    TypeVar,
)

from ..errors import HostClosed, NameRefused
from ..errors.base import text_of
from ..model.candidate import Candidate, Origin
from ..model.state import PluginState
from ..names import identifier
from .activation import Activations
from .context import Subject, _current
from .contributions import Contributions
from .describe import describe
from .dispatch import passes
from .fault import PluginFault
from .hook_control import HookControl
from .hook_route import HookRoute
from .lifecycle import Lifecycle
from .log import logger_for
from .plugin import Plugin
from .resource import ResourceManager
from .route import Route
from .scheduler import Scheduler
from .service_registry import ServiceRegistry
from .stop_token import ask_to_stop
from .task_factory import follow, unfollow
from .transition import Transitions

if TYPE_CHECKING:
    from .ports import (
        Accountant,
        Clock,
        CodeLoader,
        Finder,
        Gate,
        SettingsSource,
        Supervisor,
        Undo,
    )

__all__ = ["Kernel"]

R = TypeVar("R", bound=Route)

_uids = count(1)

PLUGINS = f"{__name__.split('.', 1)[0]}.plugins"
"""The name of the virtual module ``pkl.plugins``."""


class Kernel:
    """What one host's plugins run on. Made by ``PluginHost``; safe from any thread.

    Args:
        host: The ``PluginHost`` it serves, handed to plugins as ``plugin.host``.
        name: The host's name, for logs and messages.
        loader: Imports plugin code.
        finder: Finds candidates by name or path.
        clock: Where time comes from.
        version: The host's version, which ``requires-host`` is held against; None for any.
        strict: Whether an undeclared import of a plugin is an error.
        loop: The host's event loop, or None.
        settings: Knows the settings of plugins; None for none.
        make_gate: Makes what stands before failing handlers; None for nothing.
        make_accountant: Makes what accounts for what plugins leave behind; None for nothing.
        stop_timeout: Seconds that a stopping plugin's calls and tasks may take to end.
        transition_timeout: Seconds that somebody waits for another's transition.
        activation_timeout: Seconds that somebody waits for a start that another's need set off.
        idle_after: Seconds without a start or stop after which the host counts as idle.
    """

    def __init__(
        self,
        host: Any,
        name: str,
        *,
        loader: "CodeLoader",
        finder: "Finder",
        clock: "Clock",
        version: Optional[str] = None,
        strict: bool = False,
        loop: Any = None,
        settings: Optional["SettingsSource"] = None,
        make_gate: Optional[Callable[[], "Gate"]] = None,
        make_accountant: Optional[Callable[["Kernel"], "Accountant"]] = None,
        stop_timeout: float = 5.0,
        transition_timeout: float = 30.0,
        activation_timeout: float = 10.0,
        idle_after: float = 1.0,
    ) -> None:
        self.uid = next(_uids)
        self.host = host
        self.name = name
        self.host_version = version
        self.loader = loader
        self.finder = finder
        self.clock = clock
        self.strict = strict
        self.settings = settings
        self.make_gate = make_gate
        self.supervisor: Optional["Supervisor"] = None
        """Who is told of failures; None for nobody."""
        self.loop: Any = None
        if loop is not None:
            self.adopt_loop(loop)
        self.stop_timeout = stop_timeout
        self.transition_timeout = transition_timeout
        self.closing = False
        """Whether nothing may be started any more."""
        self.closed = False
        self.mutex = RLock()
        """Guards states and bindings; never held while plugin code or an import runs."""
        self.plugins: Dict[str, Plugin] = {}
        self.held_up: Dict[str, Plugin] = {}
        """Those that are BLOCKED, by name."""
        self.start_order = count(1)
        self.transitions = Transitions()
        self.switch_hooks: List[Callable[..., Any]] = []
        self.enable_hooks: List[Callable[..., Any]] = []
        self.disable_hooks: List[Callable[..., Any]] = []
        self.hook_control = HookControl(self._hooks_changed)
        self.error_hooks: List[Callable[[PluginFault], Any]] = []
        self.subject = Subject(self, None, live=True)
        self.resource_manager = ResourceManager(self)
        self.services = ServiceRegistry()
        self.contributions = Contributions(self)
        self.scheduler = Scheduler(clock, f"pkl-timers-{name}")
        self.lifecycle = Lifecycle(self)
        self.activations = Activations(self, activation_timeout, idle_after)
        self.accountant = None if make_accountant is None else make_accountant(self)
        self._routes: Dict[str, Dict[str, Route]] = {}
        self._quarrelsome: Dict[str, Plugin] = {}
        self._providers: Dict[str, Dict[str, Plugin]] = {}
        self._host_routes: List[Dict[int, Route]] = []

    def check_open(self) -> None:
        """Refuses once the host is closed, or about to be.

        Raises:
            HostClosed: It is.
        """
        if self.closing:
            raise HostClosed(
                f"the host {self.name!r} is {'closed' if self.closed else 'being closed'}",
                hint="make a new PluginHost; a closed one does not start again",
            )

    def adopt_loop(self, loop: Any) -> None:
        """Makes an event loop the host's, and follows the tasks that plugins create on it."""
        before, self.loop = self.loop, loop
        follow(loop)
        if before is not None:
            unfollow(before)

    def begin_close(self) -> None:
        """Refuses to start anything from now on; what is on its way is still to be waited for."""
        with self.mutex:
            self.closing = True
        self.activations.close()
        ask_to_stop(self.subject)

    def route(self, plugin: str, name: str, kind: Type[R]) -> R:
        """The route of one plugin's event or hook, the same for all its generations.

        What subscribed to one of the other kind that bore the name is dropped.
        """
        routes = self._routes.setdefault(plugin, {})
        found = routes.get(name)
        if type(found) is kind:
            return found
        made = routes[name] = kind(self, f"{plugin}.{name}")
        if found is not None:
            self.activations.move(found, made)
        return made

    def named_route(self, plugin: str, name: str, kind: Type[Route]) -> Route:
        """What was declared under that name, of whatever kind; one of ``kind`` if nothing was."""
        found = self._routes.get(plugin, {}).get(name)
        if found is not None and (found.event is not None or isinstance(found, kind)):
            return found
        return self.route(plugin, name, kind)

    def routes_of(self, plugin: str) -> List[Route]:
        """The routes of every event that a plugin has or had."""
        return list(self._routes.get(plugin, {}).values())

    def _hooks_changed(self) -> None:
        for routes in list(self._routes.values()):
            for route in list(routes.values()):
                if isinstance(route, HookRoute):
                    route.changed()

    def quarrelsome(self) -> List[Plugin]:
        """The running plugins that declare conflicts."""
        return [p for p in list(self._quarrelsome.values()) if p.running]

    def providers(self, capability: str) -> List[Plugin]:
        """The plugins whose manifests state that they provide a capability."""
        return list(self._providers.get(capability, {}).values())

    def forget_import(self, plugin: str) -> None:
        """Makes the next ``import pkl.plugins.<name>`` ask again whether the plugin runs."""
        sys.modules.pop(f"{PLUGINS}.{identifier(plugin)}", None)

    def forget_on_close(self, routes: Dict[int, Route]) -> None:
        """Remembers a host event's table of routes, to leave it when the host closes."""
        with self.mutex:
            if self.closed:
                routes.pop(self.uid, None)
            else:
                self._host_routes.append(routes)
                self.activations.host_route(routes[self.uid])

    def host_routes(self, name: str) -> List[Route]:
        """The routes of the host's events and hooks of a name; a module may declare its own."""
        with self.mutex:
            found = [routes.get(self.uid) for routes in self._host_routes]
        return [route for route in found if route is not None and route.name == name]

    def add(self, candidate: Candidate, parent: Optional[Plugin] = None) -> Plugin:
        """The row of a candidate: the known one of that name, or a new one.

        A row that is not running takes the newly found candidate over, unless it was named by
        path and the new one was merely found.

        Raises:
            NameRefused: A plugin of that name is running from somewhere else, and this one was
                named by path.
        """
        with self.mutex:
            known = self.plugins.get(candidate.name)
            if known is None:
                plugin = Plugin(self, candidate)
                self.plugins[plugin.name] = plugin
                self.set_parent(plugin, parent)
                self._note(plugin)
                return plugin
            by_path = known.candidate.origin is Origin.PATH
            if not _in_use(known) and not (by_path and candidate.origin is not Origin.PATH):
                self._forget(known)
                known.candidate, known.successor = candidate, None
                self._note(known)
                return known
            same = known.candidate.location == candidate.location
            if same:
                known.successor = candidate
            if same or candidate.origin is not Origin.PATH:
                return known
        raise NameRefused(
            f"there is a plugin {known.name!r} {known.version} already, from "
            f"{known.candidate.source}; this one is at {candidate.location}",
            plugin=known.name,
            version=known.version,
            file=candidate.location,
            hint=f"unload it first, host.get_plugin({known.name!r}).unload(), or rename one",
        )

    def _note(self, plugin: Plugin) -> None:
        if plugin.metadata.conflicts:
            self._quarrelsome[plugin.name] = plugin
        for provided in plugin.metadata.provides:
            self._providers.setdefault(provided.name, {})[plugin.name] = plugin

    def _forget(self, plugin: Plugin) -> None:
        self._quarrelsome.pop(plugin.name, None)
        for provided in plugin.metadata.provides:
            self._providers.get(provided.name, {}).pop(plugin.name, None)

    def set_parent(self, plugin: Plugin, parent: Optional[Plugin]) -> None:
        """Makes ``plugin`` a child of ``parent``, or (None) independent."""
        if plugin.parent is not None:
            plugin.parent.offspring.pop(plugin.name, None)
        plugin.parent = parent
        if parent is not None:
            parent.offspring[plugin.name] = plugin

    def add_hook(self, hooks: List[Callable[..., Any]], hook: Callable[..., Any]) -> "Undo":
        """Adds a hook to one of the kernel's lists and returns its undo."""
        if not callable(hook):
            raise TypeError(f"a hook must be callable, not {hook!r}")
        entry = [hook]

        def call(*args: Any) -> Any:
            return entry[0](*args)

        call.__wrapped__ = hook  # type: ignore[attr-defined]
        hooks.append(call)
        self._observers_changed(hooks)

        def undo() -> None:
            if call in hooks:
                hooks.remove(call)
                self._observers_changed(hooks)

        return undo

    def _observers_changed(self, hooks: List[Callable[..., Any]]) -> None:
        if hooks is self.switch_hooks:
            for plugin in list(self.plugins.values()):
                plugin.generation.refresh_path()

    def call_hooks(self, hooks: List[Callable[..., Any]], what: str, *args: Any) -> None:
        """Calls hooks as the host; one that raises is reported and dropped from that call."""
        previous = _current.get()
        _current.set(self.subject)
        try:
            for hook in tuple(hooks):
                try:
                    hook(*args)
                except BaseException as error:
                    if passes(error):
                        raise
                    named = describe(getattr(hook, "__wrapped__", hook))
                    self.contain(self.subject, error, f"{what} {named}")
        finally:
            _current.set(previous)

    def contain(
        self, subject: Subject, error: BaseException, where: str, *, log: bool = True
    ) -> None:
        """Takes an error of plugin code: counts it, logs it, and tells ``host.on_error``."""
        plugin = subject.plugin
        if plugin is not None:
            with self.mutex:
                plugin.faults += 1
        if log:
            logger_for(plugin.name if plugin is not None else None).error(
                "%s raised %s: %s",
                where,
                type(error).__name__,
                text_of(error),
                exc_info=(type(error), error, error.__traceback__),
                extra={
                    "plugin": plugin.name if plugin is not None else None,
                    "plugin_version": plugin.version if plugin is not None else None,
                    "host": self.name,
                },
            )
        if self.error_hooks:
            self._report(PluginFault(plugin, where, error))

    def _report(self, fault: PluginFault) -> None:
        previous = _current.get()
        _current.set(self.subject)
        try:
            for hook in tuple(self.error_hooks):
                try:
                    hook(fault)
                except KeyboardInterrupt:
                    raise
                except BaseException:
                    # Reporting this one too could go on for ever: the log has to do.
                    named = describe(getattr(hook, "__wrapped__", hook))
                    self.log_exception("on_error handler %s raised", named)
        finally:
            _current.set(previous)

    def log_exception(self, message: str, *args: Any) -> None:
        """Logs the exception being handled as the host's, with the fields every record has."""
        fields = {"plugin": None, "plugin_version": None, "host": self.name}
        logger_for(None).error(message, *args, exc_info=True, extra=fields)

    def close(self) -> None:
        """Ends the scheduler and lets go of host events; called once every plugin is stopped."""
        with self.mutex:
            self.closing = self.closed = True
        self.scheduler.close()
        if self.loop is not None:
            unfollow(self.loop)
        with self.mutex:
            for routes in self._host_routes:
                routes.pop(self.uid, None)
            self._host_routes.clear()
        self._routes.clear()


def _in_use(plugin: Plugin) -> bool:
    return plugin.running or plugin.state is PluginState.LOADED
