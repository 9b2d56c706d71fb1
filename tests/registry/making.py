"""Wheels, keys and an ``ssh-keygen`` for tests of registries."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional

from pkl.discovery.wheel import read_wheel
from pkl.registry.builder import Builder
from pkl.registry.signing import SshKeygen
from tests.discovery.fakes import plugin, zip_up

__all__ = ["LONG_AGO", "NOW", "FakeKeygen", "builder", "has_ssh_keygen", "make_key", "wheel"]

NOW = 1_795_575_600.0
"""2026-11-25, 03:00 UTC."""
LONG_AGO = NOW - 86400
GROUPS = ("pkl.plugins",)
_WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    manifest: str = "",
    *,
    tags: str = "py3-none-any",
    file: str = "",
    **more: Any,
) -> Path:
    """A wheel with a plugin of the distribution's name, last changed long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    extra = {"WHEEL": _WHEEL, **more.pop("extra", {})}
    with tempfile.TemporaryDirectory() as site:
        plugin(Path(site), name, version, manifest, extra=extra, **more)
        stem = f"{name.replace('-', '_')}-{version}-{tags}"
        made = zip_up(Path(site), folder / (file or f"{stem}.whl"))
    os.utime(made, (LONG_AGO, LONG_AGO))
    return made


def builder(root: Path, now: float = NOW, keygen: Optional[SshKeygen] = None) -> Builder:
    """What makes a registry at a fixed time."""
    return Builder(
        str(root),
        GROUPS,
        lambda path: read_wheel(path, GROUPS),
        lambda: now,
        keygen or SshKeygen(),
    )


def make_key(folder: Path, name: str = "key", *, real: bool = False) -> Path:
    """A key pair; the public one has the name with ``.pub`` behind it."""
    path = folder / name
    if real:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path
    blob = b"".join(_string(each) for each in (b"ssh-ed25519", os.urandom(32)))
    line = f"ssh-ed25519 {base64.b64encode(blob).decode()}"
    path.write_text(f"fake key: {line}\n")
    (folder / f"{name}.pub").write_text(f"{line} somebody\n")
    return path


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


class FakeKeygen:
    """A program that speaks as ``ssh-keygen -Y`` does, over keys that hide nothing.

    Its signatures have the form of SSHSIG, with a digest of key, namespace and data in the place
    of a signature.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ssh-keygen"
        self.path.write_text(f"#!{sys.executable} -IS\n{_PROGRAM}")
        self.path.chmod(0o755)


_PROGRAM = r"""
import base64, hashlib, sys

def string(data):
    return len(data).to_bytes(4, "big") + data

def seal(blob, namespace, data):
    digest = hashlib.sha512(blob + namespace + data).digest()
    parts = [blob, namespace, b"", b"sha512", string(b"ssh-ed25519") + string(digest)]
    whole = b"SSHSIG\0\0\0\1" + b"".join(map(string, parts))
    lines = base64.encodebytes(whole).decode()
    return "-----BEGIN SSH SIGNATURE-----\n" + lines + "-----END SSH SIGNATURE-----\n"

arguments = sys.argv[1:]
options = dict(zip(arguments[::2], arguments[1::2]))
if arguments[0] == "-y":
    words = open(arguments[2]).read().split()
    if words[:2] != ["fake", "key:"]:
        sys.exit("error in libcrypto: unsupported")
    print(*words[2:4])
    sys.exit(0)
namespace = options["-n"].encode()
data = sys.stdin.buffer.read()
if options["-Y"] == "sign":
    words = open(options["-f"]).read().split()
    if words[:2] != ["fake", "key:"]:
        sys.exit("Load key: invalid format")
    sys.stdout.write(seal(base64.b64decode(words[3]), namespace, data))
else:
    principal, allowed, algorithm, key = open(options["-f"]).read().split()
    assert principal == options["-I"] and allowed == 'namespaces="%s"' % options["-n"]
    if open(options["-s"]).read() != seal(base64.b64decode(key), namespace, data):
        sys.exit("Signature verification failed: incorrect signature")
    print("Good signature")
"""


def has_ssh_keygen() -> bool:
    """Whether the real one is here."""
    return shutil.which("ssh-keygen") is not None
