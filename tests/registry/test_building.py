"""From a folder of wheels to a registry: nothing is run, nothing is written twice or half."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from pkl.errors import (
    NameRefused,
    PathError,
    PluginNotFound,
    RegistryAbsent,
    RegistryGarbage,
    SignatureRefused,
    UsageError,
)
from pkl.registry.builder import Built
from pkl.registry.expiry import Expiry, parse_expiry
from pkl.registry.folder import RegistryFolder
from pkl.registry.layout import INDEX, MAX_INDEX, MAX_PAGE, REVOKED, SIGNATURE, page_path
from pkl.registry.model import Index, Page
from pkl.registry.schema import parse_index, parse_page
from pkl.registry.signing import SshKeygen
from pkl.registry.trust import Known
from pkl.registry.verifying import Verified, verify
from tests.registry.conftest import Keys
from tests.registry.making import LONG_AGO, NOW, builder, wheel

DAY = 86400


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with the wheels of two plugins."""
    folder = tmp_path / "wheels"
    wheel(folder, "audit", "1.4.0", 'requires = ["auth>=1"]\nsummary = "Who did what"\n')
    wheel(folder, "audit", "1.5.0", 'requires = ["auth>=1.2"]\nsummary = "Who did what"\n')
    wheel(folder, "auth", "1.2")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the registry is made."""
    return tmp_path / "registry"


def index_of(root: Path) -> Index:
    return RegistryFolder(str(root)).existing_index()


def page_of(root: Path, name: str) -> Page:
    return parse_page((root / page_path(name)).read_bytes(), name)


def content(root: Path) -> Dict[str, bytes]:
    """Every file of the registry but those of the builder itself."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def verified(root: Path, *keys: Any, now: float = NOW) -> Verified:
    source = RegistryFolder(str(root))
    return verify(source, Known(str(root), None, keys), now=now, verifier=SshKeygen())


def build(root: Path, source: Path, now: float = NOW, **more: Any) -> Built:
    return builder(root, now).build(str(source), **more)


def test_a_registry_holds_what_the_wheels_declare(root: Path, wheels: Path) -> None:
    built = build(root, wheels)
    assert (built.wheels, built.read, built.problems) == (3, 3, ())
    index = index_of(root)
    assert (index.serial, index.expires) == (1, None)
    assert index.plugins["audit"].summary == "Who did what"
    assert index.plugins["audit"].latest == "1.5.0"
    page = page_of(root, "audit")
    assert page.distribution == "audit"
    assert [str(e.metadata.requires[0]) for e in page.releases] == ["auth>=1.2", "auth>=1"]
    first = page.releases[0].files[0]
    assert first.size == (root / "files" / first.file).stat().st_size
    assert verified(root).problems == []
    assert verified(root).wheels == 3


def test_the_same_wheels_again_change_no_byte_and_are_not_read(root: Path, wheels: Path) -> None:
    build(root, wheels)
    before = content(root)
    again = build(root, wheels, now=NOW + DAY)
    assert (again.published.changed, again.read, again.published.index.serial) == (False, 0, 1)
    assert content(root) == before


def test_a_new_wheel_alone_is_read_and_raises_the_serial(root: Path, wheels: Path) -> None:
    build(root, wheels)
    wheel(wheels, "audit", "1.6.0")
    again = build(root, wheels, now=NOW + DAY)
    assert (again.read, again.published.index.serial) == (1, 2)
    assert index_of(root).plugins["audit"].latest == "1.6.0"
    uploads = {e.version: e.files[0].uploaded for e in page_of(root, "audit").releases}
    assert uploads == {"1.6.0": int(NOW) + DAY, "1.5.0": int(NOW), "1.4.0": int(NOW)}


def test_without_its_record_a_build_reads_all_and_changes_nothing(root: Path, wheels: Path) -> None:
    build(root, wheels)
    before = content(root)
    record = root / ".pkl-build.json"
    for damaged in (b"", b"{}", b'{"pkl": 1', record.read_bytes().replace(b"audit", b"\xff")):
        record.write_bytes(damaged)
        again = build(root, wheels, now=NOW + DAY)
        assert (again.read, again.published.changed) == (3, False)
    assert content(root) == before


