"""Plugins of installed distributions: what is said of them, and where it is taken from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from pkl.discovery import DEFAULT_GROUP, discover
from pkl.model.candidate import Candidate, Discovery, Origin

from .fakes import TRAP, Content, install, plugin, write


def found(*paths: Path, **more: Any) -> Discovery:
    more.setdefault("cache", False)
    return discover(sys_path=[str(path) for path in paths], **more)


def only(discovery: Discovery) -> Candidate:
    assert not discovery.failures
    [candidate] = discovery.candidates
    return candidate


def test_the_default_group_is_that_of_pkl() -> None:
    assert DEFAULT_GROUP == "pkl.plugins"


def test_a_plugin_with_a_manifest_is_what_its_manifest_says(site: Path) -> None:
    manifest = 'name = "audit"\nversion = "1.4.0"\nsummary = "Who did what"\nrequires = ["auth>=1"]'
    plugin(
        site,
        "acme-audit",
        "1.4.0",
        manifest,
        entry_points={"pkl.plugins": {"audit": "acme_audit"}},
        requires=["acme-auth>=1.2,<2"],
    )
    candidate = only(found(site))
    assert candidate.name == "audit"
    assert candidate.version == "1.4.0"
    assert candidate.metadata.summary == "Who did what"
    assert [str(each) for each in candidate.metadata.requires] == ["auth>=1"]
    assert candidate.origin is Origin.ENTRY_POINT
    assert candidate.location == str(site / "acme_audit")
    assert candidate.manifest_file == str(site / "acme_audit" / "plugin.toml")
    assert candidate.target == "acme_audit"
    assert (candidate.distribution, candidate.distribution_version) == ("acme-audit", "1.4.0")
    assert candidate.group == "pkl.plugins"
    assert candidate.requires_dist == ("acme-auth>=1.2,<2",)
    assert candidate.fault is None and candidate.notes == ()
    assert candidate.metadata.file == candidate.manifest_file
    assert candidate.metadata.distribution == "acme-audit"


def test_name_version_and_summary_default_to_the_entry_points_and_the_distributions(
    site: Path,
) -> None:
    entry_points = {"pkl.plugins": {"My_Audit": "acme_audit"}}
    plugin(site, "acme-audit", "1.4.0", 'wants = ["x"]', entry_points=entry_points)
    candidate = only(found(site))
    assert candidate.name == "my-audit"
    assert candidate.metadata.display_name == "My_Audit"
    assert candidate.version == "1.4.0"
    assert candidate.metadata.summary == "What acme-audit does"


@pytest.mark.parametrize("name", ["plugin.json", "plugin.toml"])
def test_the_manifest_may_be_of_either_kind(site: Path, name: str) -> None:
    text = '{"name": "audit", "wants": ["b"]}' if name.endswith("json") else 'wants = ["b"]'
    files = {"acme/__init__.py": TRAP, f"acme/{name}": text}
    install(site, "acme", entry_points={"pkl.plugins": {"audit": "acme"}}, files=files)
    assert only(found(site)).manifest_file == str(site / "acme" / name)


def test_without_a_manifest_the_entry_point_names_plugin_and_module(site: Path) -> None:
    install(
        site,
        "Acme.Audit",
        "2.0",
        entry_points={"pkl.plugins": {"Audit_Log": "acme.audit:plugin"}},
        files={"acme/__init__.py": TRAP, "acme/audit.py": TRAP},
        requires=["acme-auth>=1.2", 'x; extra == "more"'],
        headers="Requires-Python: >=3.9\n",
    )
    candidate = only(found(site))
    assert candidate.name == "audit-log"
    assert candidate.metadata.data == {
        "name": "Audit_Log",
        "version": "2.0",
        "summary": "What Acme.Audit does",
        "requires-python": ">=3.9",
    }
    assert candidate.metadata.requires == ()
    assert candidate.requires_dist == ("acme-auth>=1.2", 'x; extra == "more"')
    assert candidate.target == "acme.audit:plugin"
    assert candidate.location == str(site / "acme" / "audit.py")
    assert candidate.manifest_file is None
    assert candidate.metadata.requires_python == ">=3.9"


def test_a_requires_python_that_is_none_is_noted_and_ignored(site: Path) -> None:
    install(
        site,
        "acme",
        entry_points={"pkl.plugins": {"acme": "acme"}},
        files={"acme.py": TRAP},
        headers="Requires-Python: more than 3\n",
    )
    candidate = only(found(site))
    assert candidate.metadata.requires_python == ""
    assert any("Requires-Python" in note for note in candidate.notes)


def test_a_distribution_may_carry_several_plugins(site: Path) -> None:
    points = {"pkl.plugins": {"b": "pack.two", "a": "pack.one", "c": "pack.absent"}}
    files = {f"pack/{name}/__init__.py": TRAP for name in ("one", "two")}
    files["pack/one/plugin.toml"] = 'summary = "first"'
    install(site, "pack", entry_points=points, files=files)
    discovery = found(site)
    assert [each.name for each in discovery.candidates] == ["a", "b", "c"]
    assert discovery.candidates[0].metadata.summary == "first"
    assert discovery.candidates[2].location is None
    fault = discovery.candidates[2].fault
    assert fault is not None and "names pack.absent, and there is no such module" in fault.message


def test_other_groups_are_not_looked_at(site: Path) -> None:
    install(site, "acme", entry_points={"myapp.plugins": {"a": "a"}, "pkl.plugins.x": {"b": "b"}})
    assert found(site) == Discovery()
    assert [each.name for each in found(site, group="myapp.plugins").candidates] == ["a"]


def test_a_package_without_init_is_a_plugin_too(site: Path) -> None:
    files = {"acme/plugin.py": TRAP, "acme/plugin.toml": 'name = "acme"'}
    install(site, "acme", entry_points={"pkl.plugins": {"acme": "acme"}}, files=files)
    assert only(found(site)).manifest_file is not None


def test_a_plugin_in_a_namespace_package_is_found_without_running_its_parent(site: Path) -> None:
    """Asking the import system for ``acme.audit`` would run ``acme/__init__.py``."""
    for name in ("audit", "auth"):
        files = {"acme/__init__.py": TRAP, f"acme/{name}/__init__.py": TRAP}
        files[f"acme/{name}/plugin.toml"] = f'name = "{name}"'
        points = {"pkl.plugins": {name: f"acme.{name}"}}
        install(site, f"acme-{name}", entry_points=points, files=files)
    names = [(each.name, each.location) for each in found(site).candidates]
    assert names == [(name, str(site / "acme" / name)) for name in ("audit", "auth")]


def test_a_namespace_package_may_lie_in_two_entries_of_sys_path(site: Path, tmp_path: Path) -> None:
    """The entry point's module may even lie in another entry than its metadata."""
    other = tmp_path / "other"
    write(other / "acme" / "auth" / "plugin.toml", 'name = "auth"')
    install(site, "acme-auth", entry_points={"pkl.plugins": {"auth": "acme.auth"}})
    write(site / "acme" / "audit.py", TRAP)
    assert only(found(site, other)).location == str(other / "acme" / "auth")


