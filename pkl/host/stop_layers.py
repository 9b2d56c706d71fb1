"""What may stop together: the running plugins in layers, the reverse of how they were started."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Coroutine, Dict, Iterator, List, Optional, Sequence

from ..kernel.plugin import Plugin

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["all_of", "stop_layers"]


def stop_layers(kernel: "Kernel", rows: Sequence[Plugin]) -> List[List[Plugin]]:
    """Layers of plugins that do not bear on each other, to be stopped one layer after another.

    A plugin is in a later layer than everything that was started after it and requires it, wants
    it, is ordered after it, or is its child. What is not running comes last, in a layer each.

    Args:
        kernel: The host's kernel.
        rows: The plugins, last started first.
    """
    running = [p for p in rows if p.started]
    follows: Dict[Plugin, List[Plugin]] = {p: list(_earlier(kernel, p)) for p in running}
    for plugin in running:
        for order in plugin.metadata.before:
            for later in _named(kernel, order.name):
                if later in follows:
                    follows[later].append(plugin)
    level = dict.fromkeys(running, 0)
    layers: List[List[Plugin]] = []
    for plugin in running:
        # All that were started after it have been seen, so its own level stands.
        at = level[plugin]
        layers += [[] for _ in range(at + 1 - len(layers))]
        layers[at].append(plugin)
        for earlier in follows[plugin]:
            if earlier in level and earlier.started < plugin.started:
                level[earlier] = max(level[earlier], at + 1)
    return [*layers, *([p] for p in rows if not p.started)]


def _earlier(kernel: "Kernel", plugin: Plugin) -> Iterator[Plugin]:
    """What a plugin may have been started after."""
    yield from plugin.needs
    yield from plugin.bindings.values()
    for order in plugin.metadata.after:
        yield from _named(kernel, order.name)
    if plugin.parent is not None:
        yield plugin.parent


def _named(kernel: "Kernel", name: str) -> List[Plugin]:
    """The plugin of a name, else the plugins that provide the capability."""
    known = kernel.plugins.get(name)
    return [known] if known is not None else kernel.providers(name)


async def all_of(steps: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Awaits all of them at once, on the running loop; none is left behind if one fails.

    Raises:
        BaseException: The first of what they raised, in their order, once all have ended.
    """
    asyncio = sys.modules["asyncio"]
    ended = await asyncio.gather(*steps, return_exceptions=True)
    failed: Optional[BaseException] = next((e for e in ended if e is not None), None)
    if failed is not None:
        raise failed
