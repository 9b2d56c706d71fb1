"""``pkl discover``: candidates before anything is resolved, and every entry-point group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install, plugin


def test_candidates_are_shown_with_their_source(pkl: Pkl, work: Path) -> None:
    plugin(pkl.site, "auth", "1.3", 'name = "auth"\n')
    directory_plugin(work / "p", "more")
    out = pkl.ok("discover", "--path", "p").out
    assert "auth 1.3" in out
    assert str(work / "p" / "more") in out
    found = pkl.json("discover", "--path", "p")
    assert list(found) == [
        "schema",
        "host",
        "group",
        "paths",
        "candidates",
        "failures",
        "shadowed",
        "skipped",
    ]
    assert found["paths"] == [str(work / "p")]
    assert found["candidates"][0]["name"] == "auth"
    assert found["candidates"][0]["manifest"].endswith("auth/plugin.toml")
    assert found["candidates"][0]["fault"] is None


def test_what_was_not_read_or_passed_over_is_shown_below(
    pkl: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pkl.site, "latin", entry_points=b"\xe9\n")
    (pkl.site / "~left-1.0.dist-info").mkdir()
    plugin(pkl.site, "auth", "1.0", 'name = "auth"\n')
    plugin(tmp_path / "first", "auth", "2.0", 'name = "auth"\n')
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    out = pkl.ok("discover").out
    for title in ("not read: 1", "hidden: 1", "passed over: 1"):
        assert title in out
    found = pkl.json("discover")
    assert [len(found[key]) for key in ("failures", "shadowed", "skipped")] == [1, 1, 1]


def test_every_group_is_counted_with_its_distributions(pkl: Pkl) -> None:
    points = {"zzz.one": {"a": "x", "b": "y"}, "zzz.two": {"c": "x"}}
    install(pkl.site, "first", "1.0", entry_points=points)
    install(pkl.site, "second", "2.0", entry_points={"zzz.one": {"a": "z"}})
    groups = {each["name"]: each for each in pkl.json("discover", "--groups")["groups"]}
    assert groups["zzz.one"] == {
        "name": "zzz.one",
        "entry_points": 3,
        "distributions": [
            {"name": "first", "version": "1.0", "entry_points": 2},
            {"name": "second", "version": "2.0", "entry_points": 1},
        ],
    }
    lines = [line for line in pkl.ok("discover", "--groups").lines if "zzz" in line]
    assert [line.split() for line in lines] == [
        ["zzz.one", "3", "2:", "first,", "second"],
        ["zzz.two", "1", "1:", "first"],
    ]


def test_refresh_sees_what_the_cache_cannot(pkl: Pkl) -> None:
    """A group that is written in place into a distribution that offered none."""
    info = install(
        pkl.site, "quiet", entry_points={"other": {"a": "quiet"}}, files={"quiet.py": ""}
    )
    (info / "entry_points.txt").write_text("[pkl.plugins]\nquiet = quiet\n")
    found = pkl.json("discover", "--refresh")["candidates"]
    assert [each["name"] for each in found] == ["quiet"]
