"""``pkl list``: everything that is there, whatever is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, plugin, write


def test_what_is_installed_is_listed_with_version_and_state(pkl: Pkl) -> None:
    plugin(pkl.site, "auth", "1.3", 'name = "auth"\n')
    plugin(pkl.site, "audit", "1.4", 'name = "audit"\nrequires = ["auth>=1.2,<2"]\n')
    ran = pkl.ok("list")
    assert [line.split() for line in ran.lines] == [
        ["NAME", "VERSION", "STATE"],
        ["audit", "1.4", "●", "enabled"],
        ["auth", "1.3", "●", "enabled"],
    ]


def test_why_a_plugin_does_not_run_stands_in_its_row(pkl: Pkl) -> None:
    plugin(pkl.site, "audit", "1.4", 'name = "audit"\nrequires = ["auth>=2"]\n')
    plugin(pkl.site, "auth", "1.3")
    ran = pkl.ok("list")
    assert "blocked  audit 1.4 requires auth>=2, but auth is 1.3" in ran.out


def test_a_missing_requirement_blocks_its_plugin_and_no_other(pkl: Pkl) -> None:
    plugin(pkl.site, "audit", manifest='name = "audit"\nrequires = ["nowhere"]\n')
    plugin(pkl.site, "auth")
    found = {each["name"]: each for each in pkl.json("list")["plugins"]}
    assert found["audit"]["state"] == "blocked"
    assert found["audit"]["reason"]["code"] == "missing"
    assert found["auth"]["state"] == "enabled"


def test_a_cycle_of_three_is_shown_in_each_of_them(pkl: Pkl, work: Path) -> None:
    for name, needed in (("a", "b"), ("b", "c"), ("c", "a")):
        directory_plugin(work / "plugins", name, requires=[needed])
    directory_plugin(work / "plugins", "apart")
    found = {each["name"]: each for each in pkl.json("list", "--path", "plugins")["plugins"]}
    assert [found[name]["state"] for name in ("a", "b", "c", "apart")] == [
        "blocked",
        "blocked",
        "blocked",
        "enabled",
    ]
    assert found["a"]["reason"]["code"] == "cycle"


def test_a_manifest_with_three_faults_is_one_row_with_all_three_in_its_reason(
    pkl: Pkl, work: Path
) -> None:
    write(
        work / "p" / "bad" / "plugin.toml", 'name = "bad"\nversion = "x"\nrequires = 3\nzap = 1\n'
    )
    directory_plugin(work / "p", "good")
    found = {each["name"]: each for each in pkl.json("list", "--path", "p")["plugins"]}
    assert found["good"]["state"] == "enabled"
    assert found["bad"]["state"] == "error"
    message = found["bad"]["reason"]["message"]
    assert all(part in message for part in ("version = 'x'", "requires = 3", "zap = 1"))
    assert "3 faults" in pkl.ok("list", "--path", "p").out


def test_an_entry_point_whose_module_raises_is_not_imported(pkl: Pkl) -> None:
    """The fixture fails if any trap is imported; this one would raise besides."""
    files = {"boom/__init__.py": "raise RuntimeError('imported')\n"}
    install(pkl.site, "boom", entry_points={"pkl.plugins": {"boom": "boom"}}, files=files)
    assert "boom" in pkl.ok("list").out


def test_an_entry_point_that_names_no_module_is_shown_as_such(pkl: Pkl) -> None:
    install(pkl.site, "ghost", entry_points={"pkl.plugins": {"ghost": "no_such_module"}})
    ran = pkl.ok("list")
    assert "ghost" in ran.out
    assert "no_such_module" in ran.out


def test_a_distribution_that_cannot_be_read_is_listed_below_and_hides_nothing(pkl: Pkl) -> None:
    install(pkl.site, "latin", entry_points=b"[x]\nname = caf\xe9\n")
    plugin(pkl.site, "auth")
    ran = pkl.ok("list")
    assert "auth" in ran.lines[1]
    assert "not read: 1" in ran.out
    assert "entry-points-encoding" in ran.out
    (failure,) = pkl.json("list")["failures"]
    assert failure["distribution"] == "latin"
    assert failure["file"].endswith("entry_points.txt:2")


def test_two_distributions_that_collide_are_two_rows(pkl: Pkl) -> None:
    for name in ("one", "two"):
        install(
            pkl.site,
            name,
            entry_points={"pkl.plugins": {"same": name}},
            files={f"{name}.py": ""},
        )
    rows = pkl.json("list")["plugins"]
    assert [(row["name"], row["distribution"], row["state"]) for row in rows] == [
        ("same", "one", "blocked"),
        ("same", "two", "blocked"),
    ]
    assert {row["reason"]["code"] for row in rows} == {"collision"}


def test_only_plugins_in_a_state(pkl: Pkl) -> None:
    plugin(pkl.site, "audit", manifest='name = "audit"\nrequires = ["nowhere"]\n')
    plugin(pkl.site, "auth")
    assert pkl.ok("list", "--state", "blocked", "-o", "name").lines == ["audit"]
    assert pkl("list", "--state", "asleep").status == 2


def test_wide_says_where_each_comes_from(pkl: Pkl) -> None:
    plugin(pkl.site, "auth", "1.3")
    assert "auth 1.3" in pkl.ok("list", "-o", "wide").out
    assert "What auth does" in pkl.ok("list", "-o", "wide").out


def test_nothing_found_is_said_on_standard_error(pkl: Pkl) -> None:
    ran = pkl.ok("list", "--group", "nobody.has.this")
    assert ran.out == ""
    assert "nobody.has.this" in ran.err


def test_another_projects_group_keeps_its_names(pkl: Pkl) -> None:
    install(
        pkl.site,
        "flake8-thing",
        "3.1",
        entry_points={"flake8.extension": {"B00": "thing:Check", "C_9": "thing:Other"}},
        files={"thing.py": ""},
    )
    found = pkl.json("list", "--group", "flake8.extension")
    assert found["group"] == "flake8.extension"
    mine = [each for each in found["plugins"] if each["distribution"] == "flake8-thing"]
    assert [(p["name"], p["version"], p["target"]) for p in mine] == [
        ("B00", "3.1", "thing:Check"),
        ("C_9", "3.1", "thing:Other"),
    ]


def test_a_group_whose_plugins_have_a_manifest_is_some_hosts_own(pkl: Pkl) -> None:
    plugin(
        pkl.site,
        "Shop-Auth",
        manifest='name = "shop.auth"\nrequires = ["nowhere"]\n',
        entry_points={"shop.plugins": {"Shop_Auth": "Shop_Auth"}},
    )
    (found,) = pkl.json("list", "--group", "shop.plugins")["plugins"]
    assert found["name"] == "shop-auth"
    assert found["reason"]["code"] == "missing"


def test_anothers_plugin_json_does_not_make_a_group_a_hosts_own(pkl: Pkl) -> None:
    install(
        pkl.site,
        "other",
        entry_points={"other.things": {"A_b": "other"}},
        files={"other/__init__.py": "", "other/plugin.json": '{"main": "index.js"}'},
    )
    (found,) = pkl.json("list", "--group", "other.things")["plugins"]
    assert (found["name"], found["state"]) == ("A_b", "enabled")


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\u202eb", "a\nb"])
def test_what_a_plugin_wrote_cannot_control_the_terminal(pkl: Pkl, work: Path, text: str) -> None:
    manifest = f'summary = "{text.encode("unicode_escape").decode()}"\n'.replace("\\x", "\\u00")
    directory_plugin(work / "p", "odd", manifest)
    out = pkl.ok("list", "--path", "p", "-o", "wide").out
    assert text not in out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2
