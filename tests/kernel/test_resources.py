"""Resources: held, released in reverse, once, as their plugin, whatever each of them raises."""

from __future__ import annotations

from typing import Any, List

import pytest

import pkl
from pkl import Resource

from .conftest import Make, enabled, state

CODE = """
import pkl
log = pkl.this.host.log
class R(pkl.Resource):
    def __init__(self, name, error=None):
        super().__init__()
        self.name, self.error = name, error
    def __repr__(self): return f"R({self.name})"
    def _cleanup(self):
        log.append((self.name, pkl.this.name))
        if self.error: raise self.error
manager = pkl.this.host.resource_manager
def hold(*args): return manager.register(R(*args))
"""


@pytest.fixture
def log(host: pkl.PluginHost) -> List[Any]:
    seen: List[Any] = []
    host.log = seen  # type: ignore[attr-defined]
    return seen


def test_resources_are_released_in_reverse_as_their_plugin(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    plugin = enabled(host, make("a", CODE + "first, second = hold(1), hold(2)"))
    held = host.resource_manager.get_resources(plugin)
    assert [r.name for r in held] == [1, 2]  # type: ignore[attr-defined]
    assert all(r.plugin is plugin and r.held for r in held)
    plugin.disable()
    assert log == [(2, "a"), (1, "a")]
    assert not held[0].held and host.resource_manager.get_resources(plugin) == ()


def test_one_failing_cleanup_never_stops_the_rest_and_failures_are_gathered(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    code = (
        CODE
        + """
hold(1, ValueError("one"))
hold(2)
hold(3, SystemExit(3))
@pkl.this.on_disable.on
def fails(): raise KeyError("on_disable")
"""
    )
    plugin = enabled(host, make("a", code))
    with pytest.raises(pkl.CleanupError) as raised:
        plugin.disable()
    assert [n for n, _ in log] == [3, 2, 1]
    kinds = [type(e).__name__ for e in raised.value.exceptions]
    assert kinds == ["KeyError", "RuntimeError", "ValueError"]
    assert "SystemExit" in str(raised.value) and "plugin 'a'" in str(raised.value)
    assert state(plugin) == "disabled"


def test_a_cascades_failures_are_raised_once(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    a = enabled(host, make("a", CODE + "hold(1, ValueError('a'))"))
    enabled(host, make("b", CODE + "hold(1, ValueError('b'))", requires=["a"]))
    with pytest.raises(pkl.CleanupError) as raised:
        a.disable()
    assert [str(e) for e in raised.value.exceptions] == ["b", "a"]
    assert all(state(p) == "disabled" for p in host.all_plugins())


def test_releasing_early_by_hand_unregisters(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    plugin = enabled(host, make("a", CODE + "r = hold(1)"))
    plugin.module.r.release()
    plugin.module.r.release()
    assert log == [(1, "a")] and host.resource_manager.get_resources(plugin) == ()
    plugin.disable()
    assert len(log) == 1


def test_register_and_cleanup_hooks_are_called_and_can_be_undone(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    seen: List[str] = []
    undo = host.resource_manager.add_register_hook(lambda r: seen.append(f"+{r}"))
    host.resource_manager.add_cleanup_hook(lambda r: seen.append(f"-{r}"))
    plugin = enabled(host, make("a", CODE + "hold(1)"))
    undo()
    plugin.module.hold(2)
    plugin.disable()
    assert seen == ["+R(1)", "-R(2)", "-R(1)"] or seen == ["+R(1)", "-R(1)"]


def test_registering_for_a_stopped_plugin_is_refused_and_holds_nothing(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    plugin = enabled(host, make("a", CODE))
    module = plugin.module
    resource = module.R(1) if False else None
    with pkl.plugin_context(host, plugin):
        resource = module.R(1)
    plugin.disable()
    with pytest.raises(pkl.PluginNotRunning):
        host.resource_manager.register(resource)
    assert host.resource_manager.get_resources(plugin) == () and not resource.held


def test_a_failed_load_and_a_failed_enable_are_cleaned_up_and_both_errors_survive(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    with pytest.raises(pkl.PluginLoadError) as load:
        host.load_plugin(path=make("a", CODE + "hold(1, KeyError('cleanup'))\n1/0"))
    assert isinstance(load.value.__cause__, ZeroDivisionError)
    assert [type(e) for e in load.value.cleanup] == [KeyError]
    assert "plugin.py:15" in str(load.value) and "KeyError" in str(load.value)
    a = host.get_plugin("a")
    assert a is not None and state(a) == "error" and a.error is load.value
    assert a.reason is not None and a.reason.code == "load"
    b = host.load_plugin(
        path=make("b", CODE + "hold(2)\n@pkl.this.on_enable.on\ndef f(): hold(3); 1/0")
    )
    with pytest.raises(pkl.PluginEnableError, match="failed while it was being enabled"):
        b.enable()
    assert state(b) == "error" and b.reason is not None and b.reason.code == "enable"
    assert [n for n, _ in log] == [1, 3, 2]


@pytest.mark.parametrize("error", ["SystemExit(1)", "BaseException('x')", "SyntaxError('x')"])
def test_whatever_import_raises_is_that_plugins_fault(
    host: pkl.PluginHost, make: Make, error: str
) -> None:
    with pytest.raises(pkl.PluginLoadError):
        host.load_plugin(path=make("a", f"raise {error}"))
    assert state(host.get_plugin("a")) == "error"


def test_keyboard_interrupt_during_import_passes_after_clean_up(
    host: pkl.PluginHost, make: Make, log: List[Any]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        host.load_plugin(path=make("a", CODE + "hold(1)\nraise KeyboardInterrupt"))
    assert log == [(1, "a")] and pkl.get_current_plugin() is None
    plugin = host.get_plugin("a")
    assert plugin is not None and state(plugin) == "error"


def test_the_host_holds_resources_too(host: pkl.PluginHost) -> None:
    released: List[int] = []

    class R(Resource):
        def _cleanup(self) -> None:
            released.append(1)

    host.resource_manager.register(R())
    assert len(host.resource_manager.get_resources(None)) == 1
    host.close()
    assert released == [1]


def test_a_resource_of_another_hosts_plugin_is_refused(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(host, make("a"))
    with pkl.PluginHost() as other, pytest.raises(ValueError, match="another host"):
        other.resource_manager.register(Resource(plugin))
