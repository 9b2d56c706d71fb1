"""The text of a lock: what PEP 751 asks for, the same for the same solution."""

from __future__ import annotations

import random
import sys
from pathlib import PurePath
from typing import Any, Dict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.pylock import Pylock, is_valid_pylock_path

from pkl.errors import UsageError
from pkl.install.locks.lock import LOCK_FILE, LockedRegistry
from pkl.install.solution import Chosen
from pkl.install.wanted import Root, RootKind
from tests.install.lock.making import (
    MAIN,
    a_host,
    a_library,
    a_lock,
    a_plugin,
    a_solution,
    a_wheel,
    reparsed,
    text_of,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AUDIT = a_plugin(
    "audit",
    "1.1",
    "libx>=2",
    "acme-auth>=1",
    'tomli; python_version < "3"',
    tags=("cp311-cp311-win_amd64", "py3-none-any"),
    requires=["auth>=1"],
    requires_python=">=3.9",
    permissions={"fs-read": ["$data"], "net-udp": True},
    activation=["event:auth.user_login"],
    limits={"memory": "256MiB"},
)
AUTH = a_plugin("auth", "1.0.0")
LIBX = a_library("libx", "2.1")

WHOLE = """\
# Made by pkl: "pkl lock" renews it, "pkl sync" installs it, and so do pip and uv.
lock-version = "1.0"
environments = ["python_version >= \\"3\\""]
requires-python = ">=3.9"
created-by = "pkl"

[[packages]]
name = "acme-audit"
version = "1.1"
requires-python = ">=3.9"
dependencies = [
    { name = "acme-auth" },
    { name = "libx" },
]
index = "https://plugins.example/r/simple"
wheels = [
    { name = "acme_audit-1.1-cp311-cp311-win_amd64.whl", upload-time = 2026-11-25T03:00:00Z, \
url = "https://plugins.example/r/files/acme_audit-1.1-cp311-cp311-win_amd64.whl", size = 1040, \
hashes = { sha256 = "{audit_win}" } },
    { name = "acme_audit-1.1-py3-none-any.whl", upload-time = 2026-11-25T03:00:00Z, \
url = "https://plugins.example/r/files/acme_audit-1.1-py3-none-any.whl", size = 1031, \
hashes = { sha256 = "{audit}" } },
]

[packages.tool.pkl]
requires = ["libx>=2", "acme-auth>=1", "tomli; python_version < \\"3\\""]
registry = "main"
signer = "SHA256:abc"
plugins = [
    { name = "audit", version = "1.1", requires = ["auth>=1"], requires-python = ">=3.9", \
activation = ["event:auth.user_login"], permissions = { fs-read = ["$data"], net-udp = true }, \
limits = { memory = "256MiB" } },
]

[[packages]]
name = "acme-auth"
version = "1.0.0"
index = "https://plugins.example/r/simple"
wheels = [
    { name = "acme_auth-1.0.0-py3-none-any.whl", upload-time = 2026-11-25T03:00:00Z, \
url = "https://plugins.example/r/files/acme_auth-1.0.0-py3-none-any.whl", size = 1032, \
hashes = { sha256 = "{auth}" } },
]

[packages.tool.pkl]
registry = "main"
signer = "SHA256:abc"
plugins = [
    { name = "auth", version = "1.0.0" },
]

[[packages]]
name = "libx"
version = "2.1"
index = "https://plugins.example/r/simple"
wheels = [
    { name = "libx-2.1-py3-none-any.whl", upload-time = 2026-11-25T03:00:00Z, \
url = "https://plugins.example/r/files/libx-2.1-py3-none-any.whl", size = 1025, \
hashes = { sha256 = "{libx}" } },
]

[packages.tool.pkl]
registry = "main"
signer = "SHA256:abc"

[tool.pkl]
schema = 1
host = "shop"
group = "shop.plugins"
order = ["auth", "audit"]
roots = [
    { name = "audit", requirement = "audit>=1", kind = "registry" },
]

[tool.pkl.consents.audit]
fs-read = ["$data"]
net-udp = true

[[tool.pkl.registries]]
name = "main"
url = "https://plugins.example/r"
keys = ["SHA256:abc"]
serial = 4
digest = "{digest}"
"""
CONSENTS = {"audit": {"net-udp": True, "fs-read": ["$data"]}, "gone": {"net-udp": True}}


def whole() -> str:
    """``WHOLE`` with its digests."""
    digests = {
        "audit_win": AUDIT.wheels[0].sha256,
        "audit": AUDIT.wheels[1].sha256,
        "auth": AUTH.wheels[0].sha256,
        "libx": LIBX.wheels[0].sha256,
        "digest": "b" * 64,
    }
    text = WHOLE
    for name, digest in digests.items():
        text = text.replace("{" + name + "}", digest)
    return text


def test_a_lock_is_written_as_the_documentation_shows_it() -> None:
    solution = a_solution(AUDIT, AUTH, LIBX, roots=[Root("audit", "audit>=1")])
    other = LockedRegistry("unused", "https://other.example")
    text = text_of(solution, registries=[other, MAIN], consents=CONSENTS)
    assert text == whole()


def test_the_same_solution_gives_the_same_bytes_in_any_order() -> None:
    roots = [Root("audit", "audit"), Root("auth", "auth>=1")]
    first = text_of(a_solution(AUDIT, AUTH, LIBX, roots=roots), consents=CONSENTS)
    rng = random.Random(7)
    for _ in range(5):
        chosen = [AUDIT, AUTH, LIBX]
        rng.shuffle(chosen)
        rng.shuffle(roots)
        again = a_solution(*chosen, roots=roots)
        shuffled = dict(reversed(list(CONSENTS.items())))
        assert text_of(again, consents=shuffled) == first


def test_it_is_a_valid_lock_to_packaging() -> None:
    assert is_valid_pylock_path(PurePath(LOCK_FILE))  # type: ignore[arg-type]
    document = tomllib.loads(whole())
    lock = Pylock.from_dict(document)
    lock.validate()
    assert lock.to_dict()["tool"] == document["tool"]
    files = [getattr(source, "filename", "") for _, source in lock.select()]
    assert files == [each.wheels[-1].file for each in (AUDIT, AUTH, LIBX)]


def test_what_is_read_back_writes_the_same_text() -> None:
    lock = reparsed(whole())
    assert [each.name for each in lock.packages] == ["acme-audit", "acme-auth", "libx"]
    assert lock.versions == {"audit": "1.1", "auth": "1.0.0"}
    assert lock.distributions == {"acme-audit": "1.1", "acme-auth": "1.0.0", "libx": "2.1"}
    assert (lock.host, lock.group, lock.order) == ("shop", "shop.plugins", ("auth", "audit"))
    assert lock.roots == (Root("audit", "audit>=1"),)
    assert lock.registries == (MAIN,) and lock.registry("main") == MAIN
    assert lock.consents == {"audit": {"fs-read": ["$data"], "net-udp": True}}
    assert lock.packages[0].wheels == AUDIT.wheels
    assert lock.packages[0].plugins[0].permissions == AUDIT.plugins[0].permissions
    again = a_solution(*lock.packages, roots=lock.roots)
    assert text_of(again, registries=lock.registries, consents=lock.consents) == whole()


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(WORDS.filter(str.strip), st.dictionaries(WORDS, st.booleans() | WORDS, max_size=2))
def test_whatever_a_manifest_or_a_host_is_called_reads_back(
    name: str, contributes: Dict[str, Any]
) -> None:
    odd = a_plugin("odd", summary=name, contributes=contributes, permissions={"exec": ["git"]})
    host = a_host()._replace(name=name)
    lock = a_lock(odd, host=host)
    assert lock.host == name
    assert lock.packages[0].plugins[0].permissions == {"exec": ("git",)}


def test_files_below_the_lock_have_paths_and_others_their_url() -> None:
    near = a_wheel("near", "1.0", base="file:///project/my%20wheels")
    far = a_wheel("far", "1.0", base="file:///elsewhere")
    chosen = [
        Chosen("near", "1.0", near, (near,)),
        Chosen("far", "1.0", far, (far,)),
    ]
    text = text_of(a_solution(*chosen), "/project")
    assert 'path = "my wheels/near-1.0-py3-none-any.whl"' in text
    assert 'url = "file:///elsewhere/far-1.0-py3-none-any.whl"' in text
    assert [each.wheels[0] for each in reparsed(text).packages] == [far, near]
    moved = reparsed(text, "/other/place").packages[1].wheels[0]
    assert moved.url == "file:///other/place/my%20wheels/near-1.0-py3-none-any.whl"


def test_an_editable_project_is_a_directory_without_a_stable_version() -> None:
    mine = a_plugin("mine", "0.3", editable="/project/plugins/mine")
    roots = [Root("mine", "mine", RootKind.EDITABLE, "/project/plugins/mine")]
    text = text_of(a_solution(mine, roots=roots))
    package = tomllib.loads(text)["packages"][0]
    assert package["directory"] == {"path": "plugins/mine", "editable": True}
    assert "version" not in package
    Pylock.from_dict(tomllib.loads(text)).validate()
    lock = reparsed(text)
    assert lock.packages == (mine,)
    assert lock.roots == tuple(roots)


def test_an_editable_project_elsewhere_cannot_be_locked() -> None:
    mine = a_plugin("mine", "0.3", editable="/elsewhere/mine")
    with pytest.raises(UsageError) as caught:
        text_of(a_solution(mine))
    assert caught.value.message == (
        "the lock would lie in /project, and cannot name the editable project /elsewhere/mine, "
        "which is outside of it"
    )
    assert "pkl uninstall mine" in caught.value.hint and "--lock FILE" in caught.value.hint


def test_a_wheel_that_somebody_named_is_a_root_with_its_place() -> None:
    roots = [
        Root("auth", "auth", RootKind.WHEEL, "/project/dist/acme_auth-1.0.0-py3-none-any.whl"),
        Root("audit", "audit", RootKind.WHEEL, "/else/acme_audit-1.1-py3-none-any.whl"),
    ]
    text = text_of(a_solution(AUDIT, AUTH, LIBX, roots=roots))
    assert 'path = "dist/acme_auth-1.0.0-py3-none-any.whl"' in text
    assert 'path = "file:///else/acme_audit-1.1-py3-none-any.whl"' in text
    assert sorted(reparsed(text).roots) == sorted(roots)


def test_an_empty_solution_is_a_valid_lock() -> None:
    text = text_of(a_solution())
    Pylock.from_dict(tomllib.loads(text)).validate()
    assert reparsed(text).packages == ()
