"""Transitions and the import system's locks: no wait for the one closes a loop with the other.

A module that is being imported in one thread is needed in another, and the import itself needs
what that other thread is in the middle of.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable, Iterator, List, Optional

import pytest

import pkl
from pkl.kernel.import_locks import import_waits

from .running import PATIENCE, loop_in_thread, wait_until
from .synthetic import Synthetic, check_settled

META = "pkl_test_import_locks"


class Scene:
    """Modules whose code is given as functions, and threads whose results are kept."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.synthetic = Synthetic(transition_timeout=PATIENCE, stop_timeout=PATIENCE)
        self.host = self.synthetic.host
        self.flags: dict[str, threading.Event] = {}
        self.threads: List[threading.Thread] = []
        self.results: dict[str, Any] = {}
        self.bodies: dict[str, Callable[[], None]] = {}

    def reach(self, name: str) -> None:
        """Says that a point has been reached."""
        self.flags.setdefault(name, threading.Event()).set()

    def until(self, name: str) -> None:
        """Waits for somebody to reach a point."""
        assert self.flags.setdefault(name, threading.Event()).wait(PATIENCE), name

    def module(self, name: str, body: Callable[[], None]) -> None:
        """An application's module that runs ``body`` when it is first imported."""
        self.bodies[name] = body
        text = f"import sys\nsys.modules[{META!r}].scene.bodies.pop({name!r}, bool)()\n"
        (self.directory / f"{name}.py").write_text(dedent(text))

    def thread(self, name: str, work: Callable[[], Any]) -> threading.Thread:
        """Runs ``work`` in a thread; what it returned or raised goes to ``results``."""

        def run() -> None:
            try:
                self.results[name] = work()
            except BaseException as error:
                self.results[name] = error

        thread = threading.Thread(target=run, name=name, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def until_imports(self, thread: threading.Thread) -> None:
        """Waits until a thread stands in an import."""
        wait_until(lambda: thread.ident is not None and import_waits(thread.ident))

    def join(self) -> None:
        """All threads have to end by themselves."""
        for thread in self.threads:
            thread.join(PATIENCE / 2)
        assert not [t.name for t in self.threads if t.is_alive()]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made = Scene(tmp_path)
    holder: Any = type(sys)(META)
    holder.scene = made
    monkeypatch.setitem(sys.modules, META, holder)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield made
    made.join()
    check_settled(made.host)
    made.host.close()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_import_that_enables_a_plugin_which_is_importing_that_module(scene: Scene) -> None:
    """The enabling thread gets the module, the importing one an error that says what is up."""

    def body(module: Any) -> None:
        def start() -> None:
            scene.reach("on_enable")
            scene.until("importing")
            importlib.import_module("app_a")

        module.plugin.on_enable.subscribe(start)

    plugin = scene.synthetic.add("a", body)
    errors: List[pkl.TransitionDeadlock] = []

    def imported() -> None:
        scene.reach("importing")
        scene.until("on_enable")
        try:
            plugin.enable()
        except pkl.TransitionDeadlock as error:
            errors.append(error)

    scene.module("app_a", imported)
    scene.thread("enables", plugin.enable)
    scene.thread("imports", lambda: importlib.import_module("app_a"))
    scene.join()
    assert scene.results == {"enables": plugin, "imports": sys.modules["app_a"]}
    assert plugin.state is pkl.PluginState.ENABLED
    (error,) = errors
    assert error.message == (
        "waiting for plugin 'a' to finish its transition would wait for this very call: "
        "a -> the import of app_a"
    )
    assert "once the import has ended" in error.hint


def test_an_import_that_loads_a_plugin_whose_code_imports_that_module(scene: Scene) -> None:
    """The import fails with the reason, and is taken up again by the thread that loads."""

    def body(module: Any) -> None:
        scene.reach("loading")
        scene.until("importing")
        importlib.import_module("app_b")

    plugin = scene.synthetic.add("b", body)

    def imported() -> None:
        scene.reach("importing")
        scene.until("loading")
        scene.host.load_plugin("b")

    scene.module("app_b", imported)
    scene.thread("loads", lambda: scene.host.load_plugin("b"))
    scene.thread("imports", lambda: importlib.import_module("app_b"))
    scene.join()
    assert isinstance(scene.results["imports"], pkl.TransitionDeadlock)
    assert scene.results["loads"] is plugin and plugin.state is pkl.PluginState.LOADED


def test_a_loop_through_the_imports_of_two_threads_is_seen(scene: Scene) -> None:
    """a's on_enable needs one module, whose import needs another, whose import needs a."""

    def body(module: Any) -> None:
        def start() -> None:
            scene.reach("on_enable")
            scene.until("outer")
            importlib.import_module("app_outer")

        module.plugin.on_enable.subscribe(start)

    plugin = scene.synthetic.add("a", body)

    def outer() -> None:
        scene.reach("outer")
        scene.until("inner")
        importlib.import_module("app_inner")

    def inner() -> None:
        scene.reach("inner")
        scene.until_imports(middle)
        scene.until("on_enable")
        plugin.disable()

    scene.module("app_outer", outer)
    scene.module("app_inner", inner)
    scene.thread("enables", plugin.enable)
    middle = scene.thread("imports outer", lambda: importlib.import_module("app_outer"))
    scene.until("outer")
    scene.thread("imports inner", lambda: importlib.import_module("app_inner"))
    scene.join()
    error = scene.results["imports inner"]
    assert isinstance(error, pkl.TransitionDeadlock)
    assert str(error).count("a -> the import of app_outer -> the import of app_inner") == 1


def test_a_loop_through_two_plugins_and_an_import_is_seen(scene: Scene) -> None:
    """The module waits for a, whose thread waits for b, whose thread waits for the module."""
    b = scene.synthetic.add("b", _needs_module(scene, "app_c"))

    def body(module: Any) -> None:
        def start() -> None:
            scene.reach("a")
            scene.until("on_enable")
            with scene.host.as_current():
                b.disable()

        module.plugin.on_enable.subscribe(start)

    a = scene.synthetic.add("a", body)

    def imported() -> None:
        scene.reach("importing")
        scene.until("a")
        wait_until(lambda: scene.host.kernel.transitions._awaited)
        scene.until_imports(enables)
        a.disable()

    scene.module("app_c", imported)
    enables = scene.thread("enables b", b.enable)
    scene.thread("enables a", a.enable)
    scene.thread("imports", lambda: importlib.import_module("app_c"))
    scene.join()
    error = scene.results["imports"]
    assert isinstance(error, pkl.TransitionDeadlock)
    assert "a -> b -> the import of app_c" in str(error)
    assert scene.results["enables a"] is a and b.state is pkl.PluginState.DISABLED


def test_a_loop_whose_import_belongs_to_a_third_thread_is_seen(scene: Scene) -> None:
    """Who waits in the import system, who imports, and who holds the last token are three."""
    b = scene.synthetic.add("b", _needs_module(scene, "app_d"))

    def body(module: Any) -> None:
        def start() -> None:
            scene.reach("a")
            scene.until("waiting for a")
            scene.until("on_enable")  # or there is nothing of b yet that would have to be stopped
            with scene.host.as_current():
                b.disable()

        module.plugin.on_enable.subscribe(start)

    a = scene.synthetic.add("a", body)

    def imported() -> None:
        scene.reach("importing")
        scene.until("a")
        scene.reach("waiting for a")
        a.disable()

    scene.module("app_d", imported)
    scene.thread("enables b", b.enable)
    scene.thread("enables a", a.enable)
    scene.thread("imports", lambda: importlib.import_module("app_d"))
    scene.join()
    # Whoever closes the loop: the import of the module, or the handler that stops b.
    (raised,) = [r for r in scene.results.values() if isinstance(r, BaseException)]
    error: Optional[BaseException] = raised
    while error is not None and not isinstance(error, pkl.TransitionDeadlock):
        error = error.__cause__
    assert isinstance(error, pkl.TransitionDeadlock)


def test_a_loop_through_two_hosts_is_seen(scene: Scene) -> None:
    other = Synthetic(transition_timeout=PATIENCE)
    gate = threading.Barrier(2)

    def stopping(victim: Callable[[], pkl.Plugin]) -> Callable[[Any], None]:
        def body(module: Any) -> None:
            def start() -> None:
                gate.wait(PATIENCE)
                with victim().host.as_current():
                    victim().disable()

            module.plugin.on_enable.subscribe(start)

        return body

    b = other.add("b", stopping(lambda: a))
    a = scene.synthetic.add("a", stopping(lambda: b))
    scene.thread("a", a.enable)
    scene.thread("b", b.enable)
    scene.join()
    raised = [r for r in scene.results.values() if isinstance(r, pkl.PluginEnableError)]
    assert len(raised) == 1 and isinstance(raised[0].__cause__, pkl.TransitionDeadlock)
    other.host.close()


def test_a_loop_through_an_async_handler_on_the_hosts_loop_is_seen(scene: Scene) -> None:
    """The thread that enables waits for its handler, which stands in an import on the loop."""

    def body(module: Any) -> None:
        async def start() -> None:
            scene.reach("on_enable")
            scene.until("importing")
            importlib.import_module("app_e")

        module.plugin.on_enable.subscribe(start)

    plugin = scene.synthetic.add("a", body)

    def imported() -> None:
        scene.reach("importing")
        scene.until("on_enable")
        plugin.disable()

    scene.module("app_e", imported)
    with loop_in_thread() as loop:
        scene.host.kernel.adopt_loop(loop)
        scene.thread("enables", plugin.enable)
        scene.thread("imports", lambda: importlib.import_module("app_e"))
        scene.join()
        assert isinstance(scene.results["imports"], pkl.TransitionDeadlock)
        assert scene.results["enables"] is plugin
        plugin.disable()


def test_a_task_that_waits_in_a_module_which_its_holder_imports_is_told(scene: Scene) -> None:
    """``asyncio.run()`` at the top of a module: its task waits while the module is not done."""
    plugin = scene.synthetic.add("a", _needs_module(scene, "app_f"))

    def imported() -> None:
        async def main() -> None:
            await plugin.adisable()

        scene.reach("importing")
        scene.until("on_enable")
        asyncio.run(main())

    scene.module("app_f", imported)
    scene.thread("enables", plugin.enable)
    scene.thread("imports", lambda: importlib.import_module("app_f"))
    scene.join()
    assert isinstance(scene.results["imports"], pkl.TransitionDeadlock)
    assert scene.results["enables"] is plugin


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stop_from_an_import_does_not_wait_for_calls_that_wait_for_that_import(
    scene: Scene, asynchronous: bool
) -> None:
    """They cannot end before the stop does; they end after it."""

    def body(module: Any) -> None:
        @pkl.syscall
        def call() -> str:
            scene.reach("calling")
            importlib.import_module("app_g")
            return "ended"

        @pkl.syscall
        async def acall() -> str:
            return call()

        module.call, module.acall = call, acall

    plugin = scene.synthetic.add("a", body).enable()
    module = plugin.module

    def imported() -> None:
        scene.reach("importing")
        scene.until("calling")
        scene.until_imports(caller)
        plugin.disable(timeout=PATIENCE)
        scene.reach("stopped")

    def calls() -> Any:
        scene.until("importing")
        return asyncio.run(module.acall()) if asynchronous else module.call()

    scene.module("app_g", imported)
    caller = scene.thread("calls", calls)
    scene.thread("imports", lambda: importlib.import_module("app_g"))
    scene.join()
    assert scene.results == {"calls": "ended", "imports": sys.modules["app_g"]}
    assert plugin.state is pkl.PluginState.DISABLED


def test_an_import_that_only_takes_its_time_is_waited_for(scene: Scene) -> None:
    """No false alarm: the holder stands in an import, of somebody who does not wait for us."""
    plugin = scene.synthetic.add("a", _needs_module(scene, "app_h"))

    def imported() -> None:
        scene.reach("importing")
        wait_until(lambda: scene.host.kernel.transitions._awaited)
        scene.until_imports(enables)

    scene.module("app_h", imported)
    scene.thread("imports", lambda: importlib.import_module("app_h"))
    enables = scene.thread("enables", plugin.enable)
    scene.until("on_enable")
    scene.thread("waits", plugin.enable)
    scene.join()
    assert scene.results["waits"] is plugin and scene.results["enables"] is plugin


def test_import_waits_tells_what_a_thread_waits_for_and_who_imports_it(scene: Scene) -> None:
    def imported() -> None:
        scene.reach("importing")
        scene.until("seen")

    scene.module("app_i", imported)
    imports = scene.thread("imports", lambda: importlib.import_module("app_i"))
    scene.until("importing")
    waits = scene.thread("waits", lambda: importlib.import_module("app_i"))
    scene.until_imports(waits)
    assert waits.ident is not None and imports.ident is not None
    assert import_waits(waits.ident) == [("app_i", imports.ident)]
    assert import_waits(imports.ident) == [] == import_waits(threading.get_ident())
    scene.reach("seen")
    scene.join()
    assert import_waits(waits.ident) == []


def _needs_module(scene: Scene, name: str) -> Callable[[Any], None]:
    """The body of a plugin whose on_enable imports a module that somebody is importing."""

    def body(module: Any) -> None:
        def start() -> None:
            scene.reach("on_enable")
            scene.until("importing")
            importlib.import_module(name)

        module.plugin.on_enable.subscribe(start)

    return body
