"""The plugin host: what an application embeds. It wires the house together and delegates."""

from __future__ import annotations

import os
from functools import partial
from itertools import count
from threading import Event as Flag
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
)

from ..errors import CleanupError
from ..kernel.bounded import BoundedRunner
from ..kernel.context import _current, running_as
from ..kernel.core import Kernel
from ..kernel.generation import refuse_stopped
from ..kernel.importer import HostPlugins
from ..kernel.plugin import Plugin
from ..kernel.resource import ResourceManager
from ..kernel.runner import complete
from ..loader import GenerationLoader
from ..model.candidate import Discovery
from ..model.contributions import Points
from ..model.plan import Plan
from ..names import canonical
from ..observe import HostAccountant
from ..supervision import Breaker, Supervision
from .clock import RealClock
from .curing import Curing
from .custom import CustomLoader
from .exiting import Exiting
from .finding import HostFinder
from .hanging import HangWatch
from .installed import HostGeneration
from .looking import refuse_while_looking
from .report import StartReport
from .restarting import Restarter
from .rows import PathLike, Rows
from .safe_mode import asked_for
from .settings import HostSettings
from .signal import ErrorSignal, StallSignal
from .start_watch import StartWatch
from .starting import adopt, start, stop
from .watching import Watching
from .wishes import Wishes

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..kernel.ports import Clock, CodeLoader, MetadataLoader, PluginLoader

__all__ = ["PluginHost"]

_unnamed = count(1)


