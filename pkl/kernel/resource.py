"""Resources: whatever a plugin holds that must be taken back when it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

from ..errors import PklError
from .context import Subject
from .dispatch import call_one
from .flat import complete
from .generation import Generation, not_running
from .ownership import registrant

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import Undo
    from .runner import Runner

__all__ = ["Resource", "ResourceManager"]


class Resource:
    """Something a plugin holds; override ``_cleanup``, or ``async _acleanup``.

    A resource is held from ``host.resource_manager.register(resource)`` on, is released in
    reverse order of registration when its plugin stops, and is released also where the plugin
    was never enabled. Its clean-up runs once, as the plugin.
    """

    def __init__(self, plugin: Optional["Plugin"] = None) -> None:
        """Makes a resource of ``plugin``, by default of the current plugin."""
        self._subject: Subject = registrant() if plugin is None else plugin.generation

    _held = False
    _active = False

    @property
    def plugin(self) -> Optional["Plugin"]:
        """The plugin that holds it, or None for the host."""
        return self._subject.plugin

    @property
    def held(self) -> bool:
        """Whether it is registered and not yet released."""
        return self._held

    def _cleanup(self) -> None:
        """Gives back what the resource holds; called once, as its plugin."""

    @property
    def staged(self) -> bool:
        """Whether ``_activate`` is to be called once the plugin is live."""
        return False

    def _activate(self, now: float) -> None:
        """Called once when the plugin becomes live; ``now`` is that moment of the host's clock."""

    def release(self) -> None:
        """Releases it now, by hand; does nothing if it was released before.

        An ``_acleanup`` runs on the host's loop if that runs in another thread, else on one of
        its own; on an event loop, use ``arelease``.

        Raises:
            Exception: Whatever ``_cleanup`` raised; the resource is unregistered all the same.
        """
        manager = self._subject.kernel.resource_manager
        if manager.take(self):
            manager.clean(self)

    async def arelease(self) -> None:
        """The async twin of ``release``: an ``_acleanup`` is awaited."""
        kernel = self._subject.kernel
        if kernel.resource_manager.take(self):
            run = kernel.lifecycle.runner(True)
            await kernel.resource_manager.clean_up(run, self, None)


class ResourceManager:
    """Knows which plugin of one host holds what. Safe from any thread."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._register_hooks: List[Callable[[Resource], Any]] = []
        self._cleanup_hooks: List[Callable[[Resource], Any]] = []

    def register(self, resource: Resource) -> Resource:
        """Holds a resource for its plugin and returns it; a held one is left as it is.

        Raises:
            PluginNotRunning: Its plugin has been stopped, or is stopping.
            HostClosed: It is the host's own, and the host is closed.
            ValueError: Its plugin belongs to another host.
        """
        if getattr(resource, "_subject", None) is None:
            resource._subject = registrant()  # its class does not call super().__init__()
        subject = resource._subject
        if subject.kernel is not self._kernel:
            raise ValueError(f"{resource!r} belongs to a plugin of another host")
        if resource._held:
            return resource
        self._check_admits(subject)
        resource._held = True
        subject.resources[id(resource)] = resource
        try:
            # Whoever stops the plugin says so before it releases what there is: either that is
            # seen here, or this resource is seen there.
            self._check_admits(subject)
        except PklError:
            if subject.resources.pop(id(resource), None) is not None:
                resource._held = False
            raise
        if resource.staged and subject.live:
            self.activate(resource, self._kernel.clock.monotonic())
        if self._register_hooks:
            self._kernel.call_hooks(self._register_hooks, "register hook", resource)
        return resource

    def _check_admits(self, subject: Subject) -> None:
        if isinstance(subject, Generation):
            if subject.stopping:
                raise not_running(subject.plugin, subject)
        elif self._kernel.closed:
            self._kernel.check_open()

    def get_resources(self, plugin: Optional["Plugin"]) -> Tuple[Resource, ...]:
        """What a plugin holds, in order of registration; with None, what the host holds."""
        subject = self._kernel.subject if plugin is None else plugin.generation
        return tuple(subject.resources.values())

    def add_register_hook(self, hook: Callable[[Resource], Any]) -> "Undo":
        """Calls ``hook(resource)`` after each registration; returns its undo."""
        return self._kernel.add_hook(self._register_hooks, hook)

    def add_cleanup_hook(self, hook: Callable[[Resource], Any]) -> "Undo":
        """Calls ``hook(resource)`` after each release; returns its undo."""
        return self._kernel.add_hook(self._cleanup_hooks, hook)

    def activate(self, resource: Resource, now: float) -> None:
        """Activates a staged resource, once, however many threads ask for it."""
        with self._kernel.mutex:
            if resource._active or not resource._held:
                return
            resource._active = True
        resource._activate(now)

    def take(self, resource: Resource) -> bool:
        """Unregisters it; True for the one caller that is now to clean it up."""
        taken = resource._subject.resources.pop(id(resource), None) is not None
        if taken:
            resource._held = False
        return taken

    def clean(self, resource: Resource) -> None:
        """Runs a taken resource's clean-up as its plugin, then the hooks."""
        if getattr(resource, "_acleanup", None) is not None:
            complete(self.clean_up(self._kernel.lifecycle.runner(False), resource, None))
            return
        try:
            call_one(resource._subject, resource._cleanup, (), {})
        finally:
            self.cleaned(resource)

    async def clean_up(self, run: "Runner", resource: Resource, seconds: Optional[float]) -> None:
        """As ``clean``, awaiting an ``_acleanup`` for at most ``seconds``."""
        clean = getattr(resource, "_acleanup", None) or resource._cleanup
        try:
            await run.call(resource._subject, clean, seconds)
        finally:
            self.cleaned(resource)

    def cleaned(self, resource: Resource) -> None:
        """Calls the clean-up hooks."""
        if self._cleanup_hooks:
            self._kernel.call_hooks(self._cleanup_hooks, "cleanup hook", resource)