def test_a_wheel_that_is_gone_leaves_the_index_and_its_file_stays(root: Path, wheels: Path) -> None:
    build(root, wheels)
    (wheels / "auth-1.2-py3-none-any.whl").unlink()
    assert build(root, wheels).published.index.serial == 2
    assert set(index_of(root).plugins) == {"audit"}
    assert not (root / page_path("auth")).exists()
    assert not (root / "simple" / "auth").exists()
    assert (root / "files" / "auth-1.2-py3-none-any.whl").exists()


def test_in_its_own_folder_the_wheels_in_files_count(wheels: Path) -> None:
    build(wheels, wheels)
    before = index_of(wheels)
    for path in wheels.glob("*.whl"):
        path.unlink()
    again = build(wheels, wheels)
    assert not again.published.changed and index_of(wheels) == before


def test_a_wheel_that_changed_under_its_name_is_named(root: Path, wheels: Path) -> None:
    build(root, wheels)
    wheel(wheels, "auth", "1.2", 'summary = "Another"\n')
    again = build(root, wheels)
    assert again.replaced == ("auth-1.2-py3-none-any.whl",)
    assert verified(root).problems == []


def test_what_is_written_over_a_wheel_is_not_served_before_the_next_build(
    root: Path, wheels: Path
) -> None:
    build(root, wheels)
    (wheels / "auth-1.2-py3-none-any.whl").write_bytes(b"other")
    assert verified(root).problems == []


def test_a_library_is_in_the_package_index_alone(root: Path, wheels: Path) -> None:
    wheel(wheels, "library", "3.0", entry_points={"console_scripts": {"x": "library:x"}})
    built = build(root, wheels)
    assert built.wheels == 4 and "library" not in index_of(root).plugins
    projects = json.loads((root / "simple" / "index.v1.json").read_bytes())["projects"]
    assert [each["name"] for each in projects] == ["audit", "auth", "library"]


def broken(folder: Path, kind: str) -> str:
    """Puts a wheel that cannot be used into the folder; its name."""
    name = "bad-1.0-py3-none-any.whl"
    path = folder / name
    if kind == "no-zip":
        path.write_bytes(b"PK\3\4 no")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        whole = wheel(folder, "bad").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "no-metadata":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("bad/__init__.py", "")
    elif kind == "empty-metadata":
        wheel(folder, "bad", metadata="")
    elif kind == "metadata-not-utf-8":
        wheel(folder, "bad", metadata=b"Name: b\xff\nVersion: \xfe\n")
    elif kind == "no-version":
        wheel(folder, "bad", metadata="Name: bad\n\n")
    elif kind == "version":
        wheel(folder, "bad", metadata="Name: bad\nVersion: one\n\n")
    elif kind == "requires-python":
        wheel(folder, "bad", headers="Requires-Python: >>3\n")
    elif kind == "other-name":
        wheel(folder, "good", file=name)
    elif kind == "other-version":
        wheel(folder, "bad", "2.0", file=name)
    elif kind == "manifest":
        wheel(folder, "bad", manifest='requires = ["auth >> 1"]\n')
    elif kind == "manifest-version":
        wheel(folder, "bad", manifest='version = "9"\n')
    elif kind == "entry-points":
        wheel(folder, "bad", entry_points="[pkl.plugins]\nno equals sign\n")
    elif kind == "entry-points-not-utf-8":
        wheel(folder, "bad", entry_points=b"[pkl.plugins]\nbad\xff = bad\n")
    elif kind == "target":
        wheel(folder, "bad", entry_points={"pkl.plugins": {"bad": "nowhere.at_all"}})
    elif kind == "path-as-target":
        wheel(folder, "bad", entry_points={"pkl.plugins": {"bad": "../../etc/passwd"}})
    elif kind == "path-as-name":
        wheel(folder, "bad", entry_points={"pkl.plugins": {"../../x": "bad"}})
    elif kind == "two-distributions":
        wheel(folder, "bad", extra={"../other-1.0.dist-info/METADATA": "Name: other\n"})
    elif kind == "bomb":
        _bomb(path, "bad-1.0.dist-info/METADATA")
    elif kind == "bomb-of-a-manifest":
        _bomb(path, "bad/plugin.toml")
    elif kind == "endless":
        packed = bytearray(wheel(folder, "bad").read_bytes())
        at = packed.rfind(b"PK\5\6")
        packed[at + 12 : at + 16] = (2**31).to_bytes(4, "little")
        path.write_bytes(bytes(packed))
    elif kind == "encrypted":
        packed = bytearray(wheel(folder, "bad").read_bytes())
        at = packed.find(b"PK\1\2")
        while at >= 0:
            packed[at + 8] |= 1
            at = packed.find(b"PK\1\2", at + 1)
        path.write_bytes(bytes(packed))
    elif kind == "directory":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to(folder / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "name":
        name = "bad.whl"
        wheel(folder, "bad", file=name)
    return name


def _bomb(path: Path, large: str) -> None:
    """A small archive with one large file in it."""
    texts = {
        "bad-1.0.dist-info/METADATA": b"Name: bad\nVersion: 1.0\n\n",
        "bad-1.0.dist-info/entry_points.txt": b"[pkl.plugins]\nbad = bad\n",
        "bad/__init__.py": b"",
        "bad/plugin.toml": b"",
    }
    texts[large] += b"#" * (16 * 1024 * 1024)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)


