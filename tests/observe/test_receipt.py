"""Receipts: what belongs to whom, what is undone, and when the code is known to be gone."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
from types import SimpleNamespace
from typing import Any, Callable, Iterator, List

import pytest

import pkl
from pkl.observe import watch
from pkl.testing import FakeClock, assert_clean
from tests.kernel.conftest import Make, enabled

PATIENCE = 30.0
"""Seconds after which something is given up as lost; never how long it takes."""

ENVIRONMENT = """
    import os
    os.environ["PKL_TEST_MINE"] = "1"
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has threads of other tests, which may not have ended, count as nobody."""
    others = set(sys._current_frames())
    monkeypatch.setattr(watch, "_is_alone", lambda _: not set(sys._current_frames()) - others)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Takes back what a failing test leaves."""
    before = dict(os.environ)
    yield
    for key in set(os.environ) - set(before):
        del os.environ[key]


def receipt_of(plugin: pkl.Plugin) -> pkl.Receipt:
    """The receipt of a plugin that has been stopped."""
    assert plugin.receipt is not None
    return plugin.receipt


def kinds(held: Any) -> List[str]:
    """The kinds of what a receipt lists."""
    return [each.kind for each in held]


def test_before_its_first_stop_a_plugin_has_no_receipt(host: pkl.PluginHost, make: Make) -> None:
    assert enabled(host, make("a")).receipt is None
    assert host.receipts == ()


def test_a_plugin_that_does_nothing_is_clean(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "def f(): pass\nclass C: pass"))
    plugin.disable()
    receipt = receipt_of(plugin)
    assert (receipt.taken_back, receipt.left, receipt.unsure) == ((), (), ())
    assert receipt.verify().status == "released" and receipt.clean
    assert (receipt.plugin, receipt.version, receipt.generation) == ("a", "1.0.0", 1)


def test_the_code_is_pending_until_it_is_collected(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "def f(): return f"))
    gc.collect()
    gc.disable()
    try:
        plugin.disable()
        assert receipt_of(plugin).status == "pending"
        gc.collect()
        assert receipt_of(plugin).status == "released"
    finally:
        gc.enable()


def test_it_is_verified_a_second_after_the_stop_by_the_hosts_clock(
    host: pkl.PluginHost, make: Make, clock: FakeClock
) -> None:
    plugin = enabled(host, make("a", "class C: pass"))
    kept = [plugin.module.C]
    plugin.disable()
    clock.advance(0.9)
    assert receipt_of(plugin).status == "pending"
    clock.advance(0.2)
    assert receipt_of(plugin).status == "retained"
    assert receipt_of(plugin).holders and not receipt_of(plugin).clean
    kept.clear()
    gc.collect()
    assert receipt_of(plugin).status == "released"
    assert receipt_of(plugin).holders == () and receipt_of(plugin).clean


def test_code_that_on_unload_still_needs_is_not_retained(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "import pkl\n@pkl.this.on_unload.subscribe\ndef last(): pass"))
    plugin.disable()
    receipt = receipt_of(plugin)
    assert receipt.verify().status == "pending"
    assert "on_unload handlers have still to run" in receipt.as_text()
    plugin.unload()
    assert receipt.verify().status == "released"


def test_the_holder_is_named_by_module_and_variable(
    host: pkl.PluginHost, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "HELD", [], raising=False)
    plugin = enabled(host, make("a", "class C: pass"))
    held: Any = vars(sys.modules[__name__])["HELD"]
    held.append({"deep": [plugin.module.C()]})
    plugin.disable()
    assert f"module {__name__}: HELD" in receipt_of(plugin).verify().holders


def test_another_plugin_that_holds_it_is_named(host: pkl.PluginHost, make: Make) -> None:
    owner = enabled(host, make("owner", "", init="class C: pass"))
    user = enabled(host, make("user", "from pkl.plugins.owner import C", wants=["owner"]))
    owner.disable()
    assert any("plugin user, module" in each for each in receipt_of(owner).verify().holders)
    user.disable()
    assert receipt_of(owner).verify().status == "released"


