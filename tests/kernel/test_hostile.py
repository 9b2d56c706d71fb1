"""Plugins that stop, start and re-enter each other in the middle of a call."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, List

import pytest

import pkl
from pkl.testing import FakeClock

from .conftest import Make, enabled, state

OWNER = "import pkl\n@pkl.event\ndef happened(): pass\n@pkl.event\ndef around(): yield\n"


@pytest.fixture
def owner(host: pkl.PluginHost, make: Make) -> pkl.Plugin:
    return enabled(host, make("owner", OWNER))


@pytest.fixture
def out(host: pkl.PluginHost) -> List[Any]:
    """What plugins note: they reach it as ``pkl.this.host.out``."""
    seen: List[Any] = []
    host.out = seen  # type: ignore[attr-defined]
    return seen


@pytest.mark.parametrize("event", ["happened", "around"])
def test_a_handler_may_disable_its_own_plugin(
    host: pkl.PluginHost, make: Make, owner: pkl.Plugin, out: List[Any], event: str
) -> None:
    """It runs to its end; the plugin's other handlers are not called, those of others are."""
    code = f"""
        import pkl
        from pkl.plugins import owner
        this, out = pkl.this, pkl.this.host.out
        @owner.{event}.on
        def first():
            this.disable()
            out.append("finished")
        @owner.{event}.on
        def second(): out.append("second")
        """
    plugin = enabled(host, make("a", code, requires=["owner"]))
    getattr(owner.module, event).subscribe(lambda: out.append("host"))
    getattr(owner.module, event)()
    assert out == ["finished", "host"] and state(plugin) == "disabled"
    assert plugin.faults == 0


@pytest.mark.parametrize("event", ["happened", "around"])
def test_a_handler_of_the_host_may_disable_the_owner_in_the_middle_of_its_event(
    host: pkl.PluginHost, owner: pkl.Plugin, out: List[Any], event: str
) -> None:
    happened = getattr(owner.module, event)
    happened.subscribe(owner.disable)
    happened.subscribe(lambda: out.append("after"))
    happened()
    assert state(owner) == "disabled" and out == ["after"]
    with pytest.raises(pkl.PluginNotRunning):
        happened()


def test_a_handler_may_close_the_host_it_is_called_in(
    host: pkl.PluginHost, owner: pkl.Plugin
) -> None:
    owner.module.around.subscribe(host.close)
    owner.module.around()
    assert host.closed and state(owner) == "unloaded"
    assert pkl.get_current_plugin() is None


def test_an_event_may_call_itself_and_ends_with_an_error_not_a_crash(
    host: pkl.PluginHost, owner: pkl.Plugin, faults: List[Any]
) -> None:
    """The RecursionError is contained where the stack allows it, and nothing stays locked."""
    depth: List[int] = []

    def again() -> None:
        depth.append(1)
        owner.module.happened()

    undo = owner.module.happened.subscribe(again)
    owner.module.happened()
    assert len(depth) > 20 and isinstance(faults[0].error, RecursionError)
    undo()
    owner.module.happened()
    assert pkl.get_current_plugin() is None
    owner.disable()
    assert state(owner) == "disabled"


def test_a_handler_may_subscribe_and_unsubscribe_itself_while_it_is_called(
    owner: pkl.Plugin, out: List[Any]
) -> None:
    happened = owner.module.happened

    def handler() -> None:
        out.append(len(out))
        happened.unsubscribe(handler)
        happened.subscribe(handler)
        happened.subscribe(handler)

    happened.subscribe(handler)
    for count in (1, 2, 4):
        out.clear()
        happened()
        assert len(out) == count


def test_on_enable_that_enables_a_dependant_leaves_it_to_start_once_it_can(
    host: pkl.PluginHost, make: Make
) -> None:
    """It cannot run before what it requires does: it is BLOCKED, and started right after."""
    make("top", requires=["base"])
    base = host.load_plugin(
        path=make(
            "base",
            """
            import pkl
            this, errors = pkl.this, []
            @this.on_enable.on
            def start():
                try:
                    pkl.load_plugin("top").enable()
                except pkl.PluginBlocked as error:
                    errors.append(error)
            """,
        )
    )
    base.enable()
    assert "requires base" in str(base.module.errors[0])
    top = host.get_plugin("top")
    assert top is not None and state(top) == "enabled" and top.started > base.started


