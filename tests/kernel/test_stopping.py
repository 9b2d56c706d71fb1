"""Stopping: deadlines that are kept and named, errors that are kept and cleared."""

from __future__ import annotations

import asyncio
from typing import Any, List

import pytest

import pkl
from pkl import Resource

from .conftest import Make, enabled, state


def test_an_async_handler_past_its_deadline_is_named(host: pkl.PluginHost, make: Make) -> None:
    plugin = enabled(
        host,
        make(
            "a",
            """
            import asyncio, pkl
            class R(pkl.Resource):
                async def _acleanup(self): await asyncio.sleep(60)
            pkl.this.host.resource_manager.register(R())
            @pkl.this.on_disable.on
            async def slow(): await asyncio.sleep(60)
            """,
        ),
    )
    with pytest.raises(pkl.CleanupError) as raised:
        plugin.disable(timeout=0.02)
    assert [type(e) for e in raised.value.exceptions] == [pkl.StopTimeout] * 2
    text = str(raised.value)
    assert "on_disable of plugin 'a': StopTimeout: slow (" in text
    assert "_acleanup" in text and "within 0.02 s" in text


def test_an_async_resource_is_cleaned_up_when_released_by_hand_and_by_the_host(
    host: pkl.PluginHost,
) -> None:
    cleaned: List[int] = []

    class R(Resource):
        def __init__(self, number: int) -> None:
            self.number = number  # forgetting super().__init__() is forgiven

        async def _acleanup(self) -> None:
            await asyncio.sleep(0)
            cleaned.append(self.number)

    first, second = R(1), R(2)
    for each in (first, second):
        host.resource_manager.register(each)
    first.release()
    assert cleaned == [1]
    host.close()
    assert cleaned == [1, 2]


def test_the_error_is_gone_once_the_plugin_is_no_longer_in_error(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make("a", "1/0")
    with pytest.raises(pkl.PluginLoadError):
        host.load_plugin(path=path)
    plugin = host.get_plugin("a")
    assert plugin is not None and plugin.error is not None
    plugin.unload()
    assert plugin.error is None
    assert plugin.reason is not None and plugin.reason.code == "not-loaded"


def test_close_says_whose_clean_up_failed(host: pkl.PluginHost, make: Make) -> None:
    enabled(host, make("a", "import pkl\n@pkl.this.on_disable.on\ndef f(): 1/0"))
    with pytest.raises(pkl.CleanupError) as raised:
        host.close()
    assert "on_disable of plugin 'a': ZeroDivisionError" in str(raised.value)


def test_a_refused_start_takes_back_only_what_it_started_and_keeps_the_reasons(
    host: pkl.PluginHost, make: Make
) -> None:
    kept = enabled(host, make("kept"))
    make("good")
    make("vital", "1/0", critical=True)
    report = host.start()
    assert report.status == "refused" and report.enabled == ("kept",)
    assert state(kept) == "enabled" and state(host.get_plugin("good")) == "disabled"
    vital, good = host.get_plugin("vital"), host.get_plugin("good")
    assert vital is not None and vital.reason is not None and vital.reason.code == "load"
    assert good is not None and good.reason is not None and good.reason.code == "refused"


def test_refresh_starts_what_waited_for_what_is_there_by_now(
    host: pkl.PluginHost, make: Make
) -> None:
    make("top", requires=["mid"])
    make("mid", requires=["base"])
    assert host.start().status == "degraded"
    make("base")
    host.refresh()
    assert [state(p) for p in host.all_plugins()] == ["enabled"] * 3


def test_a_disabled_plugin_is_unloaded_not_blocked(host: pkl.PluginHost, make: Make) -> None:
    make("a")
    host.set_desired("a", "disabled")
    assert host.start().ok
    plugin = host.get_plugin("a")
    assert plugin is not None and state(plugin) == "unloaded"
    assert plugin.reason is not None and plugin.reason.code == "disabled"


def test_starting_some_reports_those_and_what_they_need(host: pkl.PluginHost, make: Make) -> None:
    make("base")
    make("top", requires=["base"])
    make("other")
    enabled(host, make("running"))
    assert host.start("top").enabled == ("base", "top")
    with pytest.raises(pkl.PluginNotFound):
        host.start("nobody")


def test_a_hook_that_raises_anything_is_no_end_of_the_plugin(
    host: pkl.PluginHost, make: Make, faults: List[Any]
) -> None:
    def leaves(plugin: pkl.Plugin) -> None:
        raise SystemExit(3)

    host.add_enable_hook(leaves)
    assert state(enabled(host, make("a"))) == "enabled"
    assert isinstance(faults[0].error, SystemExit)


def test_a_plugin_that_asks_to_be_confined_does_not_run_unconfined(
    host: pkl.PluginHost, make: Make
) -> None:
    make("a", tier="sandbox")
    report = host.start()
    assert report.blocked["a"].code == "tier" and "sandbox" in report.blocked["a"].message


def test_astart_takes_a_new_loop_when_the_old_one_is_closed(
    host: pkl.PluginHost, make: Make
) -> None:
    make("a")

    async def main() -> Any:
        await host.astart()
        return host.kernel.loop

    first, second = asyncio.run(main()), asyncio.run(main())
    assert first.is_closed() and second is not first
