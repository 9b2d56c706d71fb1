"""An entry point that names no module is that plugin's fault, unless an import hook may know it."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

import pytest

import pkl
from pkl.discovery import discover
from pkl.model.candidate import Candidate
from tests.discovery.fakes import TRAP, install, write, zip_up


@pytest.fixture(autouse=True)
def importable(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python looks for modules where distributions are looked for."""
    monkeypatch.syspath_prepend(str(site))


def only(site: Path, target: str) -> Candidate:
    """What is found of a distribution ``own`` whose plugin ``lost`` names that target."""
    install(site, "own", "2.0", entry_points={"pkl.plugins": {"lost": target}})
    [found] = discover(sys_path=[str(site)], cache=False).candidates
    return found


def test_a_module_that_is_nowhere_is_a_fault_named_in_full(site: Path) -> None:
    fault = only(site, "nowhere_at_all:Plugin").fault
    assert fault is not None
    assert fault.code == "entry-point-target"
    assert fault.message == (
        "plugin 'lost' of own 2.0 is not started: the entry point of lost names nowhere_at_all,"
        " and there is no such module"
    )
    assert fault.message.endswith(fault.cause)
    assert fault.remedy == (
        "pip install --force-reinstall own; if that does not help, its entry point is wrong:"
        " pip uninstall own"
    )


@pytest.mark.parametrize("target", ["own_pack.gone", "own_pack.sub.gone", "own_pack.gone.deep"])
def test_a_module_that_its_package_lacks_is_a_fault(site: Path, target: str) -> None:
    write(site / "own_pack" / "__init__.py", TRAP)
    write(site / "own_pack" / "sub" / "__init__.py", TRAP)
    found = only(site, target)
    assert found.fault is not None
    assert f"names {target}, and there is no such module" in found.fault.message
    assert found.notes == ()


def uncertain(found: Candidate) -> bool:
    """Whether a candidate may be tried, with a remark."""
    return found.fault is None and found.location is None and "is not known" in found.notes[-1]


def test_a_file_that_some_import_hook_may_understand_is_only_a_remark(site: Path) -> None:
    """Such as a module in another language that compiles to Python's."""
    write(site / "own_pack" / "__init__.py", TRAP)
    write(site / "own_pack" / "lost.hy", "")
    assert uncertain(only(site, "own_pack.lost"))
    assert uncertain(only(site, "own_pack.lost.deep"))


class Finder:
    """A finder that knows one name, of which there is no file."""

    def __init__(self, name: str, error: Optional[Exception] = None) -> None:
        self._name = name
        self._error = error

    def find_spec(self, name: str, path: Any, target: Any = None) -> Optional[ModuleSpec]:
        if self._error is not None:
            raise self._error
        return ModuleSpec(name, None) if name == self._name else None


def test_a_finder_that_knows_the_module_is_believed(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder("frozen_app")])
    assert uncertain(only(site, "frozen_app"))
    assert uncertain(only(site, "frozen_app.inside"))
    assert only(site, "other_app").fault is not None


def test_a_finder_that_raises_makes_no_module_a_missing_one(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Finder("x", RuntimeError("a finder of somebody else's"))
    monkeypatch.setattr(sys, "meta_path", [broken, *sys.meta_path])
    assert uncertain(only(site, "nowhere_at_all"))


def test_a_module_in_an_archive_elsewhere_is_only_a_remark(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "zipped" / "in_archive" / "__init__.py", TRAP)
    archive = zip_up(tmp_path / "zipped", tmp_path / "library.zip")
    monkeypatch.syspath_prepend(str(archive))
    assert uncertain(only(site, "in_archive"))
    assert uncertain(only(site, "in_archive.lost"))


def test_a_module_that_was_made_at_run_time_is_only_a_remark(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site / "own_pack" / "__init__.py", "")
    monkeypatch.setitem(sys.modules, "own_pack.made", ModuleType("own_pack.made"))
    assert uncertain(only(site, "own_pack.made"))


def test_what_is_remembered_is_judged_anew(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is every process's, and finders are each one's own."""
    cache = str(tmp_path / "cache")
    only(site, "comes_late")

    def found() -> Candidate:
        [candidate] = discover(sys_path=[str(site)], cache=cache).candidates
        return candidate

    assert found().fault is not None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "meta_path", [*sys.meta_path, Finder("comes_late")])
        assert uncertain(found())
    assert found().fault is not None
    write(site / "comes_late.py", TRAP)
    assert found().fault is None
    assert found().notes == ()


def test_a_host_blocks_it_and_its_dependants_and_starts_all_others(site: Path) -> None:
    only(site, "nowhere_at_all")
    write(site / "well.py", "")
    install(site, "well", entry_points={"pkl.plugins": {"well": "well"}})
    manifest = 'name = "user"\nrequires = ["lost"]'
    files = {"acme_user/plugin.py": "", "acme_user/plugin.toml": manifest}
    install(site, "acme", entry_points={"pkl.plugins": {"user": "acme_user"}}, files=files)
    with pkl.PluginHost() as host:
        report = host.start()
        assert "well" in report.enabled
        assert report.blocked["lost"].code == "entry-point-target"
        cause = "the entry point of lost names nowhere_at_all, and there is no such module"
        assert report.blocked["user"].cause == report.blocked["lost"].cause == cause
        with pytest.raises(pkl.PklError, match="names nowhere_at_all, and there is no such module"):
            host.load_plugin("lost")