class PluginHost(Curing, Watching, Exiting):
    """A kernel for plugins inside an application. Several may live side by side.

    Every method may be called from any thread. A host is a context manager, sync and async:
    leaving it closes it.

    Args:
        name: The application's name; a host without one keeps nothing on disk.
        version: The application's version, which ``requires-host`` is held against.
        group: The entry-point group its plugins are found in.
        paths: Plugin directories, or directories of plugin directories.
        plugin_loader: An object with ``load(plugin)`` that imports plugin code, in place of
            pkl's own loader.
        metadata_loader: An object with ``load(path)`` that reads the manifest of a plugin
            directory, in place of pkl's own reader.
        strict: Make importing a plugin that the manifest does not name an error.
        settings: Settings of plugins, by plugin; they come before the manifests' defaults.
        contributions: The points that plugins may contribute to in their manifests, each with a
            JSON Schema (draft 2020-12) or None for any value; None for a host without points.
        precedence: Distributions or directories, best first, that win where two offer one name.
        loop: The event loop for async timers and tasks; ``astart()`` takes the running one.
        clock: Where time comes from; ``pkl.testing.FakeClock()`` in tests.
        safe_mode: Start only what is critical; by default as ``PKL_SAFE_MODE`` says.
        supervision: How far failing plugins are given another chance; by default
            ``Supervision()``.
        stop_timeout: Seconds that a stopping plugin's calls may take to end.
        close_timeout: Seconds that ``close()`` may take in all.
        bounded_close: Whether ``close()`` runs what stops plugins on a thread of its own, so that
            it can go on without what does not return; False for the thread that closes.
        transition_timeout: Seconds to wait for another thread's transition of a plugin.
        activation_timeout: Seconds to wait for a plugin that another caller is starting on need.
        idle_after: Seconds without a start or stop after which the host counts as idle.
    """

    def __init__(
        self,
        name: Optional[str] = None,
        *,
        version: Optional[str] = None,
        group: str = "pkl.plugins",
        paths: Sequence[PathLike] = (),
        plugin_loader: Optional["PluginLoader"] = None,
        metadata_loader: Optional["MetadataLoader"] = None,
        strict: bool = False,
        settings: Optional[Mapping[str, Mapping[str, Any]]] = None,
        contributions: Optional[Mapping[str, Any]] = None,
        precedence: Sequence[str] = (),
        loop: Optional["AbstractEventLoop"] = None,
        clock: Optional["Clock"] = None,
        safe_mode: Optional[bool] = None,
        supervision: Optional[Supervision] = None,
        stop_timeout: float = 5.0,
        close_timeout: float = 15.0,
        bounded_close: bool = True,
        transition_timeout: float = 30.0,
        activation_timeout: float = 10.0,
        idle_after: float = 1.0,
    ) -> None:
        self.name = name
        self.version = version
        self.group = group
        self.close_timeout = close_timeout
        self.bounded_close = bounded_close
        self.safe_mode = asked_for() if safe_mode is None else safe_mode
        self._precedence = tuple(precedence)
        self._generation = HostGeneration(name)
        self._finder = HostFinder(
            group,
            [os.path.abspath(os.fspath(p)) for p in paths],
            cache=name is not None,
            precedence=precedence,
            metadata_loader=metadata_loader,
            points=None if contributions is None else Points(contributions),
            generation=self._generation,
        )
        loader: "CodeLoader" = (
            GenerationLoader(write_bytecode=True)
            if plugin_loader is None
            else CustomLoader(plugin_loader)
        )
        self._settings = HostSettings(settings or {}, self._kept_settings)
        supervised = supervision or Supervision()
        policy = supervised.breaker
        self.kernel = Kernel(
            self,
            name if name is not None else f"host-{next(_unnamed)}",
            loader=loader,
            finder=self._finder,
            clock=clock if clock is not None else RealClock(),
            version=version,
            strict=strict,
            loop=loop,
            settings=self._settings,
            make_gate=None if policy is None else partial(Breaker, policy),
            make_accountant=HostAccountant,
            stop_timeout=stop_timeout,
            transition_timeout=transition_timeout,
            activation_timeout=activation_timeout,
            idle_after=idle_after,
        )
        self._finder.kernel = self.kernel
        self.kernel.contributions.points = self._finder.points
        self.plugins = HostPlugins(self.kernel)
        self._on_error = ErrorSignal(self.kernel, self.kernel.error_hooks)
        self._rows = Rows(self.kernel, self._finder)
        self._wishes = Wishes(self.kernel, self._finder, self._rows, name is not None)
        give_up = self._wishes.quarantine
        hangs = HangWatch(self.kernel, supervised.watchdog, give_up)
        self._on_stall = StallSignal(self.kernel, hangs.hooks)
        self._restarter = Restarter(self.kernel, supervised.restart, give_up, hangs)
        self.kernel.supervisor = self._restarter
        self._starts = StartWatch(self.kernel, name is not None, self._wishes.store)
        self._exit = Flag()

    def __repr__(self) -> str:
        return f"<PluginHost {self.kernel.name} ({len(self.kernel.plugins)} plugins)>"

    @property
    def paths(self) -> Tuple[str, ...]:
        """The plugin directories, absolute."""
        return self._finder.paths

    @property
    def closed(self) -> bool:
        """Whether ``close()`` has run."""
        return self.kernel.closed

    @property
    def resource_manager(self) -> ResourceManager:
        """Knows what each plugin holds."""
        return self.kernel.resource_manager

    def get_plugin(self, name: str) -> Optional[Plugin]:
        """The known plugin of that name, in any spelling and any state, or None."""
        return self.kernel.plugins.get(canonical(name))

    def all_plugins(self) -> Tuple[Plugin, ...]:
        """Every known plugin, sorted by name."""
        return tuple(p for _, p in sorted(self.kernel.plugins.items()))

    def get_current_plugin(self) -> Optional[Plugin]:
        """The plugin of this host whose code is running here, or None."""
        subject = _current.get()
        return subject.plugin if subject is not None and subject.kernel is self.kernel else None

    def as_current(self) -> running_as:
        """``with host.as_current():`` makes this the host in whose name code outside runs."""
        return running_as(self.kernel.subject)

    def discover(self, *, refresh: bool = False) -> Discovery:
        """Looks for plugins in the group and the paths; imports nothing and never raises for
        what it finds.

        Args:
            refresh: Ignore what an earlier run remembered.
        """
        return self._finder.discover(refresh)

    def load_plugin(
        self, source: Optional[PathLike] = None, *, path: Optional[PathLike] = None
    ) -> Plugin:
        """Loads a plugin, and before it what it requires, but does not enable it.

        Inside a plugin, a path is relative to that plugin's own directory and the plugin found
        there becomes its child. A ``str`` without a path separator is a name; loading a known
        name returns that plugin.

        Args:
            source: A path, or a name.
            path: A path, whatever it looks like.

        Raises:
            PluginNotFound: No source has a plugin of that name.
            PathError: There is no plugin at that path.
            ManifestError: Its manifest is faulty; all faults are in the error.
            PluginBlocked: Something it requires is missing or unsatisfied.
            PluginLoadError: Its code raised.
            NameRefused: Another plugin of its name is loaded from somewhere else.
            PluginNotRunning: Code of a plugin asks for it that has been stopped.
            HostClosed: The host is closed.
        """
        refuse_while_looking("load_plugin()")
        refuse_stopped()
        self._wishes.know()
        self._generation.pin()
        plugin = self._rows.row(source, path, self.get_current_plugin())
        self.kernel.lifecycle.load_blocking(plugin)
        return plugin

    def start(self, *names: str) -> StartReport:
        """Finds, plans, loads and enables every plugin that is wanted, one at a time in order.

        It never raises for one plugin's fault: that is in the report, and in ``plugin.reason``.

        Args:
            names: Start only these and what they need; the report is about them alone.

        Raises:
            PluginNotFound: There is no plugin of such a name.
            HostClosed: The host is closed.
        """
        plan = self._prepare(names)
        lifecycle = self.kernel.lifecycle
        run = lifecycle.runner(False)
        with self._starts.going_on() as progress:
            report = complete(start(self.kernel, run, plan, False, names, progress))
        return self._reported(report)

    async def astart(self, *names: str) -> StartReport:
        """The async twin of ``start``: the plugins of a layer are started together, async
        handlers are awaited, and the running loop becomes the host's if it has none."""
        import asyncio

        if self.kernel.loop is None or self.kernel.loop.is_closed():
            self.kernel.adopt_loop(asyncio.get_running_loop())
        plan = self._prepare(names)
        run = self.kernel.lifecycle.runner(True)
        with self._starts.going_on() as progress:
            report = await start(self.kernel, run, plan, True, names, progress)
        return self._reported(report)

    def _prepare(self, names: Sequence[str]) -> Plan:
        self.kernel.check_open()
        refuse_while_looking("start()")
        self._read_state()
        self._settings.read_environment()
        self.discover()
        plan = self.resolve(*names)
        adopt(self.kernel, self._rows.candidates(), plan, self._rows.desired)
        self.kernel.contributions.expect(plan, starting=True)
        self._begun = True
        return plan

    def close(self) -> None:
        """Stops every plugin in reverse start order within ``close_timeout``, and the host.

        Closing a closed host does nothing. A handler that does not return is given up, with its
        thread; what has to run on the thread that closes says so: ``on_stopping_thread``.

        Raises:
            CleanupError: What failed on the way, gathered; everything is stopped all the same.
            NotPermitted: A plugin asks for it; plugins use ``exit()``.
        """
        self._check_may_close()
        with self._generation.leaving():
            if not self.bounded_close:
                run = self.kernel.lifecycle.runner(False)
                complete(stop(self.kernel, run, self.close_timeout))
                return
            with BoundedRunner(self.kernel) as bounded:
                complete(stop(self.kernel, bounded, self.close_timeout))

    async def aclose(self) -> None:
        """The async twin of ``close``."""
        self._check_may_close()
        with self._generation.leaving():
            await stop(self.kernel, self.kernel.lifecycle.runner(True), self.close_timeout)

    def __enter__(self) -> "PluginHost":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            self.close()
        except CleanupError:
            if error is None:
                raise
            self.kernel.log_exception("closing the host failed while another error was raised")

    async def __aenter__(self) -> "PluginHost":
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            await self.aclose()
        except CleanupError:
            if error is None:
                raise
            self.kernel.log_exception("closing the host failed while another error was raised")
