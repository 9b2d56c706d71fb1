"""``pkl.plugins``: proxies that resolve at access, in the right host, and say why not."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest

import pkl
import pkl.plugins

from .conftest import Make, enabled


def test_a_plugin_with_an_init_shows_that_else_its_entry_point_module(
    host: pkl.PluginHost, make: Make
) -> None:
    a = enabled(host, make("with-api", "inner = 1", init="from .plugin import inner\nouter = 2"))
    b = enabled(host, make("without", "inner = 3"))
    from pkl.plugins import with_api, without  # type: ignore[attr-defined, unused-ignore]

    assert with_api.outer == 2 and with_api.inner == 1 and without.inner == 3
    assert (a.api.outer, b.api) == (2, b.module)
    assert a.module.__name__.endswith(".plugin")
    assert host.plugins.with_api.outer == 2 and dir(host.plugins) == ["with_api", "without"]
    assert "outer" in dir(with_api) and "without" in dir(pkl.plugins)


def test_every_form_of_import_works_and_gives_one_proxy(host: pkl.PluginHost, make: Make) -> None:
    enabled(host, make("my-plugin", "value = 1"))
    import pkl.plugins.my_plugin  # type: ignore[import-not-found, unused-ignore]
    import pkl.plugins.my_plugin as second
    from pkl.plugins import my_plugin as third  # type: ignore[attr-defined, unused-ignore]
    from pkl.plugins.my_plugin import value  # type: ignore[import-not-found, unused-ignore]

    assert second is third is pkl.plugins.my_plugin and value == 1
    assert importlib.import_module("pkl.plugins.my_plugin") is second


def test_it_can_be_imported_from_loaded_on_and_not_after_its_stop(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = host.load_plugin(path=make("a", "value = 1"))
    from pkl.plugins import a  # type: ignore[attr-defined, unused-ignore]

    assert a.value == 1
    plugin.enable().disable()
    with pytest.raises(pkl.PluginNotRunning, match=r"'a' 1\.0\.0 is not running .state: disabled"):
        _ = a.value
    for form in (
        "from pkl.plugins import a",
        "import pkl.plugins.a",
        "import pkl.plugins.a as x",
        "from pkl.plugins.a import value",
    ):
        with pytest.raises(ImportError, match="is not running") as raised:
            exec(form, {})
        assert isinstance(raised.value, pkl.PluginNotRunning)
    plugin.enable()
    assert a.value == 1, "the same proxy serves the next generation"


def test_an_unknown_plugin_is_refused_with_a_suggestion(host: pkl.PluginHost, make: Make) -> None:
    enabled(host, make("storage"))
    with pytest.raises(pkl.PluginNotRunning, match="did you mean 'storage'"):
        from pkl.plugins import storge  # type: ignore[attr-defined, unused-ignore]  # noqa: F401
    with pytest.raises(AttributeError):
        _ = pkl.plugins._nothing  # type: ignore[attr-defined, unused-ignore]


def test_assigning_the_same_event_back_is_nothing_and_anything_else_is_refused(
    host: pkl.PluginHost, make: Make
) -> None:
    plugin = enabled(host, make("a", "from pkl import event\n@event\ndef e(): pass"))
    from pkl.plugins import a  # type: ignore[attr-defined, unused-ignore]

    a.e += lambda: None
    a.e = a.e
    with pytest.raises(AttributeError, match="cannot be set from outside"):
        a.e = 3
    with pytest.raises(AttributeError):
        plugin.on_disable = 3  # type: ignore[assignment]
    assert isinstance(a.e, pkl.Event)


def test_importing_what_the_manifest_does_not_name_warns_once(
    host: pkl.PluginHost, make: Make
) -> None:
    enabled(host, make("a"))
    path = make("b", "import pkl.plugins.a\nfrom pkl.plugins import a\nfrom pkl.plugins import a")
    with pytest.warns(pkl.UndeclaredImportWarning, match=r'requires = \["a"\]') as caught:
        enabled(host, path)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        enabled(host, make("c", "from pkl.plugins import a", requires=["a"]))
        enabled(host, make("d", "from pkl.plugins import a", wants=["a"]))


def test_in_a_strict_host_it_is_an_error(make: Make) -> None:
    with pkl.PluginHost(strict=True) as host:
        enabled(host, make("a"))
        with pytest.raises(pkl.PluginLoadError, match="does not name"):
            host.load_plugin(path=make("b", "from pkl.plugins import a"))


def test_hosts_do_not_see_each_others_plugins(host: pkl.PluginHost, make: Make) -> None:
    """A proxy answers in the current plugin's host, also for the same code in two hosts."""
    shared = make(
        "shared",
        "import pkl\nwhere = pkl.this.host\n@pkl.syscall\ndef name():\n    return pkl.this.host",
    )
    user = make(
        "user",
        "from pkl.plugins import shared\nimport pkl\n@pkl.syscall\ndef ask(): return shared.where",
        requires=["shared"],
    )
    enabled(host, shared)
    one = enabled(host, user)
    with pkl.PluginHost() as other:
        enabled(other, shared)
        two = enabled(other, user)
        enabled(other, make("only-there"))
        assert one.module.ask() is host and two.module.ask() is other
        assert one.module is not two.module
        from pkl.plugins import shared as proxy  # type: ignore[attr-defined, unused-ignore]

        assert proxy.where is host
        with other.as_current():
            assert proxy.where is other
        with pytest.raises(pkl.PluginNotRunning, match="has no plugin 'only-there'"):
            from pkl.plugins import only_there  # type: ignore[attr-defined, unused-ignore]  # noqa: F401
    assert one.module.ask() is host


def test_modules_of_a_plugin_are_not_importable_through_the_proxy(
    host: pkl.PluginHost, make: Make
) -> None:
    path = make("a", init="")
    (path / "models.py").write_text("loaded = []")
    enabled(host, path)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("pkl.plugins.a.models")


def test_this_outside_of_plugins_says_what_to_do() -> None:
    with pytest.raises(pkl.NoCurrentPlugin, match="get_current_plugin") as raised:
        _ = pkl.this
    assert isinstance(raised.value, RuntimeError)


def test_plugin_context_takes_only_the_hosts_own(host: pkl.PluginHost, make: Make) -> None:
    plugin: Any = enabled(host, make("a"))
    with pkl.plugin_context(host, plugin):
        assert pkl.this is plugin and host.get_current_plugin() is plugin
        with pkl.plugin_context(host, None):
            assert pkl.get_current_plugin() is None
        assert pkl.this is plugin
    with pkl.PluginHost() as other, pytest.raises(ValueError, match="another host"):
        pkl.plugin_context(other, plugin)
