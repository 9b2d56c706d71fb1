"""``pkl check`` without a path: the plugins of a host or group, as they are found and planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, plugin, write


def findings(pkl: Pkl, *arguments: str, status: int = 1) -> List[Dict[str, Any]]:
    """What is found."""
    listed = pkl.json("check", *arguments, status=status)["findings"]
    assert isinstance(listed, list)
    return listed


def test_sound_plugins_have_no_findings(pkl: Pkl) -> None:
    plugin(pkl.site, "auth", manifest='name = "auth"\n')
    assert findings(pkl, status=0) == []


def test_a_missing_requirement_is_found_at_its_line(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "audit", requires=["nowhere>=2"])
    (found,) = findings(pkl, "--path", "p")
    assert (found["severity"], found["code"], found["line"]) == ("error", "missing", 3)
    assert found["file"].endswith("audit/plugin.toml")
    assert found["hint"]


def test_an_unsatisfied_version_is_found_at_its_line(pkl: Pkl) -> None:
    plugin(pkl.site, "auth", "1.0", 'name = "auth"\n')
    plugin(pkl.site, "audit", manifest='name = "audit"\nrequires = [\n"auth>=2"]\n')
    (found,) = findings(pkl)
    assert (found["code"], found["line"]) == ("unsatisfied", 3)


def test_a_cycle_of_three_is_found_in_all_of_them(pkl: Pkl, work: Path) -> None:
    for name, needed in (("a", "b"), ("b", "c"), ("c", "a")):
        directory_plugin(work / "p", name, requires=[needed])
    found = findings(pkl, "--path", "p")
    assert [each["code"] for each in found] == ["cycle"] * 3


def test_what_another_plugin_holds_up_is_a_warning_beside_the_error(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "a", requires=["b"])
    directory_plugin(work / "p", "b", requires=["nowhere"])
    assert [(f["severity"], f["code"]) for f in findings(pkl, "--path", "p")] == [
        ("warning", "requirement-blocked"),
        ("error", "missing"),
    ]


@pytest.mark.parametrize("where", ["directory", "distribution"])
def test_each_fault_of_a_manifest_is_a_finding_of_its_own(pkl: Pkl, work: Path, where: str) -> None:
    text = 'name = "bad"\nrequires = ["a b"]\nzap = 1\n[limits]\nmemory = "lots"\n'
    if where == "directory":
        write(work / "p" / "bad" / "plugin.toml", text)
        found = findings(pkl, "--path", "p")
    else:
        plugin(pkl.site, "bad", manifest=text)
        found = findings(pkl)
    assert [(each["code"], each["path"], each["line"]) for each in found] == [
        ("manifest", "requires[0]", 2),
        ("manifest", "zap", 3),
        ("manifest", "limits.memory", 5),
    ]


def test_a_file_that_is_not_utf8_in_another_distribution_is_found_and_hides_nothing(
    pkl: Pkl,
) -> None:
    install(pkl.site, "latin", entry_points=b"[x]\nname = caf\xe9\n")
    plugin(pkl.site, "auth", manifest='name = "auth"\n')
    (found,) = findings(pkl)
    assert (found["code"], found["line"]) == ("entry-points-encoding", 2)
    assert found["file"].endswith("entry_points.txt")


def test_an_entry_point_that_names_no_module_is_an_error(pkl: Pkl) -> None:
    install(pkl.site, "ghost", entry_points={"pkl.plugins": {"ghost": "no_such_module"}})
    (found,) = findings(pkl)
    assert (found["severity"], found["code"]) == ("error", "entry-point-target")
    assert "names no_such_module, and there is no such module" in found["message"]
    assert "pip uninstall ghost" in found["hint"]


@pytest.mark.parametrize("group", ["pkl.plugins", "someones.plugins"])
def test_every_verb_says_that_an_entry_point_names_no_module(pkl: Pkl, group: str) -> None:
    install(pkl.site, "ghost", entry_points={group: {"ghost": "no_such_module"}})
    install(pkl.site, "well", entry_points={group: {"well": "well"}}, files={"well.py": ""})
    listed = {each["name"]: each for each in pkl.json("list", "--group", group)["plugins"]}
    assert listed["well"]["state"] == "enabled"
    assert listed["ghost"]["state"] == "blocked"
    cause = "the entry point of ghost names no_such_module, and there is no such module"
    assert listed["ghost"]["reason"]["cause"] == cause
    for verb, status in (("why", 0), ("info", 0), ("resolve", 5)):
        ran = pkl(verb, "ghost", "--group", group)
        assert ran.status == status
        assert cause in ran.out
        assert "pip install --force-reinstall ghost" in ran.out
    assert f"ghost 1.0 ◐ blocked: {cause}" in pkl.ok("graph", "--group", group).lines


def test_an_entry_point_whose_module_raises_is_not_imported(pkl: Pkl) -> None:
    files = {"boom/__init__.py": "raise RuntimeError('imported')\n"}
    install(pkl.site, "boom", entry_points={"pkl.plugins": {"boom": "boom"}}, files=files)
    assert findings(pkl, status=0) == []


def test_collisions_name_both_distributions(pkl: Pkl) -> None:
    for name in ("one", "two"):
        points = {"pkl.plugins": {"same": name}}
        install(pkl.site, name, entry_points=points, files={f"{name}.py": ""})
    (found,) = findings(pkl)
    assert found["code"] == "collision"
    assert "one" in found["message"] and "two" in found["message"]


def test_imports_that_nothing_declares_are_found_in_what_is_installed(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth", code="from pkl.plugins import db\n")
    directory_plugin(work / "p", "db", code="")
    (found,) = findings(pkl, "--path", "p")
    assert (found["code"], found["line"]) == ("undeclared-import", 1)


def test_a_plugin_may_import_its_children(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth", code="from pkl.plugins import inner\n")
    directory_plugin(work / "p" / "auth" / "children", "inner", code="")
    assert findings(pkl, "--path", "p", status=0) == []


def test_wishes_are_no_findings(pkl: Pkl, work: Path) -> None:
    directory_plugin(work / "p", "auth", code="")
    write(
        work / "shop_check.py",
        "import pkl\nhost = pkl.PluginHost(paths=['p'])\nhost.set_desired('auth', 'masked')\n",
    )
    assert findings(pkl, "--app", "shop_check:host", status=0) == []


def test_anothers_group_is_checked_by_its_metadata(pkl: Pkl) -> None:
    install(
        pkl.site,
        "late",
        entry_points={"some.group": {"late": "late"}},
        files={"late.py": "from pkl.plugins import x\n"},
        requires=["not-installed>=2", 'absent; extra == "more"'],
        headers="Requires-Python: >=4\n",
    )
    found = findings(pkl, "--group", "some.group")
    assert {each["code"] for each in found} <= {"python-version", "missing"}
    assert found[0]["severity"] == "error"


def test_a_copy_that_is_hidden_is_a_warning(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(pkl.site, "auth", "1.0", 'name = "auth"\n')
    plugin(tmp_path / "first", "auth", "2.0", 'name = "auth"\n')
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    (found,) = findings(pkl, status=0)
    assert (found["severity"], found["code"]) == ("warning", "shadowed")
