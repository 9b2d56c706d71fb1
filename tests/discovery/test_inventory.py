"""What else the environment holds: every group, every distribution, what they require."""

from __future__ import annotations

from pathlib import Path

from pkl.discovery import groups, installed, installed_requirements

from .fakes import TRAP, install, write


def test_every_group_is_counted_with_its_distributions(site: Path) -> None:
    points = {"pytest11": {"a": "a", "b": "b"}, "console_scripts": {"a": "a:main"}}
    install(site, "Two", "2.0", entry_points=points)
    install(site, "one", "1.0", entry_points={"pytest11": {"a": "a"}})
    install(site, "none")
    install(site, "broken", entry_points=b"\xff")
    assert groups([str(site)]) == {
        "console_scripts": [("Two", "2.0", 1)],
        "pytest11": [("one", "1.0", 1), ("Two", "2.0", 2)],
    }
    [one, two] = groups([str(site)])["pytest11"]
    assert (one.distribution, one.version, one.entry_points) == ("one", "1.0", 1)
    assert two.entry_points == 2


def test_a_hidden_copy_is_not_counted(site: Path, tmp_path: Path) -> None:
    install(site, "acme", "1.0", entry_points={"a": {"x": "y"}})
    install(tmp_path / "later", "Acme", "2.0", entry_points={"b": {"x": "y"}})
    assert list(groups([str(site), str(tmp_path / "later")])) == ["a"]


def test_all_distributions_and_what_they_require(site: Path, tmp_path: Path) -> None:
    install(site, "My.Dist", "1.0", requires=["one>=1", 'two; extra == "x"'])
    install(site, "plain", "2.0", headers="Requires-Python: >=3.8\n")
    install(tmp_path / "later", "plain", "3.0")
    entries = [str(site), str(tmp_path / "later")]
    found = installed(entries)
    assert list(found) == sorted(found) or set(found) == {"my-dist", "plain"}
    assert found["my-dist"].name == "My.Dist"
    assert found["plain"].version == "2.0"
    assert found["plain"].requires_python == ">=3.8"
    assert found["plain"].location == str(site / "plain-2.0.dist-info")
    assert installed_requirements(entries) == {
        "my-dist": ("one>=1", 'two; extra == "x"'),
        "plain": (),
    }


def test_old_setuptools_requirements_are_read_from_requires_txt(site: Path) -> None:
    write(site / "old.egg-info" / "PKG-INFO", "Name: old\nVersion: 1.0\n")
    write(site / "old.egg-info" / "requires.txt", "one\n[x]\ntwo\n")
    write(site / "old" / "__init__.py", TRAP)
    assert installed_requirements([str(site)]) == {"old": ("one", 'two ; extra == "x"')}
