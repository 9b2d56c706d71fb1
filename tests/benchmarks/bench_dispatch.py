"""Events and syscalls against a bare loop and the peers.

Run it with ``python -m tests.benchmarks.bench_dispatch``.
"""

from __future__ import annotations

import json
import tempfile
import threading
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List

import pkl
from pkl.supervision import Watchdog

from .pairing import per_call, table

OWNER = """
import pkl
@pkl.event
def happened(x): pass
@pkl.syscall
def call(x): return x
def bare(x): return x
"""
SUBSCRIBER = """
from pkl.plugins import owner
@owner.happened.on
def handler(x): pass
"""


def write(root: Path, name: str, code: str, **manifest: Any) -> Path:
    """A directory plugin."""
    directory = root / name
    directory.mkdir()
    (directory / "plugin.json").write_text(json.dumps({"name": name, **manifest}))
    (directory / "plugin.py").write_text(code)
    return directory


def host_with(root: Path, handlers: int) -> pkl.PluginHost:
    """A host with one event and ``handlers`` plugins that each handle it."""
    write(root, "owner", OWNER)
    for n in range(handlers):
        write(root, f"p{n}", SUBSCRIBER, requires=["owner"])
    host = pkl.PluginHost(paths=[root])
    pkl.set_default_host(host)
    assert host.start().ok
    return host


def bare_loop(handlers: int) -> Callable[[], None]:
    """The limit: a loop that sets a context variable for each handler and restores it."""
    current: ContextVar[Any] = ContextVar("current", default=None)

    def make(n: int) -> Callable[[int], None]:
        def handler(x: int) -> None: ...

        return handler

    pairs = tuple((object(), make(n)) for n in range(handlers))
    set_, reset = current.set, current.reset

    def body(x: int) -> None: ...

    def event(*args: Any, **kwargs: Any) -> None:
        token = set_(None)
        try:
            body(*args, **kwargs)
            for owner, handler in pairs:
                set_(owner)
                handler(*args, **kwargs)
        finally:
            reset(token)

    return lambda: event(1)


def peers(handlers: int) -> Dict[str, Callable[[], object]]:
    """The same call in pluggy, blinker and psygnal, where they are installed."""
    found: Dict[str, Callable[[], object]] = {}
    try:
        import pluggy
    except ImportError:
        pass
    else:
        spec, impl = pluggy.HookspecMarker("b"), pluggy.HookimplMarker("b")

        class Spec:
            @spec
            def happened(self, x: int) -> None: ...

        manager = pluggy.PluginManager("b")
        manager.add_hookspecs(Spec)
        for _ in range(handlers):

            class Plugin:
                @impl
                def happened(self, x: int) -> None: ...

            manager.register(Plugin())
        found["pluggy"] = lambda: manager.hook.happened(x=1)
    try:
        import blinker
    except ImportError:
        pass
    else:
        signal = blinker.Signal()
        keep: List[Any] = []
        for _ in range(handlers):

            def receiver(sender: Any, x: int) -> None: ...

            keep.append(receiver)
            signal.connect(receiver)
        found["blinker"] = lambda: (signal.send(None, x=1), keep)
    try:
        import psygnal
    except ImportError:
        pass
    else:

        class Emitter:
            happened = psygnal.Signal(int)

        emitter = Emitter()
        held: List[Any] = []
        for _ in range(handlers):

            def slot(x: int) -> None: ...

            held.append(slot)
            emitter.happened.connect(slot)

        def emit() -> List[Any]:
            emitter.happened.emit(1)
            return held

        found["psygnal"] = emit
    return found


def main() -> None:
    """Prints all tables."""
    for handlers in (1, 10, 100):
        with tempfile.TemporaryDirectory() as directory:
            host = host_with(Path(directory), handlers)
            event = host.plugins.owner.happened
            cases: Dict[str, Callable[[], object]] = {
                "bare loop with a context set each": bare_loop(handlers),
                "pkl event": lambda event=event: event(1),  # type: ignore[misc]
                **peers(handlers),
            }
            aim = {"pkl event": 1.3} if handlers == 10 else {}
            found = per_call(cases, calls=max(200, 20_000 // handlers))
            table(
                f"event with {handlers} handlers", found, "bare loop with a context set each", aim
            )
            if handlers == 10:
                syscalls(host)
            host.close()
    supervised(10)


def supervised(handlers: int) -> None:
    """Dispatch with supervision on and off, side by side, and what one look at the stacks costs.

    Nothing of supervision is on the way of a call, so what is left is the watchdog's thread, which
    looks four times a second, and noise.
    """
    off = pkl.Supervision(breaker=None, restart=None, watchdog=None)
    with tempfile.TemporaryDirectory() as directory, host_with(Path(directory), handlers) as on:
        plain = pkl.PluginHost(paths=on.paths, supervision=off)
        with plain, plain.as_current():
            assert plain.start().ok
            events = {"off": plain.plugins.owner.happened, "on": on.plugins.owner.happened}
            modules = {"off": plain.plugins.owner, "on": on.plugins.owner}
            cases = {f"event, supervision {k}": partial(e, 1) for k, e in events.items()}
            found = per_call(cases, calls=5_000, rounds=30)
            table(f"supervision, {handlers} handlers", found, "event, supervision off")
            calls = {f"syscall, supervision {k}": partial(m.call, 1) for k, m in modules.items()}
            table("supervision, syscalls", per_call(calls), "syscall, supervision off")
            clock = on.kernel.clock
            watchdog = Watchdog(on.kernel, pkl.WatchdogPolicy(), lambda stall, generation: None)
            look = per_call({"a look": lambda: watchdog.sample(clock.monotonic())}, calls=200)
            threads = threading.active_count()
            table(f"a look at the stacks of {threads} threads", look, "a look")


def syscalls(host: pkl.PluginHost) -> None:
    """A syscall against a call between a context set and a reset."""
    owner = host.get_plugin("owner")
    assert owner is not None
    call, bare = owner.module.call, owner.module.bare
    current: ContextVar[Any] = ContextVar("current", default=None)
    set_, reset = current.set, current.reset

    def limit(*args: Any, **kwargs: Any) -> Any:
        token = set_(owner)
        try:
            return bare(*args, **kwargs)
        finally:
            reset(token)

    found = per_call(
        {
            "call between a context set and reset": lambda: limit(1),
            "pkl syscall": lambda: call(1),
            "plain call": lambda: bare(1),
        }
    )
    table("syscall", found, "call between a context set and reset", {"pkl syscall": 1.3})


if __name__ == "__main__":
    main()
