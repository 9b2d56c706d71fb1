"""Plugins without files: their code is a Python function, run by a ``plugin_loader=`` object."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable, Dict, Optional

import pkl
from pkl.model.candidate import Candidate, Discovery, Origin
from pkl.testing import FakeClock

Body = Callable[[Any], Any]
"""A plugin's code: it is given a fresh namespace, which stands for the module."""


class Bodies:
    """A plugin loader that runs functions."""

    def __init__(self) -> None:
        self.of: Dict[str, Body] = {}

    def load(self, plugin: pkl.Plugin) -> Any:
        """Runs the plugin's function."""
        module = SimpleNamespace(plugin=plugin)
        self.of[plugin.name](module)
        return module


def nothing(module: Any) -> None:
    """The body of a plugin that does nothing."""


def _nothing_found(refresh: bool = False) -> Discovery:
    return Discovery()


class Synthetic:
    """A host of plugins that are functions.

    Args:
        options: Arguments of ``PluginHost``.
    """

    def __init__(self, **options: Any) -> None:
        self.bodies = Bodies()
        options.setdefault("clock", FakeClock())
        self.host = pkl.PluginHost(plugin_loader=self.bodies, group="pkl.tests.nothing", **options)
        # There is nothing to be found, and looking takes time.
        self.host._finder.discover = _nothing_found  # type: ignore[method-assign]

    def add(
        self, name: str, body: Body = nothing, parent: Optional[pkl.Plugin] = None, **manifest: Any
    ) -> pkl.Plugin:
        """Adds a plugin, UNLOADED."""
        self.bodies.of[name] = body
        keys = {key.replace("_", "-"): value for key, value in manifest.items()}
        metadata = pkl.PluginMetadata({"name": name, "version": "1.0", **keys})
        return self.host.kernel.add(Candidate(name, metadata, Origin.PATH), parent)

    def chain(self, length: int, body: Body = nothing) -> "list[pkl.Plugin]":
        """Adds plugins of which each requires the one before it."""
        plugins = [self.add("p0", body)]
        plugins += [self.add(f"p{i}", body, requires=[f"p{i - 1}"]) for i in range(1, length)]
        return plugins


def check_settled(host: pkl.PluginHost) -> None:
    """Nothing is half-way: what holds of a host whenever nobody is in the middle of anything."""
    kernel = host.kernel
    assert pkl.get_current_plugin() is None
    assert not kernel.transitions._held and not kernel.transitions._awaited
    names = set(kernel.plugins)
    for plugin in kernel.plugins.values():
        where = repr(plugin)
        generation = plugin.generation
        assert plugin.state.value not in ("enabling", "disabling"), where
        assert (kernel.held_up.get(plugin.name) is plugin) == (plugin.state.value == "blocked")
        if plugin.state.value == "enabled":
            assert plugin.reason is None and plugin.error is None and plugin.started, where
            assert generation.live and generation.open and not generation.dead, where
            for need in plugin.needs:
                assert need.state.value == "enabled" and need.started < plugin.started, where
                assert need.users.get(plugin.name) is plugin, where
            continue
        assert not generation.live and not generation.open and not plugin.started, where
        assert not generation.async_calls, where
        reason = plugin.reason
        assert reason is not None and reason.code and reason.message, where
        words = {word.strip("'\",:") for word in reason.cause.split()}
        closed = f"the host {kernel.name!r} was closed" == reason.cause
        assert words & names or closed, f"{where}: {reason}"
        assert (plugin.error is not None) <= (plugin.state.value in ("error", "blocked")), where
        if plugin.state.value != "loaded":
            assert not host.resource_manager.get_resources(plugin), where
            assert generation.number == 0 or generation.dead, where
            assert generation.code is None and not generation.events, where
            assert not plugin.generation.handlers.keys() & {"on_enable", "on_disable"}, where
