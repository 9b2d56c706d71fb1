"""Lazy plugins: started by the first import, event, hook, capability or idle moment, and once."""

from __future__ import annotations

import asyncio
import builtins
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Iterator, List

import pytest

import pkl
from pkl.kernel.route import Route
from pkl.testing import FakeClock

from .conftest import Make, enabled, state
from .running import PATIENCE, wait_until

AUTH = """
import pkl
@pkl.event
def login(user): pass
@pkl.event
async def alogin(user): pass
@pkl.hook
def render(text): pass
@pkl.hook
async def arender(text): pass
"""
AUDIT = """
import pkl
from pkl.plugins import auth
pkl_seen.append("audit")
@auth.login.on
def note(user): pkl_seen.append(user)
@auth.alogin.on
async def anote(user): pkl_seen.append(user)
@auth.render.on
def shout(text): return text.upper()
@auth.arender.on
async def ashout(text): return text.upper()
"""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> List[Any]:
    """What the plugins of a test note down, as the builtin ``pkl_seen``."""
    notes: List[Any] = []
    monkeypatch.setattr(builtins, "pkl_seen", notes, raising=False)
    return notes


def plugin(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    """The plugin of that name, which must be there."""
    found = host.get_plugin(name)
    assert found is not None
    return found


def lazy(make: Make, *activation: str, name: str = "audit", code: str = AUDIT, **more: Any) -> Path:
    """Writes a lazy plugin, by default one that requires auth and hears all of it."""
    more.setdefault("requires", ["auth"])
    return make(name, code, activation=list(activation), **more)


@pytest.fixture
def auth(make: Make) -> None:
    """An eager plugin with events and hooks."""
    make("auth", AUTH)


@pytest.mark.usefixtures("auth")
def test_a_lazy_plugin_is_planned_and_not_imported(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "event:auth.login", "import")
    report = host.start()
    audit = plugin(host, "audit")
    assert report.ok and report.enabled == ("auth",) and list(report.waiting) == ["audit"]
    assert report.summary == "ok: 1 enabled, 1 waiting"
    assert state(audit) == "unloaded" and audit.reason == report.waiting["audit"]
    assert audit.reason == (
        "waiting",
        "plugin 'audit' 1.0.0 waits for the event auth.login or somebody to import it",
        "audit 1.0.0 has not been needed yet",
        "to start it at once: host.get_plugin('audit').enable(), or pkl run --only audit",
    )
    assert "waits for the event auth.login" in report.as_text()
    assert report.as_dict()["waiting"]["audit"]["code"] == "waiting"
    assert seen == [] and audit.activation is None


@pytest.mark.usefixtures("auth")
@pytest.mark.parametrize("how", ["event", "event async", "hook", "hook async"])
def test_the_call_that_sets_it_off_reaches_its_handlers(
    host: pkl.PluginHost, make: Make, seen: List[Any], how: str
) -> None:
    kind, _, is_async = how.partition(" ")
    lazy(make, f"{kind}:auth.{'a' if is_async else ''}{'login' if kind == 'event' else 'render'}")
    host.start()
    api = host.plugins.auth
    answers: Any = None
    if how == "event":
        api.login("ann")
    elif how == "event async":
        asyncio.run(api.alogin("ann"))
    else:
        answers = asyncio.run(api.arender("ann")) if is_async else api.render("ann")
    if kind == "hook":
        assert [answer.value for answer in answers] == ["ANN"] and seen == ["audit"]
    else:
        assert seen == ["audit", "ann"]
    done = plugin(host, "audit").activation
    assert done is not None and done.trigger.startswith(f"{kind}:auth.") and done.by == ""
    assert done.seconds >= 0 and done.at > 0 and done.pulled_in == ()
    route = host.kernel.named_route("auth", "login", Route)
    assert route.triggers == (), "nothing is left where calls pass"


def test_events_and_hooks_of_the_host_set_plugins_off(
    host: pkl.PluginHost, make: Make, seen: List[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the host first uses them after the start, and where it did before."""
    module = type(sys)("lazy_app")
    monkeypatch.setitem(sys.modules, "lazy_app", module)
    exec("import pkl\n@pkl.event\ndef opened(x): pass\n@pkl.hook\ndef drawn(x): pass", vars(module))
    module.drawn("before")
    for name, trigger, use in (("one", "event:opened", "opened"), ("two", "hook:drawn", "drawn")):
        code = f"import lazy_app\n@lazy_app.{use}.on\ndef handle(x): pkl_seen.append(('{name}', x))"
        lazy(make, trigger, name=name, code=code, requires=[])
    host.start()
    module.opened(1)
    assert seen == [("one", 1)]
    module.drawn(2)
    assert seen == [("one", 1), ("two", 2)]


def test_an_import_sets_it_off_and_attribute_access_too(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    for name in ("one", "two", "three"):
        lazy(make, "import", name=name, code=f"pkl_seen.append('{name}')\nx = 1", requires=[])
    lazy(make, "idle", name="four", code="x = 1", requires=[])
    code = "import pkl\n@pkl.syscall\ndef use():\n    from pkl.plugins import three as it\n"
    code += "    return it.x"
    make("user", code, wants=["three; python_version < '3'"])
    host.start()
    from pkl.plugins import one

    assert one.x == 1 and seen == ["one"] and host.plugins.two.x == 1 and seen == ["one", "two"]
    assert host.plugins.user.use() == 1
    done = plugin(host, "three").activation
    assert done is not None and (done.trigger, done.by) == ("import", "user")
    with pytest.raises(pkl.PluginNotRunning, match="waits for the host to be idle"):
        assert host.plugins.four.x
    assert state(plugin(host, "four")) == "unloaded", "an import is not its trigger"


@pytest.mark.usefixtures("auth")
def test_a_dependant_that_starts_pulls_it_in_before_itself(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "import")
    make("user", "pkl_seen.append('user')", requires=["audit"])
    report = host.start()
    assert report.enabled == ("auth", "audit", "user") and not report.waiting
    assert seen == ["audit", "user"]


def test_what_was_pulled_in_and_by_whom_is_recorded(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "idle", name="store", code="", requires=[])
    lazy(make, "idle", name="base", code="", requires=["store"])
    lazy(make, "event:shop.sold", name="books", code="", requires=["base"])
    make("shop", "import pkl\n@pkl.event\ndef sold(): pass\n@pkl.syscall\ndef sell(): sold()")
    assert host.start().enabled == ("shop",)
    host.plugins.shop.sell()
    done = plugin(host, "books").activation
    assert done is not None and done.by == "shop" and done.pulled_in == ("store", "base")


def test_a_capability_that_is_asked_for_sets_it_off(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    """Whoever asks has the provider at once; a class or another capability is no trigger."""
    code = "import pkl\npkl.provide('audit-log', pkl_seen)\npkl_seen.append('audit')"
    lazy(make, "capability:audit-log", requires=[], provides=["audit-log==1.1"], code=code)
    make(
        "user",
        "import pkl\n@pkl.syscall\ndef use(): return pkl.use('Audit_Log>=1').api.count('audit')",
    )
    host.start()
    with host.as_current():
        pkl.use("other"), pkl.use(Path)
    assert seen == []
    assert host.plugins.user.use() == 1 and seen == ["audit"]
    done = plugin(host, "audit").activation
    assert done is not None and (done.trigger, done.by) == ("capability:audit-log", "user")


def test_an_idle_host_starts_them_one_after_the_other(
    host: pkl.PluginHost, make: Make, clock: FakeClock, seen: List[Any]
) -> None:
    for name in ("one", "two"):
        lazy(make, "idle", name=name, requires=[], code=f"pkl_seen.append('{name}')")
    host.start()
    clock.advance(0.9)
    assert seen == []
    clock.advance(0.1)
    assert seen == ["one"]
    clock.advance(1)
    assert seen == ["one", "two"]
    assert all(plugin(host, n).activation[0] == "idle" for n in seen)  # type: ignore[index]


def test_an_idle_host_tries_again_what_failed(
    host: pkl.PluginHost, make: Make, clock: FakeClock, seen: List[Any], faults: List[Any]
) -> None:
    """After the pause that the failure earned, and the time after which it is idle."""
    code = "pkl_seen.append(1)\nif len(pkl_seen) < 2: raise OSError('no disk')"
    lazy(make, "idle", requires=[], code=code)
    host.start()
    clock.advance(1)
    assert seen == [1] and len(faults) == 1
    clock.advance(1.9)
    assert seen == [1]
    clock.advance(0.1)
    assert seen == [1, 1] and state(plugin(host, "audit")) == "enabled"


def test_an_import_that_a_strict_host_refuses_starts_nothing(
    make: Make, tmp_path: Path, seen: List[Any]
) -> None:
    lazy(make, "import", requires=[], code="pkl_seen.append(1)")
    make("user", "import pkl\n@pkl.syscall\ndef use():\n    from pkl.plugins import audit")
    with pkl.PluginHost(paths=[tmp_path / "plugins"], strict=True) as host:
        host.start()
        with pytest.raises(pkl.UndeclaredImport):
            host.plugins.user.use()
        assert seen == [] and plugin(host, "audit").waiting is not None


def test_idleness_on_a_loop_awaits_async_handlers(
    host: pkl.PluginHost, make: Make, clock: FakeClock, seen: List[Any]
) -> None:
    code = "import pkl\n@pkl.this.on_enable.on\nasync def start(): pkl_seen.append(1)"
    lazy(make, "idle", requires=[], code=code)

    async def main() -> None:
        assert list((await host.astart()).waiting) == ["audit"]
        clock.advance(1)
        while state(plugin(host, "audit")) != "enabled":
            await asyncio.sleep(0)
        await host.aclose()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    assert seen == [1]


@pytest.mark.usefixtures("auth")
def test_an_async_event_awaits_the_start_on_the_loop(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    """Async ``on_enable`` handlers of what it sets off are awaited, and others get on."""
    code = AUDIT + (
        "import asyncio\n@pkl.this.on_enable.on\nasync def start():\n"
        "    pkl_seen.append('starting')\n    await asyncio.sleep(0)\n    pkl_seen.append('up')\n"
    )
    lazy(make, "event:auth.alogin", code=code)

    async def main() -> None:
        await host.astart()
        both = host.plugins.auth.alogin("ann"), host.plugins.auth.alogin("bob")
        await asyncio.gather(*both)
        await host.aclose()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    assert seen[:3] == ["audit", "starting", "up"] and sorted(seen[3:]) == ["ann", "bob"]


SLOW = """
import pkl
from pkl.plugins import auth
@auth.login.on
def note(user): pkl_seen.append(user)
@pkl.this.on_enable.on
def start():
    pkl_seen.append("up")
    pkl_entered.set()
    assert pkl_go.wait(60)
"""


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set once the slow plugin is being enabled; ``pkl_go`` lets it go on."""
    flag, go = threading.Event(), threading.Event()
    monkeypatch.setattr(builtins, "pkl_entered", flag, raising=False)
    monkeypatch.setattr(builtins, "pkl_go", go, raising=False)
    yield flag
    go.set()


def go_on() -> None:
    """Lets the slow plugin go on."""
    vars(builtins)["pkl_go"].set()


@pytest.mark.usefixtures("auth")
def test_callers_wait_behind_one_start(
    host: pkl.PluginHost, make: Make, seen: List[Any], entered: threading.Event
) -> None:
    lazy(make, "event:auth.login", code=SLOW)
    host.start()
    login = host.plugins.auth.login
    threads = [threading.Thread(target=login, args=(n,)) for n in range(5)]
    threads[0].start()
    assert entered.wait(PATIENCE)
    for thread in threads[1:]:
        thread.start()
    kernel = host.kernel
    wait_until(lambda: len(kernel.transitions._awaited) >= 4)
    assert seen == ["up"], "nobody's call goes on before"
    go_on()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen[0] == "up" and sorted(seen[1:]) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("auth")
def test_a_caller_who_waits_too_long_goes_on_without_it(
    make: Make, tmp_path: Path, seen: List[Any], entered: threading.Event
) -> None:
    """An event goes to the others and the timeout reported; an import raises it."""
    lazy(make, "event:auth.login", "import", code=SLOW)
    with pkl.PluginHost(paths=[tmp_path / "plugins"], activation_timeout=0.01) as host:
        pkl.set_default_host(host)
        faults: List[Any] = []
        host.on_error.subscribe(faults.append)
        host.start()
        first = threading.Thread(target=host.plugins.auth.login, args=("ann",))
        first.start()
        assert entered.wait(PATIENCE)
        host.plugins.auth.login("bob")
        with suppress(pkl.TransitionTimeout):
            import_module("pkl.plugins.audit")
            pytest.fail("it was imported")
        go_on()
        first.join(PATIENCE)
        assert [type(f.error) for f in faults] == [pkl.TransitionTimeout]
        assert faults[0].where == "start of audit by event:auth.login"
    pkl.set_default_host(None)
    assert seen == ["up", "ann"]


@pytest.mark.usefixtures("auth")
def test_a_start_that_sets_itself_off_waits_for_nobody(
    host: pkl.PluginHost, make: Make, seen: List[Any], faults: List[Any]
) -> None:
    """Its own event reaches those that run; its own import raises, as that of any plugin would."""
    code = AUDIT + (
        "@pkl.this.on_enable.on\ndef start():\n    auth.shout_login('self')\n"
        "    pkl_seen.append('up')\n"
    )
    make("auth", AUTH + "@pkl.syscall\ndef shout_login(u): login(u)")
    lazy(make, "event:auth.login", code=code)
    host.start()
    host.plugins.auth.login("ann")
    assert seen == ["audit", "up", "ann"] and not faults


def test_two_starts_that_wait_for_each_other_raise(
    host: pkl.PluginHost, make: Make, seen: List[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread starts a, which uses b, while the other starts b, which uses a."""
    monkeypatch.setattr(builtins, "pkl_meet", threading.Barrier(2), raising=False)
    for name, other in (("a", "b"), ("b", "a")):
        code = f"""
            import pkl
            pkl_meet.wait(60)
            try:
                pkl.this.host.plugins.{other}.x
            except pkl.PklError as error:
                pkl_seen.append(error)
            x = 1
        """
        lazy(make, "import", name=name, code=code, requires=[])
    host.start()

    def use(name: str) -> None:
        getattr(host.plugins, name)

    threads = [threading.Thread(target=use, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert [type(error) for error in seen] == [pkl.TransitionDeadlock]
    assert state(plugin(host, "a")) == state(plugin(host, "b")) == "enabled"


@pytest.mark.usefixtures("auth")
def test_a_start_that_fails_is_reported_once_and_tried_again_after_a_pause(
    host: pkl.PluginHost,
    make: Make,
    clock: FakeClock,
    seen: List[Any],
    faults: List[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(builtins, "pkl_broken", True, raising=False)
    code = AUDIT + "if pkl_broken: raise OSError('no disk')"
    lazy(make, "event:auth.login", "import", code=code)
    host.start()
    login, audit = host.plugins.auth.login, plugin(host, "audit")
    for _ in range(5):
        login("ann")
    assert seen == ["audit"] and state(audit) == "error"
    assert [type(f.error) for f in faults] == [pkl.PluginLoadError] and faults[0].plugin is audit
    with pytest.raises(pkl.PluginNotRunning, match="no disk"):
        import_module("pkl.plugins.audit")
    clock.advance(1)
    login("ann")
    clock.advance(1)
    login("ann")
    assert seen == ["audit"] * 2 and len(faults) == 2, "the second pause is two seconds"
    clock.advance(1)
    monkeypatch.setattr(builtins, "pkl_broken", False)
    login("bob")
    assert seen == ["audit"] * 3 + ["bob"] and state(audit) == "enabled"


@pytest.mark.usefixtures("auth")
def test_a_start_that_is_interrupted_leaves_the_plugin_waiting(
    host: pkl.PluginHost, make: Make, seen: List[Any], faults: List[Any]
) -> None:
    """Ctrl-C while the plugin was imported says nothing about the plugin."""
    code = AUDIT + "if len(pkl_seen) == 1: raise KeyboardInterrupt"
    lazy(make, "event:auth.login", code=code)
    host.start()
    login, audit = host.plugins.auth.login, plugin(host, "audit")
    with pytest.raises(KeyboardInterrupt):
        login("ann")
    assert state(audit) == "unloaded" and audit.reason is not None
    assert audit.reason.code == "waiting" and faults == []
    login("bob")
    assert state(audit) == "enabled" and seen == ["audit", "audit", "bob"]


@pytest.mark.usefixtures("auth")
def test_a_start_whose_caller_is_cancelled_is_taken_up_by_those_who_wait_for_it(
    host: pkl.PluginHost, make: Make, seen: List[Any], faults: List[Any]
) -> None:
    """A request that is given up takes nothing away from others that need the plugin."""
    code = AUDIT + (
        "import asyncio\n@pkl.this.on_enable.on\nasync def start():\n"
        "    pkl_seen.append('starting')\n"
        "    if pkl_seen.count('starting') == 1: await asyncio.sleep(60)\n"
    )
    lazy(make, "event:auth.alogin", code=code)

    async def main() -> None:
        await host.astart()
        calls = [asyncio.ensure_future(host.plugins.auth.alogin(n)) for n in range(3)]
        while "starting" not in seen:
            await asyncio.sleep(0)
        calls[0].cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError) and done[1:] == [None, None]
        await host.aclose()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    assert seen[:4] == ["audit", "starting", "audit", "starting"]
    assert sorted(seen[4:]) == [1, 2] and faults == []


@pytest.mark.usefixtures("auth")
def test_a_reset_ends_the_pause(
    host: pkl.PluginHost, make: Make, seen: List[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "pkl_broken", True, raising=False)
    lazy(make, "event:auth.login", code=AUDIT + "if pkl_broken: raise OSError('no disk')")
    host.start()
    host.plugins.auth.login("ann")
    monkeypatch.setattr(builtins, "pkl_broken", False)
    host.reset("audit")
    reason = plugin(host, "audit").reason
    assert reason is not None and reason.code == "waiting", "nobody needs it yet"
    host.plugins.auth.login("bob")
    assert seen == ["audit", "audit", "bob"]


@pytest.mark.usefixtures("auth")
@pytest.mark.parametrize("needed", [False, True], ids=["waiting", "needed"])
def test_a_lazy_plugin_that_lacked_something_waits_or_starts_when_it_is_there(
    host: pkl.PluginHost, make: Make, seen: List[Any], faults: List[Any], needed: bool
) -> None:
    """It starts by itself only if somebody has needed it meanwhile."""
    if needed:
        make("disk", "if pkl_seen is not None and not pkl_seen: pkl_seen.append(0); 1/0")
        host.set_desired("disk", "disabled")
    lazy(make, "event:auth.login", requires=["auth", "disk"])
    host.start()
    audit = plugin(host, "audit")
    if needed:
        assert state(audit) == "unloaded"
        host.plugins.auth.login("ann")
        assert state(audit) == "blocked" and len(faults) == 1
        host.plugins.auth.login("ann")
        assert len(faults) == 1
        plugin(host, "disk").enable()
        assert state(audit) == "enabled"
        return
    assert state(audit) == "blocked"
    make("disk")
    host.refresh()
    assert state(audit) == "unloaded" and audit.reason is not None
    assert audit.reason.code == "waiting" and seen == []
    host.plugins.auth.login("ann")
    assert seen == ["audit", "ann"]


@pytest.mark.usefixtures("auth")
@pytest.mark.parametrize("how", ["disable", "unload", "masked", "disabled", "close"])
def test_what_nobody_wants_any_more_is_not_set_off(
    host: pkl.PluginHost, make: Make, seen: List[Any], how: str
) -> None:
    lazy(make, "event:auth.login", "import", "idle")
    host.start()
    audit, route = plugin(host, "audit"), host.kernel.named_route("auth", "login", Route)
    planted = len(route.triggers)
    if how == "close":
        host.close()
    elif how in ("disable", "unload"):
        getattr(audit, how)()
    else:
        host.set_desired("audit", how)
    assert planted == 1 and not route.triggers and audit.waiting is None
    if how != "close":
        host.plugins.auth.login("ann")
        with pytest.raises(pkl.PluginNotRunning):
            import_module("pkl.plugins.audit")
        assert audit.reason is not None
        codes = {"disable": "stopped", "unload": "not-loaded"}
        assert audit.reason.code == codes.get(how, how)
    assert seen == [] and state(audit) == "unloaded"


@pytest.mark.usefixtures("auth")
def test_it_waits_again_when_it_is_wanted_again_or_the_host_starts_again(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "event:auth.login")
    host.start()
    host.set_desired("audit", "masked")
    host.set_desired("audit", "enabled")
    host.refresh()
    host.plugins.auth.login("ann")
    plugin(host, "audit").disable()
    assert state(plugin(host, "audit")) == "disabled"
    host.plugins.auth.login("bob")
    assert list(host.start().waiting) == ["audit"]
    host.plugins.auth.login("eve")
    assert seen == ["audit", "ann", "audit", "eve"]


@pytest.mark.usefixtures("auth")
def test_a_plugin_asked_for_by_name_does_not_wait(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "event:auth.login", critical=True)
    assert host.start().status == "ok", "one that waits does not refuse the start"
    assert host.start("audit").enabled == ("auth", "audit") and seen == ["audit"]


@pytest.mark.usefixtures("auth")
def test_loaded_by_hand_it_is_still_enabled_by_its_trigger(
    host: pkl.PluginHost, make: Make, seen: List[Any]
) -> None:
    lazy(make, "event:auth.login")
    host.start()
    assert state(host.load_plugin("audit")) == "loaded"
    host.plugins.auth.login("ann")
    assert seen == ["audit", "ann"] and state(plugin(host, "audit")) == "enabled"


def test_a_plain_host_knows_nothing_of_waiting(host: pkl.PluginHost, make: Make) -> None:
    """A lazy plugin that is enabled by hand, in a host that was never started, just runs."""
    assert state(enabled(host, lazy(make, "idle", code="", requires=[]))) == "enabled"
