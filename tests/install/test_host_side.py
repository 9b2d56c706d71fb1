"""What an installation has to respect: everything that is there without pkl having put it there."""

from __future__ import annotations

import sys
from pathlib import Path

from pkl.install.backends.host_side import environment_path, host_side
from tests.discovery.fakes import install, plugin, write
from tests.install.making import GROUP


def test_every_distribution_of_the_environment_is_a_pin(tmp_path: Path) -> None:
    site, gens = tmp_path / "site-packages", tmp_path / "gens"
    info = install(site, "Weird.Name_X", "1.0", files={"weird.py": ""})
    plugin(site, "auth", "1.2", entry_points={GROUP: {"auth": "auth"}})
    plugin(gens / "1" / "site", "mail", "3.0", entry_points={GROUP: {"mail": "mail"}})
    side = host_side(
        "shop",
        "2.1",
        GROUP,
        sys_path=[str(site), str(gens / "1" / "site")],
        exclude_dirs=[str(gens)],
    )
    assert (side.name, side.version, side.group) == ("shop", "2.1", GROUP)
    assert side.python_version == ".".join(map(str, sys.version_info[:3]))
    assert [each[:2] for each in side.pins] == [("auth", "1.2"), ("weird-name-x", "1.0")]
    assert side.pins[1].location == str(info)
    assert [(each.name, each.version) for each in side.found] == [("auth", "1.2")]


def test_a_plugin_directory_is_found_and_is_no_pin(tmp_path: Path) -> None:
    write(tmp_path / "plugins" / "chat" / "plugin.toml", 'name = "chat"\nversion = "0.3"\n')
    write(tmp_path / "plugins" / "chat" / "plugin.py", "")
    side = host_side("shop", None, GROUP, paths=[str(tmp_path / "plugins")], sys_path=[])
    assert [(each.name, each.version) for each in side.found] == [("chat", "0.3")]
    assert side.pins == ()


def test_broken_distributions_hide_no_other(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "good", "1.0")
    install(site, "empty", "2.0", metadata="")
    install(site, "unversioned", "0", metadata="Name: unversioned\n")
    install(site, "odd", "not.a.version")
    install(site, "latin", "1.0", entry_points=b"\xff\xfe")
    write(site / "~oo-1.0.dist-info" / "METADATA", "")
    write(site / "afile-1.0.dist-info", "no directory")
    side = host_side("shop", None, GROUP, sys_path=[str(site)])
    found = {each.name: each.version for each in side.pins}
    assert found["good"] == "1.0"
    assert found["empty"] == "2.0"
    assert found["latin"] == "1.0"
    assert "odd" not in found
    assert not [name for name in found if "~" in name]


def test_the_first_of_two_copies_is_the_pin(tmp_path: Path) -> None:
    install(tmp_path / "a", "liby", "1.0")
    install(tmp_path / "b", "liby", "2.0")
    side = host_side("shop", None, GROUP, sys_path=[str(tmp_path / "a"), str(tmp_path / "b")])
    assert [each[:2] for each in side.pins] == [("liby", "1.0")]


def test_the_environment_of_this_process_is_there_by_default() -> None:
    assert "pytest" in {each.name for each in host_side("shop", None, GROUP).pins}


def test_a_directory_that_only_begins_like_one_of_ours_counts(tmp_path: Path) -> None:
    for name in ("gens", "gens-of-others"):
        (tmp_path / name).mkdir()
    path = [str(tmp_path / "gens"), str(tmp_path / "gens-of-others")]
    assert environment_path([str(tmp_path / "gens")], path) == path[1:]
