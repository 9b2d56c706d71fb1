"""What is broken costs only itself: one row each, and every other plugin is there."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from pkl.discovery import discover, groups, installed
from pkl.model.candidate import Candidate, Discovery, Failure

from .fakes import TRAP, Content, install, plugin, write


@pytest.fixture(autouse=True)
def sound_one(site: Path) -> Iterator[None]:
    """A plugin that must be found whatever lies beside it."""
    plugin(site, "sound", manifest='name = "sound"')
    yield
    assert "sound" in [each.name for each in found(site).candidates]
    assert "sound" in {m.distribution for m in groups([str(site)]).get("pkl.plugins", ())}
    assert "sound" in installed([str(site)])


def found(*paths: Path, **more: Any) -> Discovery:
    return discover(sys_path=[str(path) for path in paths], cache=False, **more)


def failure(site: Path) -> Failure:
    discovery = found(site)
    assert [each.name for each in discovery.candidates] == ["sound"]
    [only] = discovery.failures
    return only


def faulty(site: Path, name: str = "acme") -> Candidate:
    discovery = found(site)
    assert discovery.failures == ()
    [only] = discovery.named(name)
    assert only.fault is not None
    return only


BROKEN_ENTRY_POINTS: Dict[str, "tuple[bytes, str, int]"] = {
    "not-utf-8": (b"[pkl.plugins]\nacme = acme\n# \xff\xfe\n", "entry-points-encoding", 3),
    "utf-16": ("[pkl.plugins]\nacme = acme\n".encode("utf-16"), "entry-points-encoding", 1),
    "no-equals": (b"[pkl.plugins]\nacme = acme\nacme\n", "entry-point-syntax", 3),
    "no-section": (b"acme = acme\n", "entry-point-syntax", 1),
    "duplicate": (b"[pkl.plugins]\nacme = acme\nacme = other\n", "entry-point-duplicate", 3),
}


@pytest.mark.parametrize("case", BROKEN_ENTRY_POINTS)
def test_a_broken_entry_points_file_quarantines_its_distribution_only(
    site: Path, case: str
) -> None:
    data, code, line = BROKEN_ENTRY_POINTS[case]
    info = install(site, "acme", entry_points=data, files={"acme.py": TRAP})
    row = failure(site)
    assert row.code == code
    assert row.distribution == "acme"
    assert row.file == f"{info / 'entry_points.txt'}:{line}"
    assert row.as_dict() == {
        "distribution": "acme",
        "file": row.file,
        "code": code,
        "message": row.message,
    }


def test_a_broken_file_is_reported_also_where_the_group_is_not_named_in_it(site: Path) -> None:
    """No one can say which groups a file offers that cannot be read."""
    install(site, "acme", entry_points=b"[console_scripts]\n\xff = x\n")
    assert failure(site).code == "entry-points-encoding"


def test_a_byte_order_mark_and_crlf_are_accepted(site: Path) -> None:
    data = b"\xef\xbb\xbf[pkl.plugins]\r\nacme = acme\r\n"
    install(site, "acme", entry_points=data, files={"acme.py": TRAP})
    assert [each.name for each in found(site).candidates] == ["acme", "sound"]


BROKEN_POINTS = {
    "escaping": ("acme", "pkg:../../etc/passwd", "entry-point-value"),
    "absolute": ("acme", "/etc/passwd", "entry-point-value"),
    "hyphenated": ("acme", "pkg:my-file.toml", "entry-point-value"),
    "empty-value": ("acme", "", "entry-point-value"),
    "empty-name": ("", "acme", "entry-point-name"),
    "bad-name": ("my plugin!", "acme", "entry-point-name"),
}


@pytest.mark.parametrize("case", BROKEN_POINTS)
def test_a_bad_entry_point_costs_that_entry_point_only(site: Path, case: str) -> None:
    name, value, code = BROKEN_POINTS[case]
    points = {"pkl.plugins": {"fine": "acme", name: value, "also-fine": "acme"}}
    info = install(site, "acme", entry_points=points, files={"acme.py": TRAP})
    discovery = found(site)
    assert [each.name for each in discovery.candidates] == ["also-fine", "fine", "sound"]
    [row] = discovery.failures
    assert row.code == code
    assert row.file == f"{info / 'entry_points.txt'}:3"
    assert row.name == (name or None)


def test_names_that_are_one_plugin_are_a_duplicate(site: Path) -> None:
    points = {"pkl.plugins": {"my_plugin": "acme", "My.Plugin": "acme"}}
    install(site, "acme", entry_points=points, files={"acme.py": TRAP})
    discovery = found(site)
    assert [each.name for each in discovery.candidates] == ["my-plugin", "sound"]
    [row] = discovery.failures
    assert row.code == "entry-point-duplicate" and "line 2" in row.message


@pytest.mark.parametrize("metadata", [None, b"", b"\n\n  \n"], ids=["missing", "empty", "blank"])
def test_without_metadata_a_plugin_is_listed_but_refused(site: Path, metadata: Any) -> None:
    info = plugin(site, "acme-audit", "1.4.0", 'name = "acme-audit"')
    if metadata is None:
        (info / "METADATA").unlink()
    else:
        (info / "METADATA").write_bytes(metadata)
    candidate = faulty(site, "acme-audit")
    assert candidate.fault is not None and candidate.fault.code == "metadata"
    assert str(info / "METADATA") in candidate.fault.message
    assert (candidate.distribution, candidate.distribution_version) == ("acme_audit", "1.4.0")
    assert candidate.version == "1.4.0"
    assert "--force-reinstall acme_audit" in candidate.fault.remedy


@pytest.mark.parametrize(
    ("metadata", "what"),
    [
        ("Version: 1.0\n", "no valid Name"),
        ("Name: my plugin\nVersion: 1.0\n", "no valid Name"),
        ("Name: acme\n", "no Version"),
    ],
)
def test_metadata_that_lacks_what_matters_is_refused(site: Path, metadata: str, what: str) -> None:
    plugin(site, "acme", metadata=metadata)
    candidate = faulty(site)
    assert candidate.fault is not None
    assert candidate.fault.code == "metadata" and what in candidate.fault.cause


def test_a_version_that_is_none_is_shown_and_refused(site: Path) -> None:
    plugin(site, "acme", metadata="Name: acme\nVersion: 1.0-final-really\n")
    candidate = faulty(site)
    assert candidate.fault is not None
    assert candidate.fault.code == "version"
    assert candidate.version == candidate.distribution_version == "1.0-final-really"
    assert "'1.0-final-really'" in candidate.fault.message


FAULTY_MANIFESTS: Dict[str, "tuple[Content, list[str]]"] = {
    "syntax": ('name = "acme', ["TOML"]),
    "encoding": (b'name = "acme"\n\xff', ["UTF-8 (line 2"]),
    "three-faults": (
        'name = 3\nrequires = "auth"\nsumary = "x"',
        ["name", "requires", "sumary", "did you mean 'summary'"],
    ),
    "another-name": ('name = "other"', ["'other'", "must be 'acme'", "entry_points.txt:2"]),
    "another-version": ('version = "2.0"', ["'2.0'", "must be '1.0'"]),
    "all-of-it": (
        'name = "other"\nversion = "2.0"\nrequires = ["a >"]\nx = 1',
        ["'other'", "'2.0'", "requires[0]", "x = 1"],
    ),
}


@pytest.mark.parametrize("case", FAULTY_MANIFESTS)
def test_a_faulty_manifest_is_that_plugins_fault_with_every_fault_at_once(
    site: Path, case: str
) -> None:
    text, wanted = FAULTY_MANIFESTS[case]
    files: Dict[str, Content] = {"acme/__init__.py": TRAP, "acme/plugin.toml": text}
    install(site, "acme", entry_points={"pkl.plugins": {"acme": "acme"}}, files=files)
    candidate = faulty(site)
    assert candidate.fault is not None
    assert candidate.fault.code == "manifest"
    for each in wanted:
        assert each in candidate.fault.message
    assert candidate.manifest_file == str(site / "acme" / "plugin.toml")
    assert (candidate.name, candidate.version) == ("acme", "1.0")
    assert "\n" not in candidate.fault.cause
    assert f"pkl check {candidate.manifest_file}" in candidate.fault.remedy


def test_versions_that_are_equal_by_pep_440_do_not_disagree(site: Path) -> None:
    plugin(site, "acme", "1.4.0", 'name = "Acme"\nversion = "1.4"')
    assert all(each.fault is None for each in found(site).candidates)


def test_two_manifests_in_one_package_are_a_fault(site: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    write(site / "acme" / "plugin.json", '{"name": "acme"}')
    candidate = faulty(site)
    assert candidate.fault is not None
    assert "plugin.json" in candidate.fault.message and "plugin.toml" in candidate.fault.message


def test_a_manifest_that_is_a_directory_is_a_fault(site: Path) -> None:
    plugin(site, "acme")
    (site / "acme" / "plugin.toml").mkdir()
    candidate = faulty(site)
    assert candidate.fault is not None and candidate.fault.code == "manifest"


def test_a_manifest_without_the_yaml_extra_says_what_to_install(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"acme/__init__.py": TRAP, "acme/plugin.yaml": "name: acme"}
    install(site, "acme", entry_points={"pkl.plugins": {"acme": "acme"}}, files=files)
    monkeypatch.setitem(sys.modules, "yaml", None)
    candidate = faulty(site)
    assert candidate.fault is not None and "pkl[yaml]" in candidate.fault.message


def _make_leftover(site: Path) -> Path:
    return install(site, "~oo", entry_points={"pkl.plugins": {"oo": "oo"}})


def _make_dangling(site: Path) -> Path:
    link = site / "gone-1.0.dist-info"
    link.symlink_to(site / "nowhere")
    return link


def _make_file(site: Path) -> Path:
    return write(site / "file-1.0.dist-info", "not a directory")


def _make_directory_for_file(site: Path) -> Path:
    path = install(site, "odd") / "entry_points.txt"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_make_leftover, "leftover"),
        (_make_dangling, "dangling"),
        (_make_file, "not-a-directory"),
        (_make_directory_for_file, "not-a-file"),
    ],
)
def test_rubbish_is_passed_over_and_counted(
    site: Path, make: Callable[[Path], Path], code: str
) -> None:
    path = make(site)
    discovery = found(site)
    assert discovery.failures == ()
    [row] = discovery.skipped
    assert (row.code, row.file) == (code, str(path))
    assert str(path) in row.message


def test_what_distutils_installed_as_a_file_is_no_fault(site: Path) -> None:
    write(site / "old-1.0-py3.9.egg-info", "Name: old\nVersion: 1.0\n")
    assert found(site).skipped == ()


def test_of_two_copies_in_one_directory_the_highest_version_counts(site: Path) -> None:
    """What ``pip install --target`` leaves; the standard library takes either."""
    for version in ("1.9", "1.10", "1.10rc1", "2.0.broken"):
        points = {"pkl.plugins": {"acme": "acme"}}
        install(site, "acme", version, entry_points=points, files={"acme.py": TRAP})
    discovery = found(site)
    [candidate] = discovery.named("acme")
    assert candidate.version == "1.10"
    assert len(candidate.notes) == 3
    assert all("1.10.dist-info" in note for note in candidate.notes)
    assert [row.code for row in discovery.skipped] == ["duplicate"] * 3
    assert "--force-reinstall acme" in discovery.skipped[0].message


def test_a_copy_without_metadata_does_not_win(site: Path) -> None:
    points = {"pkl.plugins": {"acme": "acme"}}
    install(site, "acme", "1.0", entry_points=points, files={"acme.py": TRAP})
    (install(site, "acme", "2.0", entry_points=points) / "METADATA").unlink()
    assert [each.version for each in found(site).named("acme")] == ["1.0"]


def test_the_first_copy_on_sys_path_counts_and_later_ones_are_listed(
    site: Path, tmp_path: Path
) -> None:
    user, system = tmp_path / "user", tmp_path / "system"
    plugin(user, "acme", "1.0", 'name = "acme"')
    plugin(system, "Acme", "2.0", 'name = "acme"')
    broken = plugin(system, "Sound", entry_points=b"\xff")
    discovery = found(user, site, system)
    assert [(each.name, each.version) for each in discovery.candidates] == [
        ("acme", "1.0"),
        ("sound", "1.0"),
    ]
    assert discovery.failures == (), f"{broken} is hidden, so its faults are no one's"
    [row] = discovery.shadowed
    assert (row.distribution, row.version) == ("Acme", "2.0")
    assert row.location == str(system / "Acme-2.0.dist-info")
    assert row.by == str(user / "acme-1.0.dist-info")


def test_a_copy_that_offers_nothing_hides_one_that_does(site: Path, tmp_path: Path) -> None:
    """Python would import the first copy, so the plugin of the second is not there."""
    install(tmp_path / "first", "acme")
    plugin(tmp_path / "second", "acme")
    discovery = found(tmp_path / "first", tmp_path / "second")
    assert discovery.candidates == ()
    assert [row.distribution for row in discovery.shadowed] == ["acme"]


def test_an_entry_point_that_is_a_named_pipe_does_not_block(site: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(install(site, "acme") / "entry_points.txt")
    assert found(site).failures == ()


def test_a_file_without_end_is_refused(site: Path) -> None:
    if not os.path.exists("/dev/zero"):
        pytest.skip("no /dev/zero here")
    (install(site, "acme") / "entry_points.txt").symlink_to("/dev/zero")
    assert failure(site).code == "entry-points-unreadable"


def unprivileged(action: Callable[[], object]) -> str:
    """What ``action`` returns, as text, in a child that may not read everything."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, repr(action()).encode())
        except BaseException as e:
            os.write(writing, f"raised {e!r}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a child with another user id")
@pytest.mark.parametrize("what", ["entry_points.txt", "METADATA", "acme", "site"])
def test_what_may_not_be_read_is_one_row(site: Path, tmp_path: Path, what: str) -> None:
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == os.geteuid():
            directory.chmod(directory.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    locked = tmp_path / "locked"
    info = plugin(locked, "acme", manifest='name = "acme"')
    path = {"acme": locked / "acme" / "plugin.toml", "site": locked}.get(what, info / what)
    path.chmod(0)

    def look() -> object:
        discovery = found(locked, site)
        return (
            [(each.name, each.fault and each.fault.code) for each in discovery.candidates],
            [each.code for each in discovery.failures],
        )

    answer = unprivileged(look)
    path.chmod(0o755)
    assert (
        answer
        == {
            "entry_points.txt": "([('sound', None)], ['entry-points-unreadable'])",
            "METADATA": "([('acme', 'metadata'), ('sound', None)], [])",
            "acme": "([('acme', 'manifest'), ('sound', None)], [])",
            "site": "([('sound', None)], ['path-unreadable'])",
        }[what]
    )