def test_on_enable_that_lets_a_dependants_error_out_fails_itself(
    host: pkl.PluginHost, make: Make
) -> None:
    make("top", requires=["base"])
    code = "import pkl\n@pkl.this.on_enable.on\ndef start(): pkl.load_plugin('top').enable()"
    with pytest.raises(pkl.PluginEnableError):
        enabled(host, make("base", code))
    top = host.get_plugin("top")
    assert top is not None and state(top) == "blocked"
    assert top.reason is not None and "base" in top.reason.cause


def test_on_disable_may_enable_somebody_else_but_not_its_own_dependant(
    host: pkl.PluginHost, make: Make
) -> None:
    make("other")
    make("user", requires=["a"])
    code = """
        import pkl
        host = pkl.this.host
        @pkl.this.on_disable.on
        def stop():
            host.get_plugin("other").enable()
            try:
                host.get_plugin("user").enable()
            except pkl.PklError as error:
                host.refused = error
        """
    plugin = enabled(host, make("a", code))
    for name in ("other", "user"):
        host.load_plugin(name)
    plugin.disable()
    assert [state(host.get_plugin(n)) for n in ("a", "other")] == ["disabled", "enabled"]
    assert state(host.get_plugin("user")) == "blocked"
    assert isinstance(host.refused, pkl.PluginBlocked)  # type: ignore[attr-defined]


def test_nothing_can_be_started_while_the_host_closes(host: pkl.PluginHost, make: Make) -> None:
    make("other")
    code = """
        import pkl
        host = pkl.this.host
        @pkl.this.on_disable.on
        def stop(): pkl.load_plugin("other").enable()
        """
    enabled(host, make("a", code))
    with pytest.raises(pkl.CleanupError) as raised:
        host.close()
    assert "is being closed" in str(raised.value)
    assert host.closed and not any(p.running for p in host.all_plugins())


