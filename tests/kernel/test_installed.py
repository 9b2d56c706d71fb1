"""Plugins of installed distributions: found by entry point, loaded under their real names."""

from __future__ import annotations

import pickle
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import pkl

from .conftest import state

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lays out an installed distribution, as a wheel would be unpacked."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)

    def lay_out(
        distribution: str, version: str, entry_points: str, files: Any, requires: str = ""
    ) -> None:
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{requires}"
        )
        (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        for name, text in files.items():
            file = site / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))

    yield lay_out
    for name in set(sys.modules) - before:
        if name.startswith("acme"):
            del sys.modules[name]


AUDIT = {
    "acme_audit/__init__.py": """
        from dataclasses import dataclass
        import pkl
        @dataclass
        class Entry:
            text: str
        @pkl.syscall
        def host(): return pkl.this.host
        def models():
            import acme_audit.models
            from acme_audit import models as again
            assert acme_audit.models is again
            return again
    """,
    "acme_audit/models.py": "import pkl\nowner = pkl.get_current_plugin()",
    "acme_audit/plugin.py": "from acme_audit import Entry\nimport acme_audit\nentry = Entry('x')",
    "acme_audit/plugin.toml": 'summary = "Writes who did what"\nrequires = ["auth>=1.2,<2"]',
}
AUTH = {"acme_auth.py": "import pkl\n@pkl.syscall\ndef who(): return pkl.this.name"}


def acme(install: Install) -> None:
    install("acme-audit", "1.4", "[acme.plugins]\naudit = acme_audit\n", AUDIT)
    install("acme-auth", "1.2.3", "[acme.plugins]\nauth = acme_auth\n", AUTH)


def test_installed_plugins_are_found_resolved_started_and_taken_back(install: Install) -> None:
    acme(install)
    with pkl.PluginHost(group="acme.plugins") as host:
        found = {c.name: c for c in host.discover().candidates}
        assert found["audit"].version == "1.4" and found["auth"].version == "1.2.3"
        assert not any(name.startswith("acme") for name in sys.modules), "nothing is imported"
        report = host.start()
        assert report.ok and report.enabled == ("auth", "audit"), report
        audit = host.get_plugin("audit")
        assert audit is not None and audit.metadata.summary == "Writes who did what"
        assert audit.module.__name__ == "acme_audit.plugin"
        assert sys.modules["acme_audit"] is audit.api
        assert pickle.loads(pickle.dumps(audit.module.entry)) == audit.module.entry
        assert host.plugins.auth.who() == "auth"
    assert not any(name.startswith("acme") for name in sys.modules)


def test_the_same_distribution_runs_in_two_hosts_with_code_of_its_own(install: Install) -> None:
    acme(install)
    with pkl.PluginHost(group="acme.plugins") as one, pkl.PluginHost(group="acme.plugins") as two:
        assert one.start().ok and two.start().ok
        first, second = one.get_plugin("audit"), two.get_plugin("audit")
        assert first is not None and second is not None
        assert first.module is not second.module
        assert (first.api.host(), second.api.host()) == (one, two)
        assert type(first.module.entry) is not type(second.module.entry)
        assert sys.modules["acme_audit"] is first.api
        for plugin in (first, second):
            with pkl.plugin_context(plugin.host, plugin):
                models = plugin.api.models()
            assert models.owner is plugin, "a lazy absolute import gets this generation's module"


def test_a_manifest_that_disagrees_with_its_distribution_is_one_plugins_fault(
    install: Install,
) -> None:
    acme(install)
    install(
        "acme-liar",
        "1.0",
        "[acme.plugins]\nliar = acme_liar\n",
        {
            "acme_liar/__init__.py": "",
            "acme_liar/plugin.py": "",
            "acme_liar/plugin.toml": 'version = "3"',
        },
    )
    with pkl.PluginHost(group="acme.plugins") as host:
        report = host.start()
        assert report.enabled == ("auth", "audit")
        assert report.failed["liar"].code == "manifest"
        assert "3" in report.failed["liar"].message and "1.0" in report.failed["liar"].message
        assert state(host.get_plugin("liar")) == "error"


def test_an_entry_point_that_names_no_module_is_one_plugins_fault(install: Install) -> None:
    acme(install)
    install("acme-gone", "1.0", "[acme.plugins]\ngone = acme_gone.nowhere\n", {})
    with pkl.PluginHost(group="acme.plugins") as host:
        report = host.start()
        assert set(report.enabled) == {"auth", "audit"} and report.status == "degraded"
        gone = host.get_plugin("gone")
        assert gone is not None and gone.reason is not None
        assert "acme_gone.nowhere" in gone.reason.message and "acme-gone" in gone.reason.message


def test_two_distributions_of_one_name_block_it_until_precedence_decides(
    install: Install,
) -> None:
    acme(install)
    install("other-auth", "9.0", "[acme.plugins]\nAuth = acme_other\n", {"acme_other.py": ""})
    with pkl.PluginHost(group="acme.plugins") as host:
        report = host.start()
        assert report.enabled == ()
        assert report.blocked["auth"].code == "collision"
        assert "acme-auth" in report.blocked["auth"].message
        assert "other-auth" in report.blocked["auth"].message
        with pytest.raises(pkl.PluginBlocked, match="other-auth"):
            host.load_plugin("auth")
    with pkl.PluginHost(group="acme.plugins", precedence=["acme-auth"]) as host:
        assert host.start().enabled == ("auth", "audit")
