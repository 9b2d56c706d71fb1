"""A small registry made in memory, the keys of those who sign it, and clients that read it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any, Dict, Optional

from pkl.model.manifest import PluginMetadata
from pkl.model.requirement import version_key
from pkl.registry.keys import NAMESPACE, PublicKey, parse_public_key
from pkl.registry.layout import INDEX, REVOKED, SIGNATURE, file_path, page_path
from pkl.registry.model import (
    Index,
    IndexEntry,
    Page,
    Release,
    Revocation,
    Revocations,
    WheelFile,
)
from pkl.registry.writing import dump_index, dump_page, dump_revoked

__all__ = ["DAY", "NOW", "FakeVerifier", "Site", "fake_key", "fake_signature"]

NOW = 1795575600
DAY = 86_400


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def fake_key(letter: str) -> PublicKey:
    """A public key that looks like one."""
    blob = _string(b"ssh-ed25519") + _string(letter.encode("ascii") * 32)
    return parse_public_key(f"ssh-ed25519 {base64.b64encode(blob).decode('ascii')}")


def _mark(data: bytes, key: PublicKey) -> bytes:
    return hashlib.sha256(str(key).encode("ascii") + data).digest()


def fake_signature(data: bytes, key: PublicKey) -> bytes:
    """What ``FakeVerifier`` takes for a signature, in the armour of a real one."""
    blob = b"SSHSIG\0\0\0\1" + _string(base64.b64decode(key.body))
    blob += _string(NAMESPACE.encode("ascii")) + _string(b"") + _string(b"sha512")
    body = base64.b64encode(blob + _string(_mark(data, key)))
    return b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"


class FakeVerifier:
    """Stands in for ``ssh-keygen``: a signature is a digest over key and data."""

    def verify(self, data: bytes, signature: bytes, key: PublicKey) -> str:
        """Why it does not hold; empty if it does."""
        return "" if signature == fake_signature(data, key) else "incorrect signature"


class Site:
    """What a registry holds; ``files`` is what a server would have of it.

    Attributes:
        serial: The serial of its index.
        expires: Until when its index is good.
        key: Who signs it, or None.
        revoked: What it revoked.
        lies: What a server has in place of the files, by the path it is asked for.
    """

    def __init__(self) -> None:
        self.serial = 1
        self.expires: Optional[int] = NOW + 30 * DAY
        self.key: Optional[PublicKey] = None
        self.revoked = Revocations()
        self.pages: Dict[str, Page] = {}
        self.wheels: Dict[str, bytes] = {}
        self.lies: Dict[str, bytes] = {}

    def add(
        self,
        name: str,
        version: str = "1.0.0",
        *,
        distribution: str = "",
        yanked: Optional[str] = None,
        tags: str = "py3-none-any",
        **manifest: Any,
    ) -> WheelFile:
        """Adds a version of a plugin; gives its wheel."""
        distribution = distribution or f"acme-{name}"
        file = f"{distribution.replace('-', '_')}-{version}-{tags}.whl"
        data = f"the wheel {file}".encode("ascii")
        wheel = WheelFile(file, hashlib.sha256(data).hexdigest(), len(data), NOW - DAY)
        said = {key.replace("_", "-"): value for key, value in manifest.items()}
        said.setdefault("summary", "")
        metadata = PluginMetadata(
            {"name": name, "version": version, **said}, distribution=distribution
        )
        release = Release(metadata, (wheel,), yanked)
        before = self.pages[name].releases if name in self.pages else ()
        releases = sorted(
            (*before, release), key=lambda each: version_key(each.version), reverse=True
        )
        self.pages[name] = Page(name, distribution, tuple(releases))
        self.wheels[file] = data
        return wheel

    def revoke(self, name: str, version: str, reason: str = "", distribution: str = "") -> None:
        """Says that a version must not run."""
        entry = Revocation(name, version, distribution, reason, NOW - DAY)
        self.revoked = self.revoked.with_entry(entry)

    def index(self) -> Index:
        """Its index."""
        entries = {}
        for name, page in self.pages.items():
            latest = next((each.version for each in page.releases if each.yanked is None), None)
            digest = hashlib.sha256(dump_page(page)).hexdigest()
            summary = page.releases[0].metadata.summary
            entries[name] = IndexEntry(name, summary, latest, digest)
        revoked = hashlib.sha256(dump_revoked(self.revoked)).hexdigest()
        return Index(self.serial, self.expires, revoked, entries)

    def files(self) -> Dict[str, bytes]:
        """Every file of it, by its path."""
        index = dump_index(self.index())
        files = {INDEX: index, REVOKED: dump_revoked(self.revoked)}
        if self.key is not None:
            files[SIGNATURE] = fake_signature(index, self.key)
        files.update((page_path(name), dump_page(page)) for name, page in self.pages.items())
        files.update((file_path(file), data) for file, data in self.wheels.items())
        return files

    def served(self) -> Dict[str, bytes]:
        """Every file of it, by the path that a server is asked for."""
        return {f"/{path}": data for path, data in self.files().items()}

    def write(self, directory: Path) -> str:
        """Writes it into a directory; gives the URL of that."""
        for path, data in self.files().items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return directory.as_uri()
