"""Handlers by name: of hooks that are there, that come later, that never come, that change."""

from __future__ import annotations

from typing import Any, List

import pytest

import pkl
from pkl.model.finding import ERROR

from .conftest import Make, enabled, state

SHOP = """
import pkl
@pkl.hook
def offers(product, country="NL"): pass
@pkl.event
def opened(): pass
"""
ANSWER = """
import pkl
@pkl.hookimpl("{name}"{options})
def answer({takes}):
    return pkl.this.name
"""


def answering(name: str = "shop.offers", takes: str = "product", options: str = "") -> str:
    """The code of a plugin that answers a hook by name."""
    return ANSWER.format(name=name, takes=takes, options=options and f", {options}")


def test_a_hook_that_is_there_is_answered_by_name(host: pkl.PluginHost, make: Make) -> None:
    shop = enabled(host, make("shop", SHOP))
    enabled(host, make("other", answering("Shop.offers", "country, product")))
    assert shop.module.offers("tea").values == ["other"] and host.check() == ()


def test_a_hook_may_come_after_its_handler_and_again(host: pkl.PluginHost, make: Make) -> None:
    other = enabled(host, make("other", answering()))
    shop = enabled(host, make("shop", SHOP))
    assert shop.module.offers("tea").values == ["other"]
    shop.disable()
    shop.enable()
    assert shop.module.offers("tea").values == ["other"]
    other.disable()
    assert shop.module.offers("tea").values == []


def test_a_handler_that_does_not_fit_is_refused_at_once_where_the_hook_is_there(
    host: pkl.PluginHost, make: Make
) -> None:
    enabled(host, make("shop", SHOP))
    with pytest.raises(pkl.PluginLoadError, match="takes price") as caught:
        host.load_plugin(path=make("other", answering(takes="price")))
    assert isinstance(caught.value.__cause__, pkl.HandlerRefused)
    other = host.get_plugin("other")
    assert state(other) == "error" and host.resource_manager.get_resources(other) == ()


def test_a_handler_that_does_not_fit_the_hook_that_comes_is_reported_and_found(
    host: pkl.PluginHost, make: Make, faults: List[Any]
) -> None:
    path = make("other", answering(takes="price, product"))
    enabled(host, path)
    shop = enabled(host, make("shop", SHOP))
    assert shop.module.offers("tea").values == []
    (fault,) = faults
    assert isinstance(fault.error, pkl.HandlerRefused) and fault.plugin.name == "other"
    (found,) = host.check()
    assert (found.severity, found.code, found.plugin) == (ERROR, "unfit-handler", "other")
    assert (found.hook, found.argument) == ("shop.offers", "price")
    assert (found.file, found.line) == (str(path / "plugin.py"), 3)
    assert "takes price, which the hook shop.offers does not pass" in found.message


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("shops.offers", "there is no plugin 'shops'", "did you mean 'shop.offers'?"),
        ("shop.offer", "plugin 'shop' 1.0.0 declares no such hook", "did you mean 'shop.offers'?"),
        ("shop.opened_", "plugin 'shop' 1.0.0 declares no such hook", "optional=True"),
    ],
)
def test_an_unknown_hook_is_found_unless_it_is_optional(
    host: pkl.PluginHost, make: Make, name: str, message: str, hint: str
) -> None:
    enabled(host, make("shop", SHOP))
    path = make("other", answering(name))
    enabled(host, path)
    enabled(host, make("casual", answering(name, options="optional=True")))
    (found,) = host.check()
    assert (found.severity, found.code, found.plugin) == (ERROR, "unknown-hook", "other")
    assert (found.hook, found.file, found.line) == (name, str(path / "plugin.py"), 3)
    assert message in found.message and hint in found.hint


def test_nothing_is_said_of_the_hooks_of_a_plugin_that_does_not_run(
    host: pkl.PluginHost, make: Make
) -> None:
    host.load_plugin(path=make("shop", SHOP))
    enabled(host, make("other", answering("shop.gone")))
    assert host.check() == ()
    shop = host.get_plugin("shop")
    assert shop is not None
    shop.enable()
    assert [found.code for found in host.check()] == ["unknown-hook"]


def test_a_hook_that_is_gone_or_changed_leaves_its_handlers_by_name_waiting(
    host: pkl.PluginHost, make: Make, faults: List[Any]
) -> None:
    """A handler by name is held against what the hook is by then; no other is dropped for it."""
    path = make("shop", SHOP)
    shop = enabled(host, path)
    enabled(host, make("other", answering()))

    def load_again(code: str) -> None:
        shop.disable()
        make("shop", code)
        shop.enable()

    load_again("import pkl")
    assert [found.code for found in host.check()] == ["unknown-hook"]
    load_again(SHOP.replace("product,", "product, price,"))
    assert shop.module.offers("tea", 3).values == ["other"]
    load_again(SHOP.replace("product,", "goods,"))
    assert shop.module.offers("tea").values == []
    assert [found.code for found in host.check()] == ["unfit-handler"]
    load_again(SHOP)
    assert shop.module.offers("tea").values == ["other"] and host.check() == ()
    assert len(faults) == 1


def test_names_that_cannot_be_a_plugins_hook_are_refused(host: pkl.PluginHost, make: Make) -> None:
    for name in ("offers", "shop.", ".offers", "shop.of-fers", "sh op.offers", ""):
        with pytest.raises(pkl.HandlerRefused, match="does not name a plugin's hook"):
            pkl.hookimpl(name)
    enabled(host, make("shop", SHOP))
    with pytest.raises(pkl.HandlerRefused, match=r"shop\.opened is an event, not a hook"):
        pkl.hookimpl("shop.opened")(lambda: None)
    with pytest.raises(pkl.HandlerRefused, match="not a generator function"):
        pkl.hookimpl("later.on", wrapper=True)(lambda: None)
    assert host.resource_manager.get_resources(None) == ()


def test_a_name_that_becomes_an_event_has_no_handlers_by_name(
    host: pkl.PluginHost, make: Make
) -> None:
    enabled(host, make("other", answering("shop.opened", takes="")))
    shop = enabled(host, make("shop", SHOP))
    shop.module.opened()
    assert [found.code for found in host.check()] == ["unknown-hook"]


def test_a_handler_by_name_may_be_a_wrapper_and_is_taken_back(
    host: pkl.PluginHost, make: Make
) -> None:
    code = """
        import pkl
        @pkl.hookimpl("shop.offers", wrapper=True)
        def around(product):
            results = yield
            return [product, *results.values]
        @pkl.hookimpl("shop.offers", trylast=True)
        def last(): return "last"
        @pkl.hookimpl("shop.offers", priority=3)
        def early(): return "early"
        """
    other = enabled(host, make("other", code))
    shop = enabled(host, make("shop", SHOP))
    assert shop.module.offers("tea") == ["tea", "early", "last"]
    with pkl.plugin_context(host, other):
        shop.module.offers.unsubscribe(other.module.around)
    assert shop.module.offers("tea").values == ["early", "last"]