def test_an_extension_module_is_found(site: Path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    file = f"acme/fast{EXTENSION_SUFFIXES[0]}"
    files: Dict[str, Content] = {"acme/__init__.py": TRAP, file: b"\x7fELF"}
    install(site, "acme", entry_points={"pkl.plugins": {"acme": "acme.fast"}}, files=files)
    assert only(found(site)).location == str(site / file)


def test_a_manifest_next_to_the_named_module_is_not_read_and_that_is_said(site: Path) -> None:
    points = {"pkl.plugins": {"acme": "acme.plugin"}}
    plugin(site, "acme", manifest='name = "acme"', entry_points=points)
    candidate = only(found(site))
    assert candidate.manifest_file is None
    [note] = candidate.notes
    assert "plugin.toml is not read" in note and "not the package acme" in note


def test_a_package_that_may_have_lost_its_manifest_is_remarked(site: Path) -> None:
    """setuptools leaves ``plugin.toml`` out of a wheel without a word."""
    plugin(site, "acme")
    assert "package-data" in only(found(site)).notes[0]


def test_a_manifest_that_was_changed_after_installation_is_remarked(site: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    write(site / "acme" / "plugin.toml", 'name = "acme" # edited')
    assert "what RECORD says" in only(found(site)).notes[0]


def test_names_fold_and_keep_their_display_form(site: Path) -> None:
    plugin(site, "Weird.Name_X", entry_points={"pkl.plugins": {"Weird.Name_X": "Weird.Name_X"}})
    assert only(found(site)).name == "weird-name-x"
    assert only(found(site)).metadata.display_name == "Weird.Name_X"


def test_one_name_from_two_distributions_is_two_candidates(site: Path) -> None:
    for name in ("one", "two"):
        plugin(site, name, entry_points={"pkl.plugins": {"audit": name}})
    candidates = found(site).named("audit")
    assert [each.id for each in candidates] == ["one:audit", "two:audit"]


def test_candidates_are_sorted_by_name_then_source(site: Path) -> None:
    for name in ("zed", "mid", "abc"):
        plugin(site, name)
    assert [each.name for each in found(site).candidates] == ["abc", "mid", "zed"]


class TestForeignGroups:
    """Another ecosystem's group: nothing adopted, nothing folded."""

    def test_names_are_kept_as_they_are(self, site: Path) -> None:
        points = {"pytest11": {"xdist.looponfail": "a", "Windows (alt)": "b:C", "my_plug": "c"}}
        install(site, "acme", entry_points=points, files={f"{n}.py": TRAP for n in "abc"})
        names = [each.name for each in found(site, group="pytest11", foreign=True).candidates]
        assert names == ["Windows (alt)", "my_plug", "xdist.looponfail"]

    def test_names_that_fold_together_are_different(self, site: Path) -> None:
        install(site, "acme", entry_points={"g": {"a_b": "x", "a-b": "x"}}, files={"x.py": TRAP})
        assert len(found(site, group="g", foreign=True).candidates) == 2

    def test_a_manifest_means_nothing_there(self, site: Path) -> None:
        points = {"g": {"acme": "acme"}}
        plugin(site, "acme", "2.0", manifest='name = "other"\nnonsense = 1', entry_points=points)
        candidate = only(found(site, group="g", foreign=True))
        assert candidate.fault is None and candidate.manifest_file is None
        assert candidate.version == "2.0"

    def test_requires_dist_and_requires_python_come_along(self, site: Path) -> None:
        install(
            site,
            "acme",
            entry_points={"g": {"a": "a"}},
            files={"a.py": TRAP},
            requires=["pytest>=7"],
            headers="Requires-Python: >=3.8\n",
        )
        candidate = only(found(site, group="g", foreign=True))
        assert candidate.requires_dist == ("pytest>=7",)
        assert candidate.metadata.requires_python == ">=3.8"
        assert candidate.id == "acme:a"


def test_the_interpreters_own_sys_path_is_the_default(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(site, "acme-own", manifest='name = "acme-own"')
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    assert [c.location for c in discover(cache=False).named("acme-own")] == [str(site / "acme_own")]


def test_odd_entries_of_sys_path_do_no_harm(site: Path, tmp_path: Path) -> None:
    plugin(site, "acme", manifest="")
    text = write(tmp_path / "script.py", "print()")
    odd: "list[Any]" = [str(tmp_path / "absent"), "", str(text), b"bytes", None, "\0", str(site)]
    discovery = discover(sys_path=odd, cache=False)
    assert [each.name for each in discovery.candidates] == ["acme"]
    assert discovery.failures == ()


def test_one_directory_under_two_names_is_read_once(site: Path, tmp_path: Path) -> None:
    """As ``lib`` and ``lib64`` are in some environments."""
    plugin(site, "acme", manifest='name = "acme"')
    link = tmp_path / "lib64"
    link.symlink_to(site, target_is_directory=True)
    discovery = found(site, link)
    assert only(discovery).location == str(site / "acme")
    assert discovery.shadowed == ()


def test_a_deleted_current_directory_does_no_harm(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    discovery = discover(sys_path=["", "relative", str(site)], paths=["nowhere"], cache=False)
    assert [each.name for each in discovery.candidates] == ["acme"]
    assert [each.code for each in discovery.failures] == ["path-missing"]