def test_a_child_loaded_while_its_parent_stops_does_not_outlive_it(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make(
        "parent",
        "import pkl\n@pkl.this.on_disable.on\ndef f(): pkl.load_plugin(path='kid').enable()",
    )
    make("kid", under=path)
    enabled(host, path).disable()
    assert state(host.get_plugin("kid")) == "disabled"


def test_code_of_a_stopped_plugin_loads_no_children(host: pkl.PluginHost, make: Make) -> None:
    path = make(
        "parent",
        """
        import pkl
        @pkl.syscall
        def leave():
            pkl.this.disable()
            pkl.load_plugin(path="kid").enable()
        """,
    )
    make("kid", under=path)
    with pytest.raises(pkl.PluginNotRunning):
        enabled(host, path).module.leave()
    assert host.get_plugin("kid") is None


def test_a_plugin_may_load_and_enable_others_while_it_is_imported(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make(
        "a",
        "import pkl\nkid = pkl.load_plugin(path='kid').enable()\nother = pkl.load_plugin('other')",
    )
    make("kid", under=path)
    make("other")
    plugin = host.load_plugin(path=path)
    assert state(plugin) == "loaded" and plugin.children == (host.get_plugin("kid"),)
    assert state(host.get_plugin("kid")) == "enabled"
    assert state(host.get_plugin("other")) == "loaded"
    plugin.unload()
    assert state(host.get_plugin("kid")) == "unloaded"


def test_a_child_that_requires_its_parent_starts_once_the_parent_has(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make(
        "a",
        """
        import pkl
        try:
            pkl.load_plugin(path="kid").enable()
        except pkl.PluginBlocked:
            pass
        """,
    )
    make("kid", "from pkl.plugins import a", under=path, requires=["a"])
    plugin = host.load_plugin(path=path)
    assert state(host.get_plugin("kid")) == "blocked"
    plugin.enable()
    assert state(host.get_plugin("kid")) == "enabled"


def test_plugins_that_import_each_other_fail_with_the_reason(
    host: pkl.PluginHost, make: Make
) -> None:
    """Undeclared, and through pkl.plugins: no hang, no half-made module."""
    make("a", "import pkl\npkl.load_plugin('b')\nfrom pkl.plugins import b")
    make("b", "import pkl\npkl.load_plugin('a')\nfrom pkl.plugins import a")
    with pytest.raises(pkl.PluginLoadError, match=r"'a' 1\.0\.0 is not running"):
        host.load_plugin("a")
    assert [state(p) for p in host.all_plugins()] == ["error", "error"]


@pytest.mark.parametrize("stage", ["on_enable", "on_disable"])
def test_a_thread_that_wants_the_transition_it_is_joined_in_ends_with_an_error(
    make: Make, stage: str
) -> None:
    """It cannot be known that somebody joins it; the wait is bounded all the same."""
    code = f"""
        import pkl, threading
        this, errors = pkl.this, []
        def work():
            try:
                this.enable() if "{stage}" == "on_enable" else this.disable()
            except pkl.TransitionTimeout as error:
                errors.append(error)
        @this.{stage}.on
        def join():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        """
    with pkl.PluginHost(transition_timeout=0.1) as host:
        plugin = enabled(host, make("a", code))
        module = plugin.module
        plugin.disable()
        assert len(module.errors) == 1 and "on_enable or on_disable" in str(module.errors[0])
        assert state(plugin) == "disabled"


def test_two_calls_that_stop_their_own_plugin_at_once_do_not_wait_for_each_other(
    host: pkl.PluginHost, make: Make
) -> None:
    """Each is in flight while the other stops the plugin; both end, and neither is a failure."""
    plugin = enabled(
        host,
        make(
            "a",
            """
            import pkl, threading
            this, gate = pkl.this, threading.Barrier(3)
            @pkl.syscall
            def leave():
                gate.wait(10)
                this.disable(timeout=30)
            """,
        ),
    )
    errors: List[BaseException] = []

    def work(leave: Any) -> None:
        try:
            leave()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(plugin.module.leave,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    plugin.module.gate.wait(10)
    for thread in threads:
        thread.join(10)
    assert not any(t.is_alive() for t in threads) and errors == []
    assert state(plugin) == "disabled"


def test_a_plugin_may_replace_itself_in_sys_modules(host: pkl.PluginHost, make: Make) -> None:
    code = """
        import sys, types
        class Api: value = 1
        sys.modules[__name__] = Api()
        """
    plugin = enabled(host, make("a", code))
    assert plugin.module.value == 1 and host.plugins.a.value == 1
    names = [n for n, m in list(sys.modules.items()) if m is plugin.module]
    plugin.disable()
    assert not any(n in sys.modules for n in names)
    plugin.enable()
    assert plugin.module.value == 1


def test_a_plugin_that_takes_itself_out_of_sys_modules_fails_alone(
    host: pkl.PluginHost, make: Make
) -> None:
    with pytest.raises(pkl.PluginLoadError):
        host.load_plugin(path=make("a", "import sys\ndel sys.modules[__name__]"))
    assert state(host.get_plugin("a")) == "error"
    assert state(enabled(host, make("b"))) == "enabled"


def test_a_timer_may_cancel_itself_and_may_disable_its_plugin(
    host: pkl.PluginHost, make: Make, clock: FakeClock, out: List[Any]
) -> None:
    code = """
        import pkl
        this, out = pkl.this, pkl.this.host.out
        def once():
            out.append("once")
            timer.cancel()
        def leave():
            out.append("leave")
            this.disable()
        timer = pkl.set_interval(once, 1)
        pkl.set_interval(leave, 3)
        """
    plugin = enabled(host, make("a", code))
    clock.advance(10)
    assert out == ["once", "leave"] and state(plugin) == "disabled"
    assert plugin.faults == 0


def test_two_hosts_share_a_directory_and_each_outlives_the_other(make: Make) -> None:
    path = make("a", "import pkl\n@pkl.syscall\ndef who(): return pkl.this.host")
    one, two = pkl.PluginHost(), pkl.PluginHost()
    first, second = enabled(one, path), enabled(two, path)
    one.close()
    assert second.module.who() is two
    three = pkl.PluginHost()
    third = enabled(three, path)
    two.close()
    assert third.module.who() is three and first.state.value == "unloaded"
    three.close()


def test_one_host_does_not_disturb_anothers_import_of_the_same_directory(
    make: Make, tmp_path: Path
) -> None:
    """Loaded in two threads at once, again and again."""
    path = make("a", "import pkl\nowner = pkl.this.host", init="from .plugin import owner")
    errors: List[BaseException] = []

    def work() -> None:
        try:
            with pkl.PluginHost() as host:
                for _ in range(5):
                    plugin = host.load_plugin(path=path).enable()
                    assert plugin.module.owner is host and plugin.api.owner is host
                    plugin.disable()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == [] and not any(t.is_alive() for t in threads)
