"""Zip archives on ``sys.path``: wheels, eggs and whatever else Python imports from."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from pkl.discovery import discover, groups, installed
from pkl.model.candidate import Discovery

from .fakes import TRAP, install, plugin, write, zip_up


def found(*paths: Path, **more: Any) -> Discovery:
    return discover(sys_path=[str(path) for path in paths], cache=False, **more)


@pytest.mark.parametrize("name", ["acme-1.0-py3-none-any.whl", "lib.zip", "app.pyz", "script"])
def test_a_plugin_in_an_archive_is_found_with_its_manifest(
    site: Path, tmp_path: Path, name: str
) -> None:
    plugin(site, "acme", "1.4.0", 'name = "acme"\nrequires = ["b"]', requires=["x"])
    archive = zip_up(site, tmp_path / name)
    [candidate] = found(archive).candidates
    assert (candidate.name, candidate.version) == ("acme", "1.4.0")
    assert [str(each) for each in candidate.metadata.requires] == ["b"]
    assert candidate.location == str(archive)
    assert candidate.manifest_file == f"{archive}/acme/plugin.toml"
    assert candidate.requires_dist == ("x",)
    assert candidate.fault is None and candidate.notes == ()


def test_a_plugin_without_a_manifest_is_found_in_an_archive(site: Path, tmp_path: Path) -> None:
    install(site, "acme", entry_points={"pkl.plugins": {"a": "acme:obj"}}, files={"acme.py": TRAP})
    archive = zip_up(site, tmp_path / "lib.zip")
    [candidate] = found(archive).candidates
    assert (candidate.location, candidate.target) == (str(archive), "acme:obj")
    assert groups([str(archive)])["pkl.plugins"][0].distribution == "acme"
    assert installed([str(archive)])["acme"].version == "1.0"


def egg(root: Path, *, manifest: bool = True) -> None:
    write(root / "EGG-INFO" / "PKG-INFO", "Name: Acme.Egg\nVersion: 2.0\n")
    write(root / "EGG-INFO" / "entry_points.txt", "[pkl.plugins]\negg = acme\n")
    write(root / "EGG-INFO" / "requires.txt", "one>=1\n\n[extra]\ntwo\n")
    write(root / "acme" / "__init__.py", TRAP)
    if manifest:
        write(root / "acme" / "plugin.toml", 'name = "egg"')


def test_an_egg_directory_is_a_distribution(tmp_path: Path) -> None:
    root = tmp_path / "Acme.Egg-2.0-py3.9.egg"
    egg(root)
    [candidate] = found(root).candidates
    assert (candidate.name, candidate.version) == ("egg", "2.0")
    assert candidate.distribution == "Acme.Egg"
    assert candidate.requires_dist == ("one>=1", 'two ; extra == "extra"')
    assert candidate.location == str(root / "acme")


def test_a_zipped_egg_is_a_distribution(tmp_path: Path) -> None:
    egg(tmp_path / "egg")
    archive = zip_up(tmp_path / "egg", tmp_path / "Acme.Egg-2.0-py3.9.egg")
    [candidate] = found(archive).candidates
    assert (candidate.name, candidate.version) == ("egg", "2.0")
    assert candidate.metadata.file == f"{archive}/acme/plugin.toml"


def test_an_egg_without_metadata_is_named_by_its_file(tmp_path: Path) -> None:
    root = tmp_path / "acme_egg-2.0-py3.9.egg"
    egg(root)
    (root / "EGG-INFO" / "PKG-INFO").unlink()
    [candidate] = found(root).candidates
    assert candidate.fault is not None and candidate.fault.code == "metadata"
    assert (candidate.distribution, candidate.distribution_version) == ("acme_egg", "2.0")


def test_an_egg_info_directory_is_a_distribution(site: Path) -> None:
    egg(site)
    (site / "EGG-INFO").rename(site / "Acme.Egg-2.0-py3.9.egg-info")
    [candidate] = found(site).candidates
    assert (candidate.name, candidate.version) == ("egg", "2.0")


def test_a_damaged_archive_is_a_failure_and_hides_nothing(site: Path, tmp_path: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    whole = zip_up(site, tmp_path / "whole.zip").read_bytes()
    damaged = write(tmp_path / "damaged.zip", whole[: len(whole) // 2])
    discovery = found(damaged, site)
    assert [each.name for each in discovery.candidates] == ["acme"]
    [row] = discovery.failures
    assert (row.code, row.file) == ("path-unreadable", str(damaged))


def test_a_damaged_member_costs_its_distribution_only(site: Path, tmp_path: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    plugin(site, "sound", manifest='name = "sound"')
    archive = zip_up(site, tmp_path / "lib.zip")
    data = archive.read_bytes()
    at = data.index(b"[pkl.plugins]\nacme")
    archive.write_bytes(data[:at] + b"X" + data[at + 1 :])
    discovery = found(archive)
    assert [each.name for each in discovery.candidates] == ["sound"]
    [row] = discovery.failures
    assert row.code == "entry-points-unreadable" and row.distribution == "acme"


def test_a_malformed_entry_points_file_in_an_archive_is_named(site: Path, tmp_path: Path) -> None:
    info = install(site, "acme", entry_points=b"[pkl.plugins]\nacme\n")
    archive = zip_up(site, tmp_path / "lib.zip")
    [row] = found(archive).failures
    assert row.file == f"{archive}/{info.name}/entry_points.txt:2"


def test_a_text_file_on_sys_path_is_no_archive(tmp_path: Path) -> None:
    assert found(write(tmp_path / "notes.txt", "words")) == Discovery()


def test_names_in_an_archive_cannot_lead_out_of_it(tmp_path: Path) -> None:
    archive = tmp_path / "evil.zip"
    write(tmp_path / "outside" / "plugin.toml", 'name = "outside"')
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("../outside/plugin.toml", 'name = "acme"')
        opened.writestr("acme-1.0.dist-info/METADATA", "Name: acme\nVersion: 1.0\n")
        opened.writestr("acme-1.0.dist-info/entry_points.txt", "[pkl.plugins]\nacme = outside\n")
    [candidate] = found(archive).candidates
    assert candidate.manifest_file is None and candidate.location is None