KINDS = ["no-zip", "empty", "cut", "no-metadata", "empty-metadata", "metadata-not-utf-8"]
KINDS += ["no-version", "version", "requires-python", "other-name", "other-version", "manifest"]
KINDS += ["manifest-version", "entry-points", "entry-points-not-utf-8", "target", "path-as-target"]
KINDS += ["path-as-name", "two-distributions", "bomb", "bomb-of-a-manifest", "endless", "encrypted"]
KINDS += ["directory", "dangling", "name"]
if hasattr(os, "mkfifo"):
    KINDS.append("pipe")


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_wheel_is_named_and_left_out_and_the_rest_is_there(
    root: Path, wheels: Path, kind: str
) -> None:
    name = broken(wheels, kind)
    built = build(root, wheels)
    assert [file for file, _ in built.problems] == [name]
    assert built.problems[0].why
    assert set(index_of(root).plugins) == {"audit", "auth"}
    assert not (root / "files" / name).exists()
    assert verified(root).problems == []
    assert not build(root, wheels).published.changed


def test_a_plugin_of_two_distributions_is_refused_and_nothing_changes(
    root: Path, wheels: Path
) -> None:
    build(root, wheels)
    before = content(root)
    wheel(wheels, "impostor", "9.0", entry_points={"pkl.plugins": {"Audit": "impostor"}})
    with pytest.raises(NameRefused) as caught:
        build(root, wheels)
    assert str(caught.value) == (
        "two distributions offer the plugin 'audit': audit 1.4.0 (audit-1.4.0-py3-none-any.whl) and"
        " impostor 9.0 (impostor-9.0-py3-none-any.whl); nothing was changed\n"
        "hint: take one of the two out of the folder, or rename its plugin"
    )
    after = content(root)
    assert {k: v for k, v in after.items() if not k.startswith("files/impostor")} == before


def test_wheels_for_several_platforms_are_one_version(root: Path, wheels: Path) -> None:
    for tags in ("cp311-cp311-win_amd64", "cp311-cp311-linux_x86_64", "py3-none-any"):
        wheel(wheels, "native", "1.0", tags=tags)
    build(root, wheels)
    (release,) = page_of(root, "native").releases
    assert [each.file.split("-", 2)[2] for each in release.files] == [
        "py3-none-any.whl",
        "cp311-cp311-linux_x86_64.whl",
        "cp311-cp311-win_amd64.whl",
    ]
    assert verified(root).wheels == 6


