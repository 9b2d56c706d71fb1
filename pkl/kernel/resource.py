"""Resources: whatever a plugin holds that must be taken back when it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

from ..errors import PluginNotRunning
from .context import Subject, running_as
from .generation import Generation, not_running
from .ownership import registrant
from .runner import complete

if TYPE_CHECKING:
    from .core import Kernel
    from .plugin import Plugin
    from .ports import Undo

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

        Raises:
            Exception: Whatever ``_cleanup`` raised; the resource is unregistered all the same.
        """
        manager = self._subject.kernel.resource_manager
        if manager.take(self):
            manager.clean(self)


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
            ValueError: Its plugin belongs to another host.
        """
        if getattr(resource, "_subject", None) is None:
            resource._subject = registrant()  # its class does not call super().__init__()
        subject = resource._subject
        if subject.kernel is not self._kernel:
            raise ValueError(f"{resource!r} belongs to a plugin of another host")
        if resource._held:
            return resource
        if isinstance(subject, Generation) and subject.stopping:
            raise self._refusal(subject)
        resource._held = True
        subject.resources[id(resource)] = resource
        if isinstance(subject, Generation) and subject.dead:
            if subject.resources.pop(id(resource), None) is not None:
                resource._held = False
            raise self._refusal(subject)
        if resource.staged and subject.live:
            self.activate(resource, self._kernel.clock.monotonic())
        if self._register_hooks:
            self._kernel.call_hooks(self._register_hooks, "register hook", resource)
        return resource

    @staticmethod
    def _refusal(subject: Generation) -> PluginNotRunning:
        return not_running(subject.plugin, subject)

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
        subject = resource._subject
        acleanup = getattr(resource, "_acleanup", None)
        try:
            if acleanup is not None:
                complete(self._kernel.lifecycle.runner(False).call(subject, acleanup))
            else:
                with running_as(subject):
                    resource._cleanup()
        finally:
            self.cleaned(resource)

    def cleaned(self, resource: Resource) -> None:
        """Calls the clean-up hooks."""
        if self._cleanup_hooks:
            self._kernel.call_hooks(self._cleanup_hooks, "cleanup hook", resource)