def test_dependants_go_first_so_their_imports_hold_nothing(
    host: pkl.PluginHost, make: Make
) -> None:
    owner = enabled(host, make("owner", "", init="class C: pass"))
    enabled(host, make("user", "from pkl.plugins.owner import C", requires=["owner"]))
    owner.disable()
    assert receipt_of(owner).verify().status == "released"


def test_what_the_application_changed_since_is_the_applications(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(host, make("a", ENVIRONMENT))
    os.environ["PKL_TEST_MINE"] = "2"
    plugin.disable()
    assert os.environ["PKL_TEST_MINE"] == "2"
    assert receipt_of(plugin).taken_back == () and receipt_of(plugin).clean


def test_what_another_plugin_changed_is_left_to_it(host: pkl.PluginHost, make: Make) -> None:
    first = enabled(host, make("a", ENVIRONMENT))
    second = enabled(host, make("b", ENVIRONMENT.replace('"1"', '"2"')))
    first.disable()
    assert os.environ["PKL_TEST_MINE"] == "2"
    second.disable()
    assert os.environ["PKL_TEST_MINE"] == "1"


def test_a_hook_is_not_given_back_to_a_plugin_that_has_stopped(
    host: pkl.PluginHost, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    code = "import sys\ndef hook(*a): pass\nsys.excepthook = hook"
    first, second = enabled(host, make("a", code)), enabled(host, make("b", code))
    first.disable()
    assert sys.excepthook is second.module.hook
    second.disable()
    assert sys.excepthook is sys.__excepthook__


def test_the_hook_of_the_application_comes_back(
    host: pkl.PluginHost, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mine(*error: Any) -> None:
        """Does nothing."""

    monkeypatch.setattr(sys, "excepthook", mine)
    enabled(host, make("a", "import sys\nsys.excepthook = lambda *a: None")).disable()
    assert sys.excepthook is mine


def test_what_a_library_does_when_it_is_first_imported_stays(
    host: pkl.PluginHost, make: Make, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pkl_test_library.py").write_text("import os\nos.environ['PKL_TEST_LIBRARY'] = '1'")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugin = enabled(host, make("a", "import pkl_test_library" + ENVIRONMENT.replace("    ", "")))
    plugin.disable()
    assert os.environ.get("PKL_TEST_LIBRARY") == "1" and "PKL_TEST_MINE" not in os.environ
    del sys.modules["pkl_test_library"]


def test_what_on_enable_changes_is_undone_too(host: pkl.PluginHost, make: Make) -> None:
    code = """
        import os, pkl
        @pkl.this.on_enable.subscribe
        def begin(): os.environ["PKL_TEST_MINE"] = "1"
    """
    plugin = enabled(host, make("a", code))
    assert "PKL_TEST_MINE" in os.environ
    plugin.disable()
    assert "PKL_TEST_MINE" not in os.environ


def test_a_child_loaded_meanwhile_answers_for_itself(host: pkl.PluginHost, make: Make) -> None:
    parent = make("parent", "import pkl\npkl.load_plugin(path='./child')")
    make("child", ENVIRONMENT, under=parent)
    plugin = enabled(host, parent)
    child = plugin.children[0]
    plugin.disable()
    assert kinds(receipt_of(child).taken_back) == ["environment"]
    assert receipt_of(plugin).taken_back == ()


def beside_another_thread(act: Callable[[], object]) -> None:
    """Calls it while another thread is there."""
    stay = threading.Event()
    thread = threading.Thread(target=stay.wait, args=(PATIENCE,))
    thread.start()
    try:
        act()
    finally:
        stay.set()
        thread.join(PATIENCE)


def test_what_changed_beside_other_threads_is_uncertain_and_left(
    host: pkl.PluginHost, make: Make
) -> None:
    beside_another_thread(lambda: enabled(host, make("a", ENVIRONMENT)))
    plugin = host.get_plugin("a")
    assert plugin is not None
    plugin.disable()
    receipt = receipt_of(plugin)
    assert os.environ["PKL_TEST_MINE"] == "1"
    assert kinds(receipt.unsure) == ["environment"] and receipt.clean
    del os.environ["PKL_TEST_MINE"]
    assert receipt.unsure == ()


def test_plugins_that_load_at_once_are_told_apart_by_their_code(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
        import logging, app_meeting
        class H(logging.Handler): pass
        app_meeting.wait()
        logging.getLogger("pkl.test.{0}").addHandler(H())
    """
    meeting: Any = threading.Barrier(2, timeout=PATIENCE)
    sys.modules["app_meeting"] = meeting
    paths = [make(name, code.format(name)) for name in ("a", "b")]
    threads = [threading.Thread(target=enabled, args=(host, path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    del sys.modules["app_meeting"]
    first, second = host.get_plugin("a"), host.get_plugin("b")
    assert first is not None and second is not None
    first.disable()
    assert [str(h) for h in receipt_of(first).taken_back] == [
        "logging handler H (of logger pkl.test.a)"
    ]
    assert logging.getLogger("pkl.test.b").handlers
    second.disable()
    assert not logging.getLogger("pkl.test.b").handlers


def test_a_signal_outside_of_the_main_thread_is_named(host: pkl.PluginHost, make: Make) -> None:
    signal = pytest.importorskip("signal")
    code = "import signal\ndef f(*a): pass\nsignal.signal(signal.SIGUSR1, f)"
    plugin = enabled(host, make("a", code))
    thread = threading.Thread(target=plugin.disable)
    thread.start()
    thread.join(PATIENCE)
    (left,) = receipt_of(plugin).left
    assert str(left) == "signal SIGUSR1 (Python sets signal handlers in the main thread only)"
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert receipt_of(plugin).left == ()


def test_a_thread_is_listed_as_left_until_it_ends(host: pkl.PluginHost, make: Make) -> None:
    code = """
        import threading
        stay = threading.Event()
        def work(): stay.wait(60)
        thread = threading.Thread(target=work, name="worker")
        thread.start()
    """
    plugin = enabled(host, make("a", code))
    stay, thread = plugin.module.stay, plugin.module.thread
    plugin.disable()
    (left,) = receipt_of(plugin).left
    assert (left.kind, left.what) == ("thread", "worker") and not receipt_of(plugin).clean
    stay.set()
    thread.join(PATIENCE)
    del stay, thread
    assert receipt_of(plugin).left == () and receipt_of(plugin).clean


def test_a_file_that_the_application_has_too_is_not_closed(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(host, make("a", "import os\nshared, own = open(os.devnull), open(os.devnull)"))
    shared = plugin.module.shared
    plugin.disable()
    assert not shared.closed
    assert [each.note for each in receipt_of(plugin).left] == ["others refer to it too"]
    assert kinds(receipt_of(plugin).taken_back) == ["open file"]
    shared.close()
    assert receipt_of(plugin).left == ()


def test_a_plugin_that_fails_while_it_is_imported_gets_a_receipt(
    host: pkl.PluginHost, make: Make
) -> None:
    with pytest.raises(pkl.PluginLoadError):
        host.load_plugin(path=make("a", ENVIRONMENT + "    1 / 0"))
    plugin = host.get_plugin("a")
    assert plugin is not None
    assert kinds(receipt_of(plugin).taken_back) == ["environment"]
    assert "PKL_TEST_MINE" not in os.environ


def test_an_earlier_receipt_stays_while_its_code_is_held(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "class C: pass"))
    kept = [plugin.module.C]
    plugin.disable()
    plugin.enable().disable()
    assert [each.generation for each in host.receipts] == [1, 2]
    kept.clear()
    gc.collect()
    plugin.enable().disable()
    assert [each.generation for each in host.receipts] == [3]


def test_a_search_that_fails_is_reported_and_the_stop_goes_on(
    host: pkl.PluginHost, make: Make
) -> None:
    class Odd(logging.Logger):
        @property
        def filters(self) -> List[Any]:
            raise OSError("no filters here")

        @filters.setter
        def filters(self, value: List[Any]) -> None:
            """Takes nothing."""

    logging.root.manager.loggerDict["pkl.test.odd"] = Odd("pkl.test.odd")
    try:
        plugin = enabled(host, make("a"))
        plugin.disable()
    finally:
        del logging.root.manager.loggerDict["pkl.test.odd"]
    (left,) = receipt_of(plugin).left
    assert str(left) == "search OSError (for what it left raised no filters here)"


def test_objects_that_do_something_when_they_are_asked_are_not_asked(
    host: pkl.PluginHost, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: List[str] = []

    class Proxy:
        def __getattribute__(self, name: str) -> Any:
            asked.append(name)
            raise RuntimeError("nothing is connected")

    proxy = Proxy()
    code = "import app\nclass C: pass\nheld = [app.proxy]\napp.kept.append(C)"
    kept: List[type] = []
    monkeypatch.setitem(sys.modules, "app", SimpleNamespace(proxy=proxy, kept=kept))
    plugin = enabled(host, make("a", code))
    plugin.disable()
    assert receipt_of(plugin).verify().status == "retained" and kept
    assert asked == []


def test_the_error_of_a_failed_start_keeps_its_lines_as_text(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
        import pkl
        @pkl.this.on_enable.subscribe
        def begin(): raise ValueError("no")
    """
    plugin = host.load_plugin(path=make("a", code))
    with pytest.raises(pkl.PluginEnableError):
        plugin.enable()
    assert receipt_of(plugin).verify().status == "released"
    assert plugin.error is not None and plugin.error.__cause__ is not None
    (note,) = vars(plugin.error.__cause__)["__notes__"]
    assert note.startswith("In code of a plugin that was stopped since:\n")
    assert 'raise ValueError("no")' in note and "in begin" in note


def test_context_variables_set_at_import_stay_inside(host: pkl.PluginHost, make: Make) -> None:
    code = """
        import decimal, pkl
        decimal.setcontext(decimal.Context(prec=3))
        @pkl.this.on_enable.subscribe
        def begin(): decimal.setcontext(decimal.Context(prec=4))
    """
    import decimal

    before = decimal.getcontext().prec
    enabled(host, make("a", code))
    assert decimal.getcontext().prec == before


def test_a_receipt_as_json_and_text(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", ENVIRONMENT))
    plugin.disable()
    receipt = receipt_of(plugin).verify()
    assert json.loads(json.dumps(receipt.as_dict())) == {
        "plugin": "a",
        "version": "1.0.0",
        "generation": 1,
        "status": "released",
        "taken_back": [{"kind": "environment", "what": "PKL_TEST_MINE", "note": ""}],
        "left": [],
        "unsure": [],
        "holders": [],
    }
    assert receipt.as_text() == (
        "a 1.0.0, load 1: released\n  taken back: environment PKL_TEST_MINE"
    )


def test_assert_clean_unloads_and_passes(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "import atexit\ndef f(): pass\natexit.register(f)"))
    assert_clean(plugin)
    assert plugin.state is pkl.PluginState.UNLOADED


def test_assert_clean_says_who_holds_the_code(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a", "class C: pass"))
    kept = plugin.module.C()
    with pytest.raises(AssertionError, match=r"'a' leaves something behind\na 1\.0\.0, load 1: r"):
        assert_clean(plugin)
    assert kept is not None


def test_assert_clean_refuses_what_was_never_loaded(host: pkl.PluginHost, make: Make) -> None:
    make("a")
    host.discover()
    plugin = host.load_plugin("a")
    plugin.unload()
    assert_clean(plugin)
    other = pkl.Plugin(host.kernel, plugin.candidate)
    with pytest.raises(AssertionError, match="never loaded"):
        assert_clean(other)


def test_a_host_without_an_accountant_makes_no_receipts(host: pkl.PluginHost, make: Make) -> None:
    host.kernel.accountant = None
    plugin = enabled(host, make("a", ENVIRONMENT))
    plugin.disable()
    assert plugin.receipt is None and host.receipts == ()


def test_nothing_is_verified_while_the_host_closes(
    host: pkl.PluginHost, make: Make, clock: FakeClock
) -> None:
    plugin = enabled(host, make("a", "class C: pass"))
    kept = [plugin.module.C]
    host.close()
    clock.advance(5)
    assert receipt_of(plugin).status == "pending" and kept
