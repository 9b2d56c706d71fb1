"""Copying a registry: what is not as its index states is not taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from pkl.errors import RegistryGarbage, RegistryRolledBack, RegistryUnreachable, SignatureRefused
from pkl.registry.folder import RegistryFolder
from pkl.registry.layout import INDEX, REVOKED, SIGNATURE, page_path
from pkl.registry.mirroring import Mirrored, mirror
from pkl.registry.schema import parse_index
from pkl.registry.simple_schema import parse_project, parse_root
from pkl.registry.trust import Known
from pkl.registry.verifying import verify
from tests.registry.conftest import Keys
from tests.registry.making import NOW, builder, wheel

WHEEL = "files/audit-1.4.0-py3-none-any.whl"


class Watched(RegistryFolder):
    """A registry that notes what is read of it, and can be made to lie or to break off."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.asked: List[str] = []
        self.lies: Dict[str, Optional[bytes]] = {}
        self.left = 10**6

    def read(self, name: str, limit: int) -> Optional[bytes]:
        self.asked.append(name)
        self.left -= 1
        if self.left < 0:
            raise RegistryUnreachable("the line is cut", url=self.root)
        return self.lies[name] if name in self.lies else super().read(name, limit)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Two plugins and a library."""
    folder = tmp_path / "wheels"
    wheel(folder, "audit", "1.4.0")
    wheel(folder, "auth", "1.2")
    wheel(folder, "library", "3.0", entry_points={})
    return folder


@pytest.fixture
def source(tmp_path: Path, wheels: Path) -> Watched:
    """The registry of them."""
    root = tmp_path / "registry"
    builder(root).build(str(wheels))
    return Watched(str(root))


def content(folder: RegistryFolder) -> Dict[str, bytes]:
    """Every file but those of the builder itself."""
    root = Path(folder.root)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def mirrored(source: Watched, target: RegistryFolder, *keys: Any, **more: Any) -> Mirrored:
    known = Known(source.root, None, keys)
    more.setdefault("verifier", None)
    return mirror(source, target, known, now=NOW, **more)


@pytest.fixture
def target(tmp_path: Path) -> RegistryFolder:
    """Where it is copied."""
    return RegistryFolder(str(tmp_path / "mirror"))


def test_a_mirror_is_the_registry_byte_for_byte(source: Watched, target: RegistryFolder) -> None:
    found = mirrored(source, target)
    assert (found.wheels, found.fetched, found.changed) == (3, 3, True)
    assert content(target) == content(source)


def test_what_is_there_already_is_not_fetched_again(
    source: Watched, target: RegistryFolder, wheels: Path
) -> None:
    mirrored(source, target)
    source.asked.clear()
    assert not mirrored(source, target).changed
    assert not [name for name in source.asked if name.startswith("files/")]
    (wheels / "auth-1.2-py3-none-any.whl").unlink()
    wheel(wheels, "mail")
    builder(Path(source.root)).build(str(wheels))
    assert mirrored(source, target).fetched == 1
    gone = "files/auth-1.2-py3-none-any.whl"
    assert content(target) == content(source)
    assert gone in content(target)


@pytest.mark.parametrize(
    "file",
    [
        page_path("audit"),
        REVOKED,
        "simple/index.v1.json",
        "simple/library/index.v1.json",
        "files/library-3.0-py3-none-any.whl",
        "files/library-3.0-py3-none-any.whl.metadata",
        WHEEL,
    ],
)
@pytest.mark.parametrize("lie", [None, b"", b"other"])
def test_a_registry_that_lies_leaves_the_mirror_with_the_index_it_has(
    source: Watched, target: RegistryFolder, wheels: Path, file: str, lie: Optional[bytes]
) -> None:
    wheel(wheels, "first")
    source.lies[file] = lie
    with pytest.raises(RegistryGarbage) as caught:
        mirrored(source, target)
    assert file in caught.value.message and "does not hold what it states" in caught.value.message
    assert not (Path(target.root) / INDEX).exists()
    source.lies.clear()
    mirrored(source, target)
    assert content(target) == content(source)


def test_a_mirror_cut_off_anywhere_has_an_index_that_holds(
    source: Watched, target: RegistryFolder, wheels: Path
) -> None:
    mirrored(source, target)
    wheel(wheels, "mail")
    builder(Path(source.root)).build(str(wheels))
    for count in range(100):
        source.left = count
        try:
            mirrored(source, target)
        except RegistryUnreachable:
            known = Known(target.root)
            verify(target, known, now=NOW, verifier=_Never())
            assert target.existing_index().serial == 1
            continue
        break
    assert 3 < count < 99
    assert content(target) == content(source)


class _Never:
    """Verifies nothing, as nothing is signed."""

    def verify(self, data: bytes, signature: bytes, key: Any) -> str:
        raise AssertionError("nothing is signed")


def test_a_mirror_never_goes_back(source: Watched, target: RegistryFolder, wheels: Path) -> None:
    old = content(source)
    wheel(wheels, "mail")
    builder(Path(source.root)).build(str(wheels))
    mirrored(source, target)
    source.lies.update(old)
    with pytest.raises(RegistryRolledBack):
        mirrored(source, target)


def test_a_signature_goes_along_and_is_asked_for(
    fake_keys: Keys, source: Watched, target: RegistryFolder, wheels: Path
) -> None:
    keygen = fake_keys.keygen
    files = [str(fake_keys.make(name)) for name in ("key", "other")]
    builder(Path(source.root), keygen=keygen).build(str(wheels), key=files[0])
    key, other = (keygen.public_key(each) for each in files)
    with pytest.raises(SignatureRefused):
        mirrored(source, target, other, verifier=keygen)
    assert not (Path(target.root) / INDEX).exists()
    assert mirrored(source, target, key, verifier=keygen).signer == key
    assert content(target)[SIGNATURE] == content(source)[SIGNATURE]


def test_a_registry_that_covers_no_package_index_is_mirrored_without(
    source: Watched, target: RegistryFolder
) -> None:
    data = content(source)[INDEX]
    index = parse_index(data)
    source.lies[INDEX] = data.replace(f',"simple":"{index.simple}"'.encode(), b"")
    assert mirrored(source, target).wheels == 2
    assert not (Path(target.root) / "simple").exists()


def test_the_faults_of_a_package_index_are_named(source: Watched) -> None:
    name = "simple/library/index.v1.json"
    data = content(source)[name]
    (found,) = parse_project(data, "library")
    assert (found.file, found.version) == ("library-3.0-py3-none-any.whl", "3.0")

    def faults(parse: Any, *arguments: Any) -> List[str]:
        with pytest.raises(RegistryGarbage) as caught:
            parse(*arguments)
        return [each.path for each in caught.value.faults]

    bad: Tuple[Tuple[bytes, bytes, str], ...] = (
        (b'"name":"library"', b'"name":"other"', "name"),
        (b'"filename":"library', b'"filename":"../library', "files[0].filename"),
        (b'"filename":"library', b'"filename":"other', "files[0].filename"),
        (b'"yanked":false', b'"yanked":3', "files[0].yanked"),
        (b'"hashes":', b'"hash":', "files[0].hashes"),
        (b'"upload-time":"', b'"upload-time":"x', "files[0].upload-time"),
    )
    for before, after, path in bad:
        assert before in data
        assert faults(parse_project, data.replace(before, after), "library")[0] == path
    assert faults(parse_root, b'{"projects": [{"name": "../x", "_sha256": "y"}, 3, {}]}') == [
        "projects[1]",
        "projects[0].name",
        "projects[2].name",
    ]
    assert faults(parse_root, b"{}") == ["projects"]
