"""What a lock may not say: each fault has its dotted path, and all are named at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkl.errors import LockInvalid
from pkl.install.locks import lock_reading
from pkl.install.locks.lock import LOCK_FILE
from pkl.install.locks.lock_reading import parse_lock, read_lock
from pkl.install.locks.toml_text import toml_table
from tests.install.lock.making import a_library, a_plugin, a_solution, text_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = text_of(
    a_solution(a_plugin("audit", "1.1", "libx>=2"), a_library("libx", "2.1")),
    consents={"audit": {"fs-read": ["$data"]}},
)
Document = Dict[str, Any]
Change = Callable[[Document], object]


def changed(change: Change) -> str:
    """The text of a good lock after a change of its document."""
    document = tomllib.loads(TEXT)
    change(document)
    return "\n".join(toml_table(document))


def faults_of(text: str) -> List[str]:
    """Why a text is no lock."""
    with pytest.raises(LockInvalid) as caught:
        parse_lock(text, f"/project/{LOCK_FILE}")
    assert caught.value.file == f"/project/{LOCK_FILE}"
    assert caught.value.exit_status == 5
    return [str(each) for each in caught.value.faults]


def wheel(document: Document) -> Document:
    """The wheel of the library."""
    found: Document = document["packages"][1]["wheels"][0]
    return found


def own(document: Document) -> Document:
    """``[tool.pkl]``."""
    found: Document = document["tool"]["pkl"]
    return found


def plugin(document: Document) -> Document:
    """What is locked of the manifest of audit."""
    found: Document = document["packages"][0]["tool"]["pkl"]["plugins"][0]
    return found


def placed(path: str) -> Change:
    """The wheel of the library is at a path."""

    def change(document: Document) -> None:
        wheel(document).pop("url")
        wheel(document)["path"] = path

    return change


PLACE = "must be a path below the lock's directory, without '..' and not from the root"
URL = "must be an https:// or file:// URL, or http:// on this machine: "
HEX = "must be a SHA-256 of 64 small hex digits"
HOSTILE: Dict[str, "tuple[Change, str]"] = {
    "a later format": (
        lambda d: d.update({"lock-version": "2.0"}),
        "lock-version = '2.0': must be 1.0, the version of PEP 751 that pkl knows; upgrade pkl to "
        "read it",
    ),
    "an unnormalised name": (
        lambda d: d["packages"][1].update(name="LibX"),
        "packages[1].name = 'LibX': breaks PEP 751: Name 'LibX' is not normalized",
    ),
    "no hashes": (
        lambda d: wheel(d).pop("hashes"),
        "packages[1].wheels[0].hashes = None: breaks PEP 751: Missing required value",
    ),
    "empty hashes": (
        lambda d: wheel(d).update(hashes={}),
        "packages[1].wheels[0].hashes = {}: breaks PEP 751: At least one hash must be provided",
    ),
    "another hash": (
        lambda d: wheel(d).update(hashes={"md5": "0" * 32}),
        f"packages[1].wheels[0].hashes.sha256 = None: {HEX}",
    ),
    "a hash that is none": (
        lambda d: wheel(d)["hashes"].update(sha256="X" * 64),
        f"packages[1].wheels[0].hashes.sha256 = '{'X' * 64}': {HEX}",
    ),
    "an absolute path": (
        placed("/etc/libx-2.1-py3-none-any.whl"),
        f"packages[1].wheels[0].path = '/etc/libx-2.1-py3-none-any.whl': {PLACE}",
    ),
    "a path upwards": (
        placed("dist/../../libx-2.1-py3-none-any.whl"),
        f"packages[1].wheels[0].path = 'dist/../../libx-2.1-py3-none-any.whl': {PLACE}",
    ),
    "a path upwards of Windows": (
        placed("..\\libx-2.1-py3-none-any.whl"),
        f"packages[1].wheels[0].path = '..\\\\libx-2.1-py3-none-any.whl': {PLACE}",
    ),
    "a drive": (
        placed("C:/libx-2.1-py3-none-any.whl"),
        f"packages[1].wheels[0].path = 'C:/libx-2.1-py3-none-any.whl': {PLACE}",
    ),
    "another scheme": (
        lambda d: wheel(d).update(url="ftp://r.example/libx-2.1-py3-none-any.whl"),
        "packages[1].wheels[0].url = 'ftp://r.example/libx-2.1-py3-none-any.whl': "
        f"{URL}it is no https:// URL, and there is no such directory",
    ),
    "http to another machine": (
        lambda d: wheel(d).update(url="http://r.example/libx-2.1-py3-none-any.whl"),
        "packages[1].wheels[0].url = 'http://r.example/libx-2.1-py3-none-any.whl': "
        f"{URL}http:// is for this machine alone, as anybody on the way could change it",
    ),
    "a password": (
        lambda d: wheel(d).update(url="https://me:x@r.example/libx-2.1-py3-none-any.whl"),
        "packages[1].wheels[0].url = 'https://me:x@r.example/libx-2.1-py3-none-any.whl': "
        f"{URL}it holds a user name or password, which would be kept and shown",
    ),
    "a wheel of another name": (
        lambda d: wheel(d).update(name="evil-2.1-py3-none-any.whl"),
        "packages[1].wheels[0] = 'evil-2.1-py3-none-any.whl': breaks PEP 751: Name in "
        "'evil-2.1-py3-none-any.whl' is not consistent with package name 'libx'",
    ),
    "a wheel of another version": (
        lambda d: d["packages"][1].update(version="2.2"),
        "packages[1].wheels[0] = 'libx-2.1-py3-none-any.whl': breaks PEP 751: Version in "
        "'libx-2.1-py3-none-any.whl' is not consistent with package version '2.2'",
    ),
    "a size below zero": (
        lambda d: wheel(d).update(size=-1),
        "packages[1].wheels[0].size = -1: must be a number of bytes, 0 or more",
    ),
    "a source distribution": (
        lambda d: d["packages"].append(
            {
                "name": "liby",
                "version": "1",
                "sdist": {"url": "https://r.example/liby-1.tar.gz", "hashes": {"sha256": "0"}},
            }
        ),
        "packages[2] = 'liby': must have wheels: pkl builds nothing, for that would run its code",
    ),
    "a version control system": (
        lambda d: d["packages"].append(
            {"name": "liby", "vcs": {"type": "git", "url": "https://r.example", "commit-id": "0"}}
        ),
        "packages[2] = 'liby': must have wheels: pkl builds nothing, for that would run its code",
    ),
    "an editable project elsewhere": (
        lambda d: d["packages"].append(
            {
                "name": "liby",
                "directory": {"path": "../liby", "editable": True},
                "tool": {"pkl": {"version": "1"}},
            }
        ),
        f"packages[2].directory.path = '../liby': {PLACE}",
    ),
    "a marker that is none": (
        lambda d: d["packages"][1].update(marker="python_version >"),
        "packages[1].marker = 'python_version >': breaks PEP 751: Expected a marker variable or "
        "quoted string\n    python_version >\n                    ^",
    ),
    "a manifest with faults": (
        lambda d: plugin(d).update(requires=["auth=1"], critical=3),
        "packages[0].tool.pkl.plugins[0].critical = 3: must be true or false",
    ),
    "a plugin of two distributions": (
        lambda d: d["packages"][1].update(tool={"pkl": {"plugins": [{"name": "audit"}]}}),
        "packages[1].tool.pkl.plugins = 'audit': packages[0] has a plugin of this name, too",
    ),
    "a later schema": (
        lambda d: own(d).update(schema=2),
        "tool.pkl.schema = 2: must be 1; if it was written for a later version, upgrade pkl",
    ),
    "no host": (
        lambda d: own(d).pop("host"),
        "tool.pkl.host = None: must be a string: one line of text",
    ),
    "a root that is none": (
        lambda d: own(d).update(roots=["audit"]),
        "tool.pkl.roots[0] = 'audit': must be a table",
    ),
    "a root of another name": (
        lambda d: own(d)["roots"][0].update(requirement="auth>=1"),
        "tool.pkl.roots[0].requirement = 'auth>=1': must be one of audit",
    ),
    "a root from an unknown place": (
        lambda d: own(d)["roots"][0].update(kind="git"),
        "tool.pkl.roots[0].kind = 'git': must be registry, wheel, editable",
    ),
    "a root that is there twice": (
        lambda d: own(d).update(roots=own(d)["roots"] * 2),
        "tool.pkl.roots = 'audit': must be there only once",
    ),
    "a root upwards": (
        lambda d: own(d)["roots"][0].update(kind="editable", path="../audit"),
        f"tool.pkl.roots[0].path = '../audit': {PLACE}",
    ),
    "a registry of another scheme": (
        lambda d: own(d)["registries"][0].update(url="git://r.example"),
        f"tool.pkl.registries[0].url = 'git://r.example': {URL}it is no https:// URL, and there is "
        "no such directory",
    ),
    "a serial below zero": (
        lambda d: own(d)["registries"][0].update(serial=-4),
        "tool.pkl.registries[0].serial = -4: must be a whole number, 0 or more",
    ),
    "a consent to a table": (
        lambda d: own(d)["consents"]["audit"].update({"dependency:x": {"a": 1}}),
        "tool.pkl.consents.audit.'dependency:x' = {'a': 1}: must be true, a number, a text or a "
        "list of texts",
    ),
    "consents of a plugin that cannot be": (
        lambda d: own(d)["consents"].update({"Audit Log": {"net-udp": True}}),
        "tool.pkl.consents.'Audit Log' = 'Audit Log': must be a name in small letters and with "
        "single hyphens",
    ),
    "an order that is no list": (
        lambda d: own(d).update(order="audit"),
        "tool.pkl.order = 'audit': must be a list",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_no_lock_of_pkl_says_is_refused_with_its_place(case: str) -> None:
    change, fault = HOSTILE[case]
    assert fault in faults_of(changed(change))


def test_every_fault_is_named_at_once() -> None:
    def change(document: Document) -> None:
        wheel(document)["hashes"] = {"md5": "0"}
        own(document)["registries"][0]["url"] = "git://r.example"
        plugin(document)["critical"] = 3

    with pytest.raises(LockInvalid) as caught:
        parse_lock(changed(change), f"/project/{LOCK_FILE}")
    first, *rest = caught.value.message.split("\n")
    assert first == f"the lock /project/{LOCK_FILE} cannot be used (3 faults)"
    assert len(rest) == 3 and all(line.startswith("  ") for line in rest)
    assert caught.value.hint == "make it anew: pkl lock"
    assert len(caught.value.details["faults"]) == 3


def test_a_lock_of_another_tool_is_refused_and_says_what_installs_it() -> None:
    def change(document: Document) -> None:
        document["tool"] = {"other": {}}

    with pytest.raises(LockInvalid) as caught:
        parse_lock(changed(change), f"/project/{LOCK_FILE}")
    assert caught.value.message == (
        f"/project/{LOCK_FILE} is a lock, but not one of pkl: it has no table [tool.pkl], which "
        "says for which host it is"
    )
    assert caught.value.hint == (
        f"install it as it is with: uv pip sync {LOCK_FILE}; or name another file with --lock FILE"
    )


def test_text_that_is_no_toml_is_refused_with_its_line() -> None:
    (fault,) = faults_of(TEXT + "\n[tool.pkl\n")
    assert "is not valid TOML" in fault and "[tool.pkl" in fault


def test_endless_nesting_is_refused() -> None:
    assert "is nested too deeply" in faults_of("x = " + "[" * 100_000)[0]


def test_a_lock_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_lock(str(tmp_path / LOCK_FILE)) is None


def test_a_lock_is_read_with_its_absolute_path_and_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LOCK_FILE).write_bytes(TEXT.encode())
    monkeypatch.chdir(tmp_path)
    lock = read_lock(LOCK_FILE)
    assert lock is not None and lock.path == os.path.join(os.getcwd(), LOCK_FILE)
    assert lock.digest == parse_lock(TEXT, "/elsewhere").digest


def test_what_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / LOCK_FILE
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(LockInvalid, match="must be UTF-8"):
        read_lock(str(file))
    monkeypatch.setattr(lock_reading, "MAX_LOCK", 10)
    file.write_text(TEXT)
    with pytest.raises(LockInvalid, match="must not have more than 10 bytes"):
        read_lock(str(file))


def test_a_directory_is_no_lock(tmp_path: Path) -> None:
    with pytest.raises(LockInvalid, match="cannot be read: ") as caught:
        read_lock(str(tmp_path))
    assert "--lock FILE" in caught.value.hint


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=4,
)


def paths_of(value: Any, *above: Any) -> "List[tuple[Any, ...]]":
    """The way to every value of a document."""
    pairs: Any = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list) else pairs
    return [above, *(way for key, each in pairs for way in paths_of(each, *above, key))]


WAYS = [way for way in paths_of(tomllib.loads(TEXT)) if way]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WAYS), VALUES)
def test_any_value_anywhere_is_read_or_refused_and_never_a_crash(
    way: "tuple[Any, ...]", value: Any
) -> None:
    document = tomllib.loads(TEXT)
    at: Any = document
    for key in way[:-1]:
        at = at[key]
    if value is None:
        del at[way[-1]]
    else:
        at[way[-1]] = value
    try:
        text = "\n".join(toml_table(document))
    except ValueError:
        return
    try:
        parse_lock(text, f"/project/{LOCK_FILE}")
    except LockInvalid as error:
        assert error.message and error.hint
