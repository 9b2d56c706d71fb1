"""``wants``: pulled in if there, started before, and its failure changes nothing."""

from __future__ import annotations

from typing import List

import pytest

import pkl

from .conftest import Make, enabled, state

WANTING = """
import pkl
try:
    from pkl.plugins import extra
except pkl.PluginNotRunning as error:
    extra = None
"""


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_want_is_pulled_in_and_started_before(
    host: pkl.PluginHost, make: Make, by_hand: bool
) -> None:
    """By hand as by start(): its API can be imported when the module that wants it runs."""
    make("extra", "import pkl\nvalue = 1\n@pkl.syscall\ndef call(): return 2")
    make("a", WANTING + "got = extra.call()", wants=["extra>=1"])
    if by_hand:
        host.set_desired("a", "disabled")
        host.start()
        host.get_plugin("extra").unload()  # type: ignore[union-attr]
        host.get_plugin("a").enable()  # type: ignore[union-attr]
    else:
        assert host.start().ok
    plugin = host.get_plugin("a")
    assert plugin is not None and plugin.module.got == 2
    extra = host.get_plugin("extra")
    assert extra is not None and state(extra) == "enabled" and extra.started < plugin.started
    extra.disable()
    assert state(plugin) == "enabled", "what is wanted may stop"


@pytest.mark.parametrize(
    ("code", "version"), [("1/0", "1.0"), ("", "0.5"), (None, "1.0")], ids=["fails", "old", "none"]
)
def test_a_want_that_fails_is_out_of_bounds_or_missing_changes_nothing(
    host: pkl.PluginHost, make: Make, code: "str | None", version: str
) -> None:
    if code is not None:
        make("extra", code, version=version)
    plugin = enabled(host, make("a", WANTING, wants=["extra>=1"]))
    assert state(plugin) == "enabled" and plugin.module.extra is None
    assert state(host.get_plugin("extra")) == "error" if code else True
    if version == "0.5":
        assert host.get_plugin("extra") is None, "out of bounds means not pulled in"


def test_a_want_of_something_that_requires_me_is_order_only(
    host: pkl.PluginHost, make: Make
) -> None:
    make("b", requires=["a"])
    a = enabled(host, make("a", wants=["b"]))
    assert state(a) == "enabled"
    b = host.get_plugin("b")
    assert b is not None
    b.enable()
    assert a.started < b.started


def test_a_disabled_want_is_not_pulled_in(host: pkl.PluginHost, make: Make) -> None:
    make("extra")
    host.set_desired("extra", "disabled")
    assert host.start().ok
    enabled(host, make("a", WANTING, wants=["extra"]))
    assert state(host.get_plugin("extra")) == "unloaded"


def test_enabling_starts_what_is_required_before_the_code_is_imported(
    host: pkl.PluginHost, make: Make
) -> None:
    """So that a module may call what it requires, by hand as under start()."""
    make("base", "import pkl\n@pkl.syscall\ndef call(): return pkl.this.state.value")
    make("top", "from pkl.plugins import base\ngot = base.call()", requires=["base"])
    for name in ("base", "top"):
        host.set_desired(name, "disabled")
    assert host.start().enabled == ()
    top = host.get_plugin("top")
    assert top is not None
    top.enable()
    assert top.module.got == "enabled"
    order: List[str] = []
    host.add_enable_hook(lambda p: order.append(p.name))
    base = host.get_plugin("base")
    assert base is not None
    base.disable()
    top.enable()
    assert order == ["base", "top"] and top.module.got == "enabled"