def test_wheels_of_one_version_that_declare_different_things_are_left_out(
    root: Path, wheels: Path
) -> None:
    wheel(wheels, "native", "1.0", tags="cp311-cp311-win_amd64")
    wheel(wheels, "native", "1.0", 'requires = ["x"]\n', tags="cp311-cp311-linux_x86_64")
    built = build(root, wheels)
    assert [problem.file for problem in built.problems] == [
        "native-1.0-cp311-cp311-linux_x86_64.whl",
        "native-1.0-cp311-cp311-win_amd64.whl",
    ]
    assert "native" not in index_of(root).plugins


def test_a_page_carries_the_pythons_of_the_distribution_too(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    wheel(folder, "a", headers="Requires-Python: >=3.10\n")
    wheel(folder, "b", manifest='requires-python = "<4"\n', headers="Requires-Python: >=3.9\n")
    build(root, folder)
    assert page_of(root, "a").releases[0].metadata.requires_python == ">=3.10"
    assert page_of(root, "b").releases[0].metadata.requires_python == "<4,>=3.9"


def test_the_latest_version_is_no_prerelease_unless_there_is_no_other(
    root: Path, wheels: Path
) -> None:
    wheel(wheels, "audit", "2.0rc1")
    wheel(wheels, "early", "1.0.dev1")
    build(root, wheels)
    plugins = index_of(root).plugins
    assert (plugins["audit"].latest, plugins["early"].latest) == ("1.5.0", "1.0.dev1")


def test_a_folder_that_is_not_there_is_an_error(root: Path, tmp_path: Path) -> None:
    with pytest.raises(PathError, match="there is no folder"):
        build(root, tmp_path / "nowhere")


def test_an_empty_folder_is_an_empty_registry(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    assert build(root, folder).published.index.plugins == {}
    assert verified(root).problems == []


# When it is written.


def test_the_index_is_written_when_all_that_it_names_is_there(
    root: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(root, wheels)
    wheel(wheels, "audit", "1.6.0")
    wheel(wheels, "mail", "1.0")
    seen: List[bool] = []
    write = RegistryFolder.write

    def watched(self: RegistryFolder, name: str, data: bytes, *, fsync: bool = True) -> bool:
        if name == INDEX:
            for plugin, entry in parse_index(data).plugins.items():
                page = self.read(page_path(plugin), MAX_PAGE)
                assert page is not None
                for release in parse_page(page, plugin).releases:
                    seen.append((root / "files" / release.files[0].file).is_file())
                assert entry.latest is not None
        return write(self, name, data, fsync=fsync)

    monkeypatch.setattr(RegistryFolder, "write", watched)
    build(root, wheels)
    assert seen == [True] * 5


def test_a_build_cut_off_anywhere_leaves_an_index_whose_pages_are_there(
    root: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(root, wheels)
    (wheels / "auth-1.2-py3-none-any.whl").unlink()
    wheel(wheels, "audit", "1.6.0")
    wheel(wheels, "mail", "1.0")
    write, left = RegistryFolder.write, [0]

    class CutOff(Exception):
        """The power failed."""

    def failing(self: RegistryFolder, name: str, data: bytes, *, fsync: bool = True) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise CutOff
        return write(self, name, data, fsync=fsync)

    monkeypatch.setattr(RegistryFolder, "write", failing)
    for count in range(100):
        left[0] = count
        try:
            build(root, wheels)
        except CutOff:
            for plugin in index_of(root).plugins:
                assert page_of(root, plugin).releases
            continue
        break
    assert 5 < count < 99
    monkeypatch.undo()
    assert verified(root).problems == []
    assert set(index_of(root).plugins) == {"audit", "mail"}


# Serial and expiry.


def test_a_registry_that_lost_its_index_is_built_above_the_serial_that_clients_remember(
    root: Path, wheels: Path
) -> None:
    build(root, wheels)
    (root / INDEX).unlink()
    assert build(root, wheels, serial=40).published.index.serial == 40
    again = build(root, wheels, serial=40).published
    assert (again.index.serial, again.changed) == (40, False)


def test_a_damaged_index_is_not_written_over(root: Path, wheels: Path) -> None:
    build(root, wheels)
    (root / INDEX).write_bytes(b"{")
    with pytest.raises(RegistryGarbage) as caught:
        build(root, wheels)
    assert str(root / INDEX) in caught.value.message
    assert "--serial" in caught.value.hint
    assert (root / INDEX).read_bytes() == b"{"


def test_an_index_that_another_program_wrote_in_other_words_gets_a_new_serial(
    root: Path, wheels: Path
) -> None:
    build(root, wheels)
    whole = json.loads((root / INDEX).read_bytes())
    (root / INDEX).write_text(json.dumps(whole, indent=2))
    assert build(root, wheels).published.index.serial == 2


def test_a_lifetime_is_renewed_with_a_change_or_when_half_of_it_is_over(
    root: Path, wheels: Path
) -> None:
    def built(after_days: int) -> "tuple[int, Optional[float]]":
        index = build(
            root, wheels, NOW + after_days * DAY, expires=Expiry(30 * DAY)
        ).published.index
        return index.serial, index.expires and (index.expires - int(NOW)) / DAY

    assert built(0) == (1, 30)
    assert built(14) == (1, 30)
    assert built(16) == (2, 46)
    wheel(wheels, "mail")
    assert built(17) == (3, 47)


def test_without_an_expiry_the_old_one_stays(root: Path, wheels: Path) -> None:
    until = int(NOW) + DAY
    build(root, wheels, expires=Expiry(moment=until))
    wheel(wheels, "mail")
    assert build(root, wheels).published.index.expires == until
    assert build(root, wheels, expires=Expiry()).published.index.expires is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30d", Expiry(30 * DAY)),
        ("12h", Expiry(12 * 3600)),
        ("2w", Expiry(14 * DAY)),
        ("never", Expiry()),
        ("2026-11-26", Expiry(moment=1795651200)),
        ("2026-11-25T03:00:01Z", Expiry(moment=int(NOW) + 1)),
    ],
)
def test_an_expiry_is_written_in_many_ways(text: str, wanted: Expiry) -> None:
    assert parse_expiry(text, NOW) == wanted


@pytest.mark.parametrize("text", ["", "0d", "30", "soon", "2026-02-30", "2026-11-25", "-1d"])
def test_other_expiries_and_those_that_are_past_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expire"):
        parse_expiry(text, NOW)


# Signed.


def test_a_signed_registry_is_signed_again_only_when_it_changes(
    keys: Keys, root: Path, wheels: Path
) -> None:
    file = str(keys.make("key"))
    makes = builder(root, NOW, keys.keygen)
    first = makes.build(str(wheels), key=file)
    before = content(root)
    again = makes.build(str(wheels), key=file)
    assert (first.published.changed, again.published.changed) == (True, False)
    assert content(root) == before
    assert again.published.signer == keys.keygen.public_key(file)


def test_a_build_without_the_key_takes_the_signature_away_when_the_index_changes(
    fake_keys: Keys, root: Path, wheels: Path
) -> None:
    makes = builder(root, NOW, fake_keys.keygen)
    makes.build(str(wheels), key=str(fake_keys.make("key")))
    same = makes.build(str(wheels)).published
    assert (same.unsigned, (root / SIGNATURE).exists()) == (False, True)
    wheel(wheels, "mail")
    changed = makes.build(str(wheels)).published
    assert (changed.unsigned, (root / SIGNATURE).exists()) == (True, False)


def test_a_key_that_does_not_sign_changes_nothing_of_the_index(
    fake_keys: Keys, root: Path, wheels: Path, tmp_path: Path
) -> None:
    makes = builder(root, NOW, fake_keys.keygen)
    makes.build(str(wheels), key=str(fake_keys.make("key")))
    before = {k: v for k, v in content(root).items() if not k.startswith("files/")}
    wheel(wheels, "mail")
    bad = tmp_path / "bad"
    bad.write_text("x")
    with pytest.raises(SignatureRefused):
        makes.build(str(wheels), key=str(bad))
    assert {k: v for k, v in content(root).items() if not k.startswith("files/")} == before


# Revoked.


def test_a_revoked_version_is_listed_yanked_and_no_longer_the_latest(
    root: Path, wheels: Path
) -> None:
    build(root, wheels)
    published, entry = builder(root, NOW + 5).revoke("Audit", "1.5", "it leaks")
    assert (published.index.serial, entry.version, entry.since) == (2, "1.5.0", int(NOW) + 5)
    revoked = json.loads((root / REVOKED).read_bytes())["revoked"]
    assert revoked["audit"]["1.5.0"]["reason"] == "it leaks"
    assert index_of(root).plugins["audit"].latest == "1.4.0"
    assert [each.yanked for each in page_of(root, "audit").releases] == ["it leaks", None]
    html = (root / "simple" / "audit" / "index.html").read_text()
    assert html.count('data-yanked="it leaks"') == 1
    assert verified(root).problems == []
    assert not build(root, wheels, now=NOW + DAY).published.changed
    again, same = builder(root, NOW + DAY).revoke("audit", "1.5.0", "it leaks")
    assert (again.changed, same) == (False, entry)


def test_a_version_whose_wheel_is_gone_can_be_revoked(root: Path, wheels: Path) -> None:
    (wheels / "audit-1.5.0-py3-none-any.whl").unlink()
    build(root, wheels)
    builder(root).revoke("audit", "1.5.0", "it leaks")
    assert RegistryFolder(str(root)).revocations().of("audit", "1.5.0")


def test_what_cannot_be_revoked_is_told(root: Path, wheels: Path) -> None:
    with pytest.raises(RegistryAbsent, match="there is no registry in"):
        (root).mkdir()
        builder(root).revoke("audit", "1.5.0", "x")
    build(root, wheels)
    with pytest.raises(PluginNotFound, match="did you mean 'audit'"):
        builder(root).revoke("audti", "1.5.0", "x")
    with pytest.raises(UsageError, match="is not a version"):
        builder(root).revoke("audit", "newest", "x")
    (root / ".pkl-build.json").unlink()
    with pytest.raises(RegistryAbsent, match="does not say how the registry was built"):
        builder(root).revoke("audit", "1.5.0", "x")


# Verified.


@pytest.mark.parametrize(
    "file",
    [
        page_path("audit"),
        REVOKED,
        "files/auth-1.2-py3-none-any.whl",
        "files/auth-1.2-py3-none-any.whl.metadata",
        "simple/auth/index.v1.json",
        "simple/auth/index.html",
        "simple/index.html",
        "simple/index.v1.json",
    ],
)
@pytest.mark.parametrize("how", ["changed", "gone", "longer"])
def test_whatever_does_not_hold_is_found(root: Path, wheels: Path, file: str, how: str) -> None:
    build(root, wheels)
    path = root / file
    data = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:] if how == "changed" else data + b" ")
    found = verified(root)
    assert file in [name for name, _ in found.problems]


def test_an_index_larger_than_any_is_not_read(root: Path, wheels: Path) -> None:
    build(root, wheels)
    with open(root / INDEX, "r+b") as file:
        file.truncate(MAX_INDEX + 1)
    with pytest.raises(RegistryGarbage, match="is larger than"):
        verified(root)


def test_the_times_of_wheels_are_those_that_tests_set(wheels: Path) -> None:
    """Or none would count as unchanged."""
    assert {path.stat().st_mtime for path in wheels.iterdir()} == {LONG_AGO}


def test_the_package_index_does_not_break_older_pips(root: Path, wheels: Path) -> None:
    """pip 22.3 to 23.1 fails over the old name of ``core-metadata`` in JSON (PEP 714)."""
    build(root, wheels)
    whole = json.loads((root / "simple" / "audit" / "index.v1.json").read_text("utf-8"))
    for each in whole["files"]:
        beside = (root / "files" / f"{each['filename']}.metadata").read_bytes()
        assert each["core-metadata"] == {"sha256": hashlib.sha256(beside).hexdigest()}
        assert "dist-info-metadata" not in each
