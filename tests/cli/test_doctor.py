"""``pkl doctor``: what is wrong with an environment, and what ``--fix`` repairs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.cli.conftest import Process
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, plugin, write


def found(pkl: Pkl, *arguments: str, status: int = 0) -> Dict[str, Any]:
    """What it says, by code."""
    whole = pkl.json("doctor", *arguments, status=status)
    assert whole["ok"] is (status == 0)
    return {each["code"]: each for each in whole["findings"]}


def test_a_sound_environment_is_ok_line_by_line(pkl: Pkl) -> None:
    plugin(pkl.site, "auth", manifest='name = "auth"\n')
    ran = pkl.ok("doctor")
    assert all(line.startswith("● ok ") for line in ran.lines)
    assert "1 plugin in the entry-point group 'pkl.plugins'" in ran.out
    whole = pkl.json("doctor")
    assert (whole["schema"], whole["findings"], whole["ok"]) == ("pkl.doctor/1", [], True)
    assert {each["status"] for each in whole["checks"]} == {"ok"}


def test_broken_distributions_fail_and_leftovers_warn(pkl: Pkl) -> None:
    install(pkl.site, "latin", entry_points=b"\xe9\n")
    (pkl.site / "~left-1.0.dist-info").mkdir()
    listed = found(pkl, status=1)
    assert listed["entry-points-encoding"]["severity"] == "error"
    assert listed["leftover"]["severity"] == "warning"
    out = pkl("doctor").out
    assert "✕ fail" in out and "◐ warn" in out


def test_two_copies_of_one_distribution_are_found(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pkl.site, "twice", "1.0")
    install(pkl.site, "twice", "2.0")
    plugin(pkl.site, "auth", "1.0", 'name = "auth"\n')
    plugin(tmp_path / "first", "auth", "2.0", 'name = "auth"\n')
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    listed = found(pkl)
    assert {"duplicate", "shadowed"} <= set(listed)
    assert "twice" in listed["duplicate"]["message"]


def test_collisions_unmet_requirements_and_pythons_fail(pkl: Pkl, work: Path) -> None:
    for name in ("one", "two"):
        points = {"pkl.plugins": {"same": name}}
        install(pkl.site, name, entry_points=points, files={f"{name}.py": ""})
    directory_plugin(work / "p", "lost", requires=["nowhere"])
    directory_plugin(work / "p", "new", 'requires-python = ">=4"\n')
    listed = found(pkl, "--path", "p", status=1)
    assert {"collision", "missing", "python-version"} <= set(listed)


def test_a_stale_editable_installation_fails(pkl: Pkl, tmp_path: Path) -> None:
    url = '{"url": "file:///no/such/project", "dir_info": {"editable": true}}'
    install(
        pkl.site,
        "gone",
        entry_points={"pkl.plugins": {"gone": "gone"}},
        extra={"direct_url.json": url},
    )
    assert "pip install -e" in found(pkl, status=1)["stale"]["hint"]


@pytest.mark.parametrize(
    ("requirement", "code"),
    [
        ("helper", None),
        ("helper>=1,<3", None),
        ("Helper>=3", "unmet-dependency"),
        ("not-there", "unmet-dependency"),
        ('not-there; extra == "x"', None),
        ('not-there; python_version < "3"', None),
        ("=broken=", "requires-dist"),
    ],
)
def test_what_the_distributions_of_plugins_require_has_to_be_installed(
    pkl: Pkl, requirement: str, code: str
) -> None:
    install(pkl.site, "helper", "2.0")
    plugin(pkl.site, "auth", manifest='name = "auth"\n', requires=[requirement])
    whole = pkl("doctor", "--json").json
    codes = [each["code"] for each in whole["findings"]]
    assert codes == ([code] if code else [])


def test_a_missing_extra_is_named(pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(work / "p" / "a" / "plugin.yaml", "name: a\n")
    monkeypatch.setattr("pkl.cli.diagnosis.find_spec", lambda name: None)
    assert found(pkl, "--path", "p", status=1)["extra"]["hint"] == 'pip install "pkl[yaml]"'


def test_the_extra_that_checks_settings_is_named(
    pkl: Pkl, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory_plugin(work / "p", "mail", '[config]\nschema = "s.json"\n')
    write(work / "p" / "mail" / "s.json", "{}")
    assert found(pkl, "--path", "p") == {}
    monkeypatch.setattr("pkl.cli.diagnosis.find_spec", lambda name: None)
    assert found(pkl, "--path", "p", status=1)["extra"]["hint"] == 'pip install "pkl[schema]"'


def test_damaged_files_of_the_cache_are_found_and_fixed(pkl: Pkl, tmp_path: Path) -> None:
    cache = tmp_path / "home" / "cache" / "discovery"
    write(cache / "x.json", "garbage")
    assert "cache-file" in found(pkl)
    whole = pkl.json("doctor", "--fix")
    assert [each["code"] for each in whole["fixed"]] == ["cache-file"]
    assert not (cache / "x.json").exists()
    assert found(pkl) == {}


def test_a_cache_that_is_no_directory_is_found(pkl: Pkl, tmp_path: Path) -> None:
    write(tmp_path / "home" / "cache", "in the way")
    listed = found(pkl)
    assert "is not a directory" in listed["cache-directory"]["message"]
    place = tmp_path / "home" / "cache"
    assert listed["cache-directory"]["hint"].startswith(f"move {place} out of the way, or set PKL")


def test_a_state_directory_that_cannot_be_is_an_error(pkl: Pkl, tmp_path: Path) -> None:
    write(tmp_path / "home" / "state", "in the way")
    assert "state-directory" in found(pkl, status=1)


def test_what_is_not_writable_is_to_be_made_writable(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / "state").mkdir(parents=True)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    hint = found(pkl, status=1)["state-directory"]["hint"]
    assert hint == "make it writable, or set PKL_HOME to a directory of your own"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_an_open_runtime_directory_is_closed_by_fix(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir()
    runtime.chmod(0o755)
    monkeypatch.setenv("PKL_RUNTIME_DIR", str(runtime))
    assert "runtime-open" in found(pkl, status=1)
    pkl.ok("doctor", "--fix")
    assert runtime.stat().st_mode & 0o777 == 0o700


def test_fix_deletes_leftovers_and_dangling_links_and_nothing_else(pkl: Pkl) -> None:
    write(pkl.site / "~left-1.0.dist-info" / "METADATA", "")
    (pkl.site / "loose-1.0.dist-info").symlink_to(pkl.site / "nowhere")
    info = install(pkl.site, "sound")
    before = sorted(os.listdir(pkl.site))
    out = pkl.ok("doctor", "--fix").out
    assert sorted(set(before) - set(os.listdir(pkl.site))) == [
        "loose-1.0.dist-info",
        "~left-1.0.dist-info",
    ]
    assert out.count("fixed: ") == 2
    assert info.exists()
    assert found(pkl) == {}


def test_a_start_that_died_is_found_until_the_host_has_started(
    pkl: Pkl, work: Path, process: Process
) -> None:
    directory_plugin(work / "p", "auth", code="import os\nos._exit(3)\n")
    write(work / "pkl.toml", 'name = "shop"\npaths = ["p"]\n')
    assert process.run("run", "--timeout", "0").returncode == 3
    listed = found(pkl)
    assert listed["dead-start"]["severity"] == "warning"
    assert "the last start of shop died while auth was starting" in listed["dead-start"]["message"]
    assert "pkl disable auth --host shop leaves it out" in listed["dead-start"]["hint"]
    write(work / "p" / "auth" / "plugin.py", "import pkl\n")
    ran = process.run("run", "--timeout", "0", "--json")
    assert [each["plugins"] for each in json.loads(ran.stdout)["died"]] == [["auth"]]
    assert "the last start of shop died while auth was starting" in ran.stderr
    assert "dead-start" not in found(pkl)
