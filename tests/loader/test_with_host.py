"""The loader under the real kernel: whose code is it that imports?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import pkl

from .fakes import write

AUTH = {"auth/plugin.json": '{"name": "auth"}', "auth/__init__.py": "X = 1", "auth/plugin.py": ""}
AUDIT = {
    "audit/plugin.json": '{"name": "audit", "requires": ["auth"]}',
    "audit/plugin.py": """
        import threading
        from pkl import event
        @event
        def done(): pass
        found = []
        def work():
            from pkl.plugins import auth
            found.append(auth.X)
        def run():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return found
    """,
}


def test_a_bare_thread_of_a_plugin_imports_from_its_own_host(tmp_path: Path) -> None:
    """The own ``__import__`` is a frame on the stack, and not the one that asks."""
    write(tmp_path, {**AUTH, **AUDIT})
    with pkl.PluginHost(paths=[str(tmp_path)]) as host:
        host.start()
        audit = host.get_plugin("audit")
        assert audit is not None
        assert audit.module.run() == [1]


def test_two_hosts_run_one_plugin_with_owners_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {**AUTH, **AUDIT})
    with pkl.PluginHost(paths=[str(tmp_path)]) as one, pkl.PluginHost(paths=[str(tmp_path)]) as two:
        modules = []
        for host in (one, two):
            host.start()
            audit = host.get_plugin("audit")
            assert audit is not None
            modules.append(audit.module)
            assert audit.module.done.owner.plugin is audit
        assert modules[0] is not modules[1]
    assert not [name for name in sys.modules if name.startswith("pkl_local_a")]


def test_enabling_again_runs_the_code_afresh(tmp_path: Path) -> None:
    write(tmp_path, {**AUTH, **AUDIT})
    with pkl.PluginHost(paths=[str(tmp_path)]) as host:
        host.start()
        audit = host.get_plugin("audit")
        assert audit is not None
        old = audit.module
        audit.disable()
        write(tmp_path, {"audit/plugin.py": "CHANGED = True"})
        audit.enable()
        assert audit.module is not old
        assert audit.module.CHANGED
        with pytest.raises(pkl.PluginNotRunning):
            old.done()
