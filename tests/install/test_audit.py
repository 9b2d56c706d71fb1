"""Wheels that would do more than add a plugin are refused, each fault with its file and rule."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkl.discovery.headers import Headers
from pkl.discovery.wheel import read_wheel
from pkl.errors import WheelRefused
from pkl.install.solution import Chosen
from pkl.install.wheels import audit, zip_reading
from pkl.install.wheels.audit import WheelContent, audit_wheel
from pkl.install.wheels.member_names import clashes, folded, rule_against
from pkl.install.wheels.top_levels import names_of_environment
from tests.discovery.fakes import install, write
from tests.install import hostile
from tests.install.hostile import FILE, INFO
from tests.install.making import GROUP, library_wheel, plugin_wheel

AUDIT = Chosen("acme-audit", "1.0")


def audited(path: Path, taken: Mapping[str, str] = {}, **more: Any) -> WheelContent:
    return audit_wheel(str(path), AUDIT, taken, **more)


def faults(path: Path, taken: Mapping[str, str] = {}, **more: Any) -> Dict[str, str]:
    """Every fault of a wheel: the rules by its files."""
    with pytest.raises(WheelRefused) as caught:
        audited(path, taken, **more)
    found: Dict[str, str] = {}
    for each in caught.value.faults:
        found[each.path] = f"{found[each.path]}; {each.rule}" if each.path in found else each.rule
    return found


# What is there


def test_a_sound_wheel_says_what_it_adds(tmp_path: Path) -> None:
    made = plugin_wheel(
        tmp_path, "audit", libraries=["liby>=2"], extra={"RECORD.jws": "signed", "LICENSE": "MIT"}
    )
    content = audited(made)
    assert (content.name, content.version) == ("acme-audit", "1.0")
    assert content.metadata.requires_dist == ("liby>=2",)
    assert content.notes == ()
    files = {each.path: each for each in content.files}
    assert set(files) == {
        *(f"acme_audit/{each}" for each in ("__init__.py", "plugin.py", "plugin.toml")),
        *(f"{INFO}/{each}" for each in ("METADATA", "WHEEL", "RECORD", "RECORD.jws", "LICENSE")),
        f"{INFO}/entry_points.txt",
    }
    plugin = files["acme_audit/plugin.py"]
    with zipfile.ZipFile(made) as archive:
        assert plugin.size == len(archive.read("acme_audit/plugin.py"))
    assert len(plugin.sha256) == 64


def test_files_for_elsewhere_are_left_out_and_noted(tmp_path: Path) -> None:
    made = hostile.wheel(
        tmp_path,
        {
            "acme_audit-1.0.data/platlib/acme_audit/fast.py": "",
            "acme_audit-1.0.data/scripts/audit-all": "#!python\n",
            "acme_audit-1.0.data/data/share/man/man1/audit.1": "",
            "acme_audit-1.0.data/headers/audit.h": "",
            f"{INFO}/entry_points.txt": "[console_scripts]\naudit = acme_audit:main\n",
        },
    )
    content = audited(made)
    assert "acme_audit/fast.py" in {each.path for each in content.files}
    assert content.notes == (
        "acme-audit: its commands are not installed (audit-all, audit)",
        "acme-audit: files for elsewhere are left out "
        "(acme_audit-1.0.data/data/share/man/man1/audit.1, acme_audit-1.0.data/headers/audit.h)",
    )


def test_directories_in_the_archive_are_no_matter(tmp_path: Path) -> None:
    folder = zipfile.ZipInfo("acme_audit/")
    folder.external_attr = (stat.S_IFDIR | 0o755) << 16
    audited(hostile.wheel(tmp_path, more=[(folder, b"")]))


# What must not be there


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("evil.pth", "Python would run its lines at every start"),
        ("EVIL.PTH", "Python would run its lines at every start"),
        ("evil.start", "Python would run its lines at every start"),
        ("acme_audit-1.0.data/purelib/evil.pth", "Python would run its lines at every start"),
        ("acme_audit-1.0.data/platlib/evil.pth", "Python would run its lines at every start"),
        ("acme_audit-1.0.data/data/lib/evil.pth", "Python would run its lines at every start"),
        ("acme_audit-1.0.data/nowhere/x", "must be one of purelib, platlib, scripts"),
        ("acme_audit-1.0.data/x", "must be one of purelib, platlib, scripts"),
        ("other-1.0.data/purelib/x.py", "must be in acme_audit-1.0.data"),
        ("sitecustomize.py", "Python would run it at every start"),
        ("usercustomize/__init__.py", "Python would run it at every start"),
        ("pkl/evil.py", "stand in for pkl itself"),
        ("PKL.py", "stand in for pkl itself"),
        ("os.py", "stand in for a module of Python"),
        ("json/evil.py", "stand in for a module of Python"),
        ("_ctypes.py", "of Python"),
        ("__editable___x_finder.py", "stands for code that lies elsewhere"),
        ("_editable_impl_x.py", "stands for code that lies elsewhere"),
        ("other.egg-link", "stands for code that lies elsewhere"),
        (f"{INFO}/direct_url.json", "says where an installation is from"),
        ("requests-2.0.dist-info/METADATA", "another distribution"),
        ("requests-2.0.dist-info", "count as another distribution"),
        ("acme_audit-1.1.dist-info/METADATA", "another distribution"),
        ("requests.egg-info/PKG-INFO", "another distribution"),
        ("acme_audit-1.0.data/purelib/requests.dist-info/x", "another distribution"),
        ("Acme.Audit-1.0.dist-info/x", "must not be there beside"),
    ],
)
def test_what_must_not_be_in_a_wheel(tmp_path: Path, name: str, rule: str) -> None:
    found = faults(hostile.wheel(tmp_path, {name: "import os\n"}))
    assert [each for each in found.values() if rule in each], found


def test_a_path_file_inside_of_a_package_does_nothing_and_may_be_there(tmp_path: Path) -> None:
    audited(hostile.wheel(tmp_path, {"acme_audit/data.pth": ""}))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("/etc/passwd", "must be a relative path"),
        ("C:/windows/x", "must be a relative path"),
        ("c:x", "must be a relative path"),
        ("../x.py", "must not lead out"),
        ("acme_audit/../../x.py", "must not lead out"),
        ("acme_audit\\x.py", "must hold no backslash"),
        ("acme_audit/x.py:stream", "must hold no backslash and no colon"),
        ("acme_audit//x.py", "must have no empty part"),
        ("./x.py", "must have no empty part, and none that is ."),
        ("acme_audit/x\n.py", "must hold no control characters"),
        ("acme_audit/x\u202e.py", "must hold no control characters, and none that are not seen"),
        ("acme_audit/x.", "ends with a dot or a space"),
        ("acme_audit /x", "ends with a dot or a space"),
        ("a" * 256, "must be no longer"),
        ("/".join(["a" * 200] * 6), "must be no longer"),
    ],
)
def test_what_no_file_of_a_wheel_may_be_called(tmp_path: Path, name: str, rule: str) -> None:
    found = faults(hostile.wheel(tmp_path, {name: ""}))
    assert [each for each in found.values() if rule in each], found


def test_a_name_that_is_cut_by_a_zero_byte_is_refused(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"acme_audit/x.py_y": ""}, change=[])
    data = made.read_bytes().replace(b"acme_audit/x.py_y", b"acme_audit/x.py\0y")
    made.write_bytes(data)
    assert "must hold no control characters" in str(faults(made))


def test_what_a_fault_prints_can_be_printed(tmp_path: Path) -> None:
    with pytest.raises(WheelRefused) as caught:
        audited(hostile.wheel(tmp_path, {"acme_audit/\x1b[31mred.py": ""}))
    assert str(caught.value).replace("\n", "").isprintable()


# Names that some file systems cannot tell apart


@pytest.mark.parametrize(
    ("names", "path", "rule"),
    [
        (["acme_audit/Plugin.py"], "acme_audit/Plugin.py", "in case alone"),
        (["Acme_audit/x.py"], "Acme_audit/", "in case alone"),
        (["acme_audit/caf\u00e9.py", "acme_audit/cafe\u0301.py"], "", "in case alone"),
        (["acme_audit/plugin.py/x"], "acme_audit/plugin.py", "must not be a file and a directory"),
        (
            ["acme_audit-1.0.data/purelib/acme_audit/plugin.py"],
            "acme_audit/plugin.py",
            "must be there once",
        ),
        (
            ["acme_audit-1.0.data/purelib/acme_audit/PLUGIN.py"],
            "acme_audit/PLUGIN.py",
            "in case alone",
        ),
    ],
)
def test_files_that_would_be_one_are_refused(
    tmp_path: Path, names: List[str], path: str, rule: str
) -> None:
    found = faults(hostile.wheel(tmp_path, dict.fromkeys(names, "")))
    assert rule in (found[path] if path else str(found)), found


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = hostile.wheel(tmp_path, more=[("acme_audit/plugin.py", b"evil()\n")])
    assert "must be there once" in faults(made)["acme_audit/plugin.py"]


_LETTERS = st.text(st.sampled_from("ab.A/\\:\0 \u00e9\u0301"), min_size=1, max_size=6)


@given(_LETTERS)
def test_a_name_that_passes_stays_below_its_directory(name: str) -> None:
    import ntpath
    import posixpath

    if rule_against(name):
        return
    for system in (posixpath, ntpath):
        joined = system.normpath(system.join("root", name))
        assert joined.replace("\\", "/").startswith("root/")
    assert "\0" not in name


_SOUND = st.text(st.sampled_from("ab.A/ \u00e9\u0301"), min_size=1, max_size=6)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(_SOUND.filter(lambda each: not rule_against(each)), max_size=4))
def test_names_without_a_clash_stay_apart_on_every_file_system(names: List[str]) -> None:
    if clashes(names):
        return
    files = [folded(each) for each in names if not each.endswith("/")]
    assert len(set(files)) == len(files)
    assert not [(a, b) for a in files for b in files if b.startswith(f"{a}/")]


# The archive itself


def _links(name: str, kind: int) -> Callable[[], "zipfile.ZipInfo"]:
    def make() -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        return info

    return make


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (stat.S_IFLNK, "must not be a symbolic link"),
        (stat.S_IFIFO, "must be a file"),
        (stat.S_IFCHR, "must be a file"),
        (stat.S_IFDIR, "must be a file"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, kind: int, rule: str) -> None:
    info = _links("acme_audit/link", kind)()
    found = faults(hostile.wheel(tmp_path, more=[(info, b"/etc/passwd")]))
    assert rule in found["acme_audit/link"]


@pytest.mark.parametrize("data", [b"", b"PK", b"not a wheel" * 10, b"PK\3\4" + b"\0" * 40])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / FILE
    path.write_bytes(data)
    assert set(faults(path)) == {""}


def _rewritten(path: Path, edit: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(edit(path.read_bytes()))
    return path


def _directory_at(data: bytes) -> int:
    return int(struct.unpack("<L", data[-6:-2])[0])


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (lambda d: b"#!/bin/sh\n" + d, "something in front of it"),
        (lambda d: d + b"\0", "cut off, or has something behind its end"),
        (lambda d: d[:-2] + struct.pack("<H", 5) + b"hello", "behind its end, such as a comment"),
        (lambda d: d[:-1], "cut off"),
        (lambda d: d[: len(d) // 2], "cut off"),
        (lambda d: d[:-14] + struct.pack("<2H", 9, 9) + d[-10:], "says that there are 9"),
        (lambda d: d[:-18] + struct.pack("<H", 1) + d[-16:], "only a part of an archive"),
        (lambda d: d[:-14] + b"\xff" * 4 + d[-10:], "larger than 4 GiB"),
        # A local header that says something else than the list of contents.
        (lambda d: d.replace(b"acme_audit/plugin.py", b"acme_audit/plugin.pz", 1), "is called"),
        (lambda d: _patched(d, b"acme_audit/plugin.py", -16, b"\1\2\3\4"), "two places differs"),
        (lambda d: _patched(d, b"acme_audit/plugin.py", -24, b"\1\0"), "two places differs"),
        # Bytes between the files, where another reader would find a file.
        (lambda d: _with_gap(d), "ambiguous"),
    ],
)
def test_an_archive_that_two_readers_could_read_differently_is_refused(
    tmp_path: Path, edit: Callable[[bytes], bytes], rule: str
) -> None:
    found = faults(_rewritten(hostile.wheel(tmp_path), edit))
    assert rule in found[""], found


def _patched(data: bytes, name: bytes, offset: int, value: bytes) -> bytes:
    at = data.index(name) + offset
    return data[:at] + value + data[at + len(value) :]


def _with_gap(data: bytes) -> bytes:
    """Seven bytes in front of the list of contents that belong to no file."""
    at = _directory_at(data)
    return data[:at] + b"\0" * 7 + data[at:-6] + struct.pack("<L", at + 7) + data[-2:]


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    name = b"acme_audit/plugin.py"
    made = hostile.wheel(tmp_path)
    data = made.read_bytes()
    data = _patched(data, name, -24, b"\1\0")
    at = data.rindex(name) - 38
    made.write_bytes(data[:at] + b"\1\0" + data[at + 2 :])
    assert "must not be encrypted" in str(faults(made))


def test_a_file_with_another_name_for_some_readers_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("acme_audit/a.py")
    other = b"acme_audit/b.py"
    info.extra = struct.pack("<2HBL", 0x7075, 5 + len(other), 1, 0) + other
    found = faults(hostile.wheel(tmp_path, more=[(info, b"")]))
    assert "must have one name" in str(found)


def test_a_compression_that_not_every_installer_knows_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("acme_audit/a.py")
    info.compress_type = zipfile.ZIP_LZMA
    made = hostile.wheel(tmp_path, more=[(info, b"x = 1\n")])
    assert "must be stored or deflated" in str(faults(made))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"acme_audit/zeros": b"\0" * 50_000_000})
    assert made.stat().st_size < 100_000
    assert "would grow from" in faults(made)[""]


def test_a_file_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    zeros = b"\0" * 100_000
    made = hostile.wheel(tmp_path, {"acme_audit/zeros": zeros})
    small, large = struct.pack("<L", 10), struct.pack("<L", len(zeros))
    made.write_bytes(made.read_bytes().replace(large, small))
    assert "is damaged: 'acme_audit/zeros'" in faults(made)[""]


def test_more_than_a_wheel_may_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hostile.wheel(tmp_path)
    monkeypatch.setattr(zip_reading, "MAX_FILES", 3)
    assert "lists more than the 3 files" in faults(made)[""]
    monkeypatch.undo()
    monkeypatch.setattr(zip_reading, "MAX_TOTAL", 100)
    assert "once unpacked, and may have 100" in faults(made)[""]
    monkeypatch.undo()
    monkeypatch.setattr(audit, "_MAX_TEXT", 10)
    assert faults(made)[f"{INFO}/METADATA"] == "must have no more than 10 bytes"


def test_content_that_is_damaged_is_refused(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"acme_audit/text.txt": "abc" * 1000})
    data = bytearray(made.read_bytes())
    at = data.index(b"acme_audit/text.txt") + len(b"acme_audit/text.txt")
    data[at + 2] ^= 0xFF
    made.write_bytes(bytes(data))
    assert "is damaged: 'acme_audit/text.txt'" in faults(made)[""]


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_single_wrong_byte_gets_past_or_breaks_anything(
    tmp_path_factory: pytest.TempPathFactory, where: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    made = hostile.wheel(folder)
    data = bytearray(made.read_bytes())
    before = audited(made)
    data[where % len(data)] = value
    made.write_bytes(bytes(data))
    try:
        after = audited(made)
    except WheelRefused:
        return
    assert after == before


# RECORD


@pytest.mark.parametrize(
    ("edit", "path", "rule"),
    [
        (lambda r: r.replace("acme_audit/plugin.py", "../plugin.py"), "../plugin.py", "lead out"),
        (lambda r: r + "/etc/passwd,,\n", "/etc/passwd", "must be in the archive"),
        (lambda r: r + "acme_audit/gone.py,,\n", "acme_audit/gone.py", "must be in the archive"),
        (lambda r: "\n".join(r.splitlines()[1:]), "acme_audit/__init__.py", "must be listed"),
        (lambda r: r.replace(",6\n", ",7\n"), "acme_audit/plugin.py", "the 7 bytes that RECORD"),
        (lambda r: r.replace("sha256=", "md5=", 1), f"{INFO}/RECORD:1", "must be a path, sha256="),
        (lambda r: r.replace("sha256=4", "sha256=5"), "acme_audit/__init__.py", "must have the"),
        (lambda r: r + r.splitlines()[0], f"{INFO}/RECORD:6", "must list each file once"),
        (lambda r: r + 'a,"b\n', f"{INFO}/RECORD", "comma-separated"),
        (lambda r: r + "a,b\n", f"{INFO}/RECORD:6", "must be a path"),
        (lambda r: r + "a,,-1\n", f"{INFO}/RECORD:6", "must be a path"),
        (lambda r: r + "a,sha256=!,\n", f"{INFO}/RECORD:6", "must be a path"),
        (lambda r: "", "acme_audit/plugin.py", "must be listed in RECORD"),
    ],
)
def test_a_record_that_does_not_match_is_refused(
    tmp_path: Path, edit: Callable[[str], str], path: str, rule: str
) -> None:
    right = hostile.record_of(hostile.honest()).decode()
    assert edit(right) != right
    found = faults(hostile.wheel(tmp_path, record=edit(right)))
    assert rule in found[path], found


def test_a_row_without_a_digest_is_refused_but_for_record_itself(tmp_path: Path) -> None:
    lines = hostile.record_of(hostile.honest()).decode().splitlines()
    lines[1] = "acme_audit/plugin.py,,"
    found = faults(hostile.wheel(tmp_path, record="\n".join(lines)))
    assert found == {"acme_audit/plugin.py": "must have a digest in RECORD"}


def test_a_record_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert "in UTF-8" in faults(hostile.wheel(tmp_path, record=b"\xff"))[f"{INFO}/RECORD"]


def test_a_stronger_digest_is_checked_as_well(tmp_path: Path) -> None:
    import base64
    import hashlib

    data = hostile.honest()["acme_audit/plugin.py"]
    digest = base64.urlsafe_b64encode(hashlib.sha512(data).digest()).decode().rstrip("=")
    lines = hostile.record_of(hostile.honest()).decode().splitlines()
    lines[1] = f"acme_audit/plugin.py,sha512={digest},"
    audited(hostile.wheel(tmp_path, record="\n".join(lines)))
    lines[1] = f"acme_audit/plugin.py,sha512={'A' * 86},"
    found = faults(hostile.wheel(tmp_path, record="\n".join(lines)))
    assert "must have the sha512 that RECORD states" in found["acme_audit/plugin.py"]


def test_a_name_with_a_comma_is_read_as_it_is_quoted(tmp_path: Path) -> None:
    audited(hostile.wheel(tmp_path, {"acme_audit/a,b.txt": "x"}))


# What it says of itself


@pytest.mark.parametrize(
    ("without", "path"),
    [("METADATA", f"{INFO}/METADATA"), ("WHEEL", f"{INFO}/WHEEL"), ("RECORD", f"{INFO}/RECORD")],
)
def test_what_every_wheel_has_must_be_there(tmp_path: Path, without: str, path: str) -> None:
    assert faults(hostile.wheel(tmp_path, without=[path]))[path] == "must be there"


def test_a_wheel_without_a_directory_of_its_own_is_refused(tmp_path: Path) -> None:
    names = [f"{INFO}/{each}" for each in ("METADATA", "WHEEL", "RECORD")]
    assert "*.dist-info/" in faults(hostile.wheel(tmp_path, without=names))


@pytest.mark.parametrize(
    ("file", "metadata", "path", "rule"),
    [
        ("", "Name: other\nVersion: 1.0\n", f"{INFO}/METADATA", "must be of acme-audit 1.0"),
        ("", "Name: acme-audit\nVersion: 1.1\n", f"{INFO}/METADATA", "must be of acme-audit 1.0"),
        ("", "", f"{INFO}/METADATA", "must be of acme-audit 1.0"),
        ("acme_audit-1.1-py3-none-any.whl", None, "acme_audit-1.1-py3-none-any.whl", "announced"),
        ("other-1.0-py3-none-any.whl", None, "other-1.0-py3-none-any.whl", "announced"),
        ("acme_audit.whl", None, "acme_audit.whl", "must be named as a wheel is"),
    ],
)
def test_a_wheel_of_another_name_or_version_is_refused(
    tmp_path: Path, file: str, metadata: Optional[str], path: str, rule: str
) -> None:
    files = {} if metadata is None else {f"{INFO}/METADATA": metadata}
    found = faults(hostile.wheel(tmp_path, files, file=file or FILE))
    assert rule in found[path], found


def test_the_same_version_may_be_spelled_otherwise(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path)
    assert audit_wheel(str(made), Chosen("acme-audit", "1.0.0"), {}).version == "1.0"


@pytest.mark.parametrize("text", ["Wheel-Version: 2.0\n", "Wheel-Version: x\n", "Generator: x\n"])
def test_another_version_of_the_format_is_refused(tmp_path: Path, text: str) -> None:
    found = faults(hostile.wheel(tmp_path, {f"{INFO}/WHEEL": text}))
    assert "must state Wheel-Version: 1.0" in found[f"{INFO}/WHEEL"]


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ("pkl", "the name of another command"),
        ("PKL.exe", "the name of another command"),
        ("python3.11", "the name of another command"),
        ("pip", "the name of another command"),
        ("uv", "the name of another command"),
        ("../../evil", "must be the name of a command"),
        ("/bin/ls", "must be the name of a command"),
    ],
)
@pytest.mark.parametrize("how", ["console_scripts", "gui_scripts", "script"])
def test_a_command_that_would_stand_in_for_another_is_refused(
    tmp_path: Path, command: str, rule: str, how: str
) -> None:
    if how == "script":
        files = {f"acme_audit-1.0.data/scripts/{command}": ""}
    else:
        files = {f"{INFO}/entry_points.txt": f"[{how}]\n{command} = acme_audit:main\n"}
    assert rule in str(faults(hostile.wheel(tmp_path, files)))


def test_entry_points_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    found = faults(hostile.wheel(tmp_path, {f"{INFO}/entry_points.txt": "[x]\nno equals\n"}))
    assert "must be readable" in found[f"{INFO}/entry_points.txt:2"]


# What others have


def test_a_file_of_another_distribution_is_refused(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"liby/__init__.py": "", "liby/more.py": ""})
    taken = {each.path: "liby 2.0" for each in audit_content(tmp_path, "liby", "2.0").files}
    assert faults(made, taken) == {
        "liby/__init__.py": "must not be there: liby/__init__.py is liby 2.0's"
    }


def audit_content(folder: Path, name: str, version: str, **more: Any) -> WheelContent:
    made = library_wheel(folder / "libraries", name, version, **more)
    return audit_wheel(str(made), Chosen(name, version), {})


@pytest.mark.parametrize(
    ("file", "taken"),
    [
        ("shared/part.py", "shared/part.py"),
        ("shared/Part.py", "shared/part.py"),
        ("shared/part/deep.py", "shared/part"),
        ("shared/__init__.pyc", "shared/__init__.py"),
        ("single.py", "single.py"),
        ("single/__init__.py", "single.py"),
        ("single.py", "single/__init__.py"),
        ("single.abi3.so", "single.py"),
    ],
)
def test_what_is_taken_is_taken_in_every_form(tmp_path: Path, file: str, taken: str) -> None:
    suffixes = (".so", ".py", ".pyc", "")
    assert file.endswith(suffixes)
    found = faults(hostile.wheel(tmp_path, {file: ""}), {taken: "other 1.0"})
    assert found == {file: f"must not be there: {taken} is other 1.0's"}


def test_a_directory_without_init_may_be_shared(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"shared/audit.py": ""})
    audited(made, {"shared/part.py": "other 1.0", "shared/parts": "other 1.0"})


def test_a_library_of_the_host_is_not_hidden_and_its_owner_is_named(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "requests", "2.0", files={"requests/__init__.py": ""})
    install(site, "cloud", "1.0", files={"google/cloud/__init__.py": "", "google/one.py": ""})
    taken = names_of_environment([str(site)])
    assert set(taken) == {"requests", "google/__init__.py", "google/cloud", "google/one.py"}
    made = hostile.wheel(
        tmp_path,
        {
            "requests/extra.py": "",
            "google/one.py": "",
            "google/cloud/new.py": "",
            "google/__init__.py": "",
            "google/new.py": "",
        },
    )
    found = faults(made, taken)
    assert set(found) == {
        "requests/extra.py",
        "google/one.py",
        "google/cloud/new.py",
        "google/__init__.py",
    }
    assert found["requests/extra.py"] == (
        "must not be there: requests is requests 2.0's, of the host's environment "
        f"({site / 'requests'})"
    )
    assert "google/cloud is cloud 1.0's" in found["google/cloud/new.py"]


def test_the_generations_and_the_current_directory_take_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gens, here, site = (tmp_path / each for each in ("gens", "here", "site"))
    install(gens / "1" / "site", "acme-auth", files={"acme_auth/__init__.py": ""})
    install(here, "acme-mail", files={"acme_mail/__init__.py": ""})
    install(site, "requests", files={"requests.py": ""})
    write(tmp_path / "source" / "acme_web" / "__init__.py", "")
    monkeypatch.chdir(here)
    path = [str(each) for each in (gens / "1" / "site", here, site, tmp_path / "source")]
    assert set(names_of_environment(path, exclude_dirs=[str(gens)])) == {"requests.py"}


# What was announced


def _plugin(folder: Path, manifest: str = "", **more: Any) -> Path:
    return plugin_wheel(folder, "audit", manifest=manifest, **more)


def _announced(path: Path) -> Chosen:
    facts = read_wheel(str(path), [GROUP])
    requires = Headers(requires_dist=("liby>=2",)).requires_dist
    return Chosen("acme-audit", "1.0", requires=requires, plugins=facts.plugins)


def test_a_wheel_that_is_as_announced_passes(tmp_path: Path) -> None:
    made = _plugin(tmp_path, "[permissions]\nthreads = true", libraries=["liby >=2"])
    audit_wheel(str(made), _announced(made), {}, groups=[GROUP])


def test_a_permission_that_was_not_announced_is_refused(tmp_path: Path) -> None:
    """What was consented to is what the registry said."""
    announced = _announced(_plugin(tmp_path / "a", libraries=["liby>=2"]))
    made = _plugin(
        tmp_path / "b", '[permissions]\nnet-connect = ["*:443"]', libraries=["liby>=2", "evil"]
    )
    with pytest.raises(WheelRefused) as caught:
        audit_wheel(str(made), announced, {}, groups=[GROUP])
    found = {each.path: each.rule for each in caught.value.faults}
    assert "must have the permissions that was announced, {}" in found["audit.permissions"]
    assert found["METADATA"] == "must not require evil, which was not announced"


def test_plugins_that_were_not_announced_or_are_missing_are_refused(tmp_path: Path) -> None:
    announced = _announced(_plugin(tmp_path / "a", libraries=["liby>=2"]))
    made = plugin_wheel(tmp_path / "b", "mail", distribution="acme-audit", libraries=["liby>=2"])
    with pytest.raises(WheelRefused) as caught:
        audit_wheel(str(made), announced, {}, groups=[GROUP])
    assert [str(each.path) for each in caught.value.faults] == ["audit", "mail"]


def test_a_plugin_that_could_never_start_is_refused(tmp_path: Path) -> None:
    made = plugin_wheel(tmp_path, "audit", entry_points={GROUP: {"audit": "acme_gone"}})
    with pytest.raises(WheelRefused, match="which is not in it"):
        audit_wheel(str(made), AUDIT, {}, groups=[GROUP])


# The error


def test_the_error_names_every_fault_and_what_to_do(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {"evil.pth": "", "../x": ""})
    with pytest.raises(WheelRefused) as caught:
        audited(made)
    assert str(caught.value) == (
        f"{FILE} is refused for 2 reasons\n"
        "  ../x: it must not lead out of its directory with ..\n"
        "  evil.pth: it must not be there: Python would run its lines at every start\n"
        "hint: nothing was installed; tell whoever publishes acme-audit, or take another version"
        " of it"
    )
    assert (caught.value.code, caught.value.exit_status) == ("E_WHEEL", 8)
    assert caught.value.distribution == "acme-audit"


def test_of_many_faults_the_first_are_shown(tmp_path: Path) -> None:
    made = hostile.wheel(tmp_path, {f"x{each:02}.pth": "" for each in range(30)})
    with pytest.raises(WheelRefused) as caught:
        audited(made)
    assert "\n  and 10 more\n" in str(caught.value)
    assert len(caught.value.faults) == 30
