"""Children: loaded by path inside a plugin, stopped with their parent unless detached."""

from __future__ import annotations

import pytest

import pkl

from .conftest import Make, enabled, state

PARENT = """
import pkl
from pkl import load_plugin
@pkl.syscall
def adopt(detach):
    child = load_plugin(path="children/kid")
    return child.enable(detach=detach)
@pkl.syscall
def stop(name): pkl.this.host.get_plugin(name).disable()
"""


@pytest.fixture
def parent(host: pkl.PluginHost, make: Make) -> pkl.Plugin:
    path = make("parent", PARENT)
    make("kid", "import pkl\nlog = pkl.log", under=path / "children")
    return enabled(host, path)


def test_a_child_is_found_relative_to_its_parent_and_stops_with_it(
    host: pkl.PluginHost, parent: pkl.Plugin
) -> None:
    kid = parent.module.adopt(False)
    assert kid.parent is parent and parent.children == (kid,)
    assert host.get_plugin("kid") == kid and state(kid) == "enabled"
    parent.disable()
    assert state(kid) == "disabled"
    assert kid.reason is not None and kid.reason.code == "parent-stopped"


def test_a_detached_child_lives_on_and_is_no_longer_its_parents_to_stop(
    host: pkl.PluginHost, parent: pkl.Plugin
) -> None:
    kid = parent.module.adopt(True)
    assert kid.parent is None and parent.children == ()
    with pytest.raises(pkl.NotPermitted):
        parent.module.stop("kid")
    parent.disable()
    assert state(kid) == "enabled"
    kid.disable()


def test_a_parent_may_stop_its_child(host: pkl.PluginHost, parent: pkl.Plugin) -> None:
    kid = parent.module.adopt(False)
    parent.module.stop("kid")
    assert state(kid) == "disabled" and state(parent) == "enabled"


def test_loading_a_known_name_changes_no_parent(host: pkl.PluginHost, make: Make) -> None:
    orphan = enabled(host, make("orphan"))
    other = enabled(
        host,
        make("other", "import pkl\n@pkl.syscall\ndef load(): return pkl.load_plugin('orphan')"),
    )
    assert other.module.load() is orphan and orphan.parent is None


def test_a_parent_that_fails_takes_its_children_along(host: pkl.PluginHost, make: Make) -> None:
    path = make(
        "parent",
        "import pkl\n@pkl.this.on_enable.on\ndef f():\n"
        "    pkl.load_plugin(path='kid').enable()\n    1/0",
    )
    make("kid", under=path)
    with pytest.raises(pkl.PluginEnableError):
        enabled(host, path)
    kid = host.get_plugin("kid")
    assert kid is not None and state(kid) == "disabled"


def test_unloading_a_parent_unloads_its_children(host: pkl.PluginHost, parent: pkl.Plugin) -> None:
    kid = parent.module.adopt(False)
    parent.unload()
    assert state(kid) == "unloaded" == state(parent)
