"""Hooks against pluggy's: every number of handlers, with wrappers, and from ten threads.

Run it with ``python -m tests.benchmarks.bench_hooks``.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List

import pluggy

import pkl

from .bench_dispatch import write
from .pairing import minima, per_call, table

OWNER = """
import pkl
@pkl.event
def happened(x): pass
@pkl.hook
def asked(x): pass
@pkl.hook
def wrapped(x): pass
@pkl.hook(first=True)
def first(x): pass
@pkl.hook
def some(x, y): pass
"""
SUBSCRIBER = """
from pkl.plugins import owner
@owner.happened.on
def handler(x): pass
@owner.asked.on
@owner.wrapped.on
@owner.first.on
@owner.some.on
def answer(x): return x
"""
THREADS = 10

spec, impl = pluggy.HookspecMarker("b"), pluggy.HookimplMarker("b")


class Spec:
    """The same hooks for pluggy."""

    @spec
    def asked(self, x: int) -> int:  # type: ignore[empty-body]
        """All answer."""

    @spec
    def wrapped(self, x: int) -> int:  # type: ignore[empty-body]
        """All answer, within a wrapper."""

    @spec(firstresult=True)
    def first(self, x: int) -> int:  # type: ignore[empty-body]
        """One answers."""

    @spec
    def some(self, x: int, y: int) -> int:  # type: ignore[empty-body]
        """All answer, and take one of two arguments."""


class Wrapping:
    """A wrapper that changes nothing."""

    @impl(wrapper=True)
    def wrapped(self, x: int) -> Any:
        return (yield)


def wrapper(x: int) -> Any:
    """The same for pkl."""
    return (yield)


def manager_with(handlers: int) -> pluggy.PluginManager:
    """pluggy's manager with as many plugins."""
    manager = pluggy.PluginManager("b")
    manager.add_hookspecs(Spec)
    for _ in range(handlers):

        class Plugin:
            @impl
            def asked(self, x: int) -> int:
                return x

            @impl
            def wrapped(self, x: int) -> int:
                return x

            @impl
            def first(self, x: int) -> int:
                return x

            @impl
            def some(self, x: int) -> int:
                return x

        manager.register(Plugin())
    manager.register(Wrapping())
    return manager


def host_with(root: Path, handlers: int) -> pkl.PluginHost:
    """A host with as many plugins that answer."""
    write(root, "owner", OWNER)
    for n in range(handlers):
        write(root, f"p{n}", SUBSCRIBER, requires=["owner"])
    host = pkl.PluginHost(paths=[root])
    pkl.set_default_host(host)
    assert host.start().ok
    host.plugins.owner.wrapped.subscribe(wrapper, wrapper=True)
    return host


def compare(owner: Any, hook: Any, handlers: int) -> None:
    """One thread: what a call takes, by kind of hook."""
    kinds: Dict[str, Dict[str, Callable[[], object]]] = {
        "": {"pluggy": lambda: hook.asked(x=1), "pkl hook": lambda: owner.asked(1)},
        " in a wrapper": {
            "pluggy": lambda: hook.wrapped(x=1),
            "pkl hook": lambda: owner.wrapped(1),
        },
        ", first wins": {"pluggy": lambda: hook.first(x=1), "pkl hook": lambda: owner.first(1)},
        ", some of the arguments": {
            "pluggy": lambda: hook.some(x=1, y=2),
            "pkl hook": lambda: owner.some(1, 2),
        },
    }
    for kind, cases in kinds.items():
        found = per_call(cases, calls=max(200, 20_000 // handlers))
        aim = {"pkl hook": 0.8} if handlers == 10 and not kind else {}
        table(f"hook with {handlers} answers{kind}", found, "pluggy", aim)


def together(call: Callable[[], object], calls: int) -> Callable[[], None]:
    """Ten threads that call at once."""

    def run() -> None:
        barrier = threading.Barrier(THREADS)

        def work() -> None:
            barrier.wait()
            for _ in range(calls):
                call()

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def from_threads(owner: Any, hook: Any, calls: int = 1_000) -> None:
    """Ten threads: what a call takes of the wall clock, whoever makes it."""
    cases: Dict[str, Callable[[], object]] = {
        "pluggy": lambda: hook.asked(x=1),
        "pkl hook": lambda: owner.asked(1),
        "pkl event": lambda: owner.happened(1),
    }
    timed = {name: together(case, calls) for name, case in cases.items()}
    for name, case in cases.items():

        def alone(case: Callable[[], object] = case) -> None:
            for _ in range(calls * THREADS):
                case()

        timed[f"{name}, one thread"] = alone
    found = minima(timed, rounds=7, cpu=False)
    each = {name: seconds / (calls * THREADS) for name, seconds in found.items()}
    table(f"ten handlers, {THREADS} threads at once", each, "pluggy")


def main() -> None:
    """Prints the tables."""
    for handlers in (1, 10, 100):
        with tempfile.TemporaryDirectory() as directory:
            host = host_with(Path(directory), handlers)
            owner, hook = host.plugins.owner, manager_with(handlers).hook
            hooks: List[str] = ["asked", "wrapped", "first", "some", "happened"]
            bound: Any = type("Hooks", (), {name: getattr(owner, name) for name in hooks})
            compare(bound, hook, handlers)
            if handlers == 10:
                from_threads(bound, hook)
            host.close()


if __name__ == "__main__":
    main()
