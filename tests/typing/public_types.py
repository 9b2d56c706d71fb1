"""What decorators, events and hosts look like to a type checker; ``mypy --strict`` checks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, AsyncIterator, Generator, Iterator, List, Optional, Protocol, Tuple

from typing_extensions import assert_type

import pkl


@pkl.syscall
def call(number: int, *, text: str = "") -> str:
    """A plain function keeps its signature."""
    return text * number


@pkl.syscall
async def acall(number: int) -> int:
    """A coroutine function stays one."""
    return number


@pkl.syscall
def steps(number: int) -> Generator[int, None, str]:
    """A generator function stays one."""
    yield number
    return ""


@pkl.event
def plain(number: int) -> None:
    """A sync event returns nothing."""


@pkl.event(protected=True, errors="raise")
def around(text: str) -> Iterator[None]:
    """A generator event takes its own arguments."""
    yield


@pkl.event
async def aplain(number: int) -> None:
    """An async event is awaited."""


@pkl.event()
async def aaround(number: int) -> AsyncIterator[None]:
    """An async generator event is awaited too."""
    yield


@pkl.hook
def asked(number: int, text: str = "") -> None:
    """A hook takes its own arguments and gives results."""


@pkl.hook
async def aasked(number: int) -> None:
    """An async hook is awaited."""


@asked.on
def answer(number: int) -> str:
    """A handler stays what it is."""
    return str(number)


@asked.on(priority=3, wrapper=True)
def wrapping(number: int) -> Generator[None, pkl.Results, None]:
    """So does a wrapper."""
    yield


@pkl.hookimpl("other.hook", optional=True, tryfirst=True)
def named(number: int) -> str:
    """And a handler by name."""
    return str(number)


class Store(Protocol):
    """An interface; abstract classes and Protocols may be asked for."""

    def save(self, text: str) -> int:
        """Keeps a text."""


def services() -> None:
    """A handle knows what its provider can do."""
    assert_type(pkl.use(Store), pkl.Service[Store])
    assert_type(pkl.use(Store, ">=2", greedy=True).api, Store)
    assert_type(pkl.use(Store).api.save("a"), int)
    pkl.use(Store).api.save(1)  # type: ignore[arg-type]
    assert_type(pkl.use("audit-log>=1"), pkl.Service[Any])
    assert_type(list(pkl.use_all(Store)), "list[Store]")
    assert_type(pkl.use(Store).provider, Optional[pkl.Provision])
    assert_type(pkl.use(Store).wait(1.0), bool)


def check(host: pkl.PluginHost, path: Path) -> None:
    """Holds the types together."""
    assert_type(call(1, text="a"), str)
    assert_type(steps(1), Generator[int, None, str])
    event: pkl.Event[[int], None] = plain
    assert_type(event(1), None)
    assert_type(plain(1), None)
    plain("one")  # type: ignore[arg-type]
    around(1)  # type: ignore[arg-type]
    assert_type(asked(1), pkl.Results)
    assert_type(asked(1).values, List[Any])
    assert_type(asked(1)[0], pkl.HookResult)
    assert_type(asked.without("a").with_handlers(answer)(1, text="b"), pkl.Results)
    assert_type(asked.handlers(), Tuple[pkl.HookHandler, ...])
    asked("one")  # type: ignore[arg-type]
    assert_type(answer(1), str)
    assert_type(wrapping(1), Generator[None, pkl.Results, None])
    assert_type(named(1), str)
    assert_type(host.unblock_handlers("a"), bool)

    @plain.on
    def handler(number: int) -> int:
        return number

    assert_type(handler(1), int)
    assert_type(host.get_plugin("a"), Optional[pkl.Plugin])
    plugin = pkl.load_plugin(path=path)
    assert_type(plugin, pkl.Plugin)
    assert_type(plugin.enable(), pkl.Plugin)
    assert_type(plugin.path, Optional[Path])
    assert_type(host.start(), pkl.StartReport)
    assert_type(host.resolve().layers, Tuple[Tuple[str, ...], ...])
    assert_type(pkl.get_current_plugin(), Optional[pkl.Plugin])
    assert_type(pkl.this, pkl.Plugin)
    timer = pkl.set_interval(print, 1.0)
    assert_type(timer, pkl.Timer)
    assert_type(host.resource_manager.get_resources(plugin), Tuple[pkl.Resource, ...])


async def acheck() -> None:
    """What is awaited."""
    assert_type(await acall(1), int)
    assert_type(await aplain(1), None)
    assert_type(await aaround(1), None)
    await aasked(1)


def contributed(host: pkl.PluginHost) -> None:
    """What is contributed is a tuple of entries; who hears of changes gets an undo."""
    assert_type(host.contributions("menus"), Tuple[pkl.Contribution, ...])
    assert_type(pkl.contributions("menus"), Tuple[pkl.Contribution, ...])
    assert_type(host.contributions("menus")[0].file, Optional[str])

    def heard(change: pkl.ContributionsChange) -> None:
        assert_type(change.added, Tuple[pkl.Contribution, ...])

    pkl.on_contributions("menus", heard)()
    host.on_contributions("menus", heard)()
