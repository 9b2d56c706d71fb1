"""Writing a registry in safe order, and signing it.

Whoever reads meanwhile never finds an index that names what is not there: the index is written
last, its signature right behind it, and what is not named any more goes after that. If nothing
changes nothing is written; every change raises the serial by one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, Mapping, Optional, Sequence

from ..errors import SignatureRefused
from .assembling import Assembled, latest_of
from .expiry import Expiry
from .folder import RegistryFolder
from .keys import PublicKey, read_signature
from .layout import (
    INDEX,
    MAX_INDEX,
    MAX_SIGNATURE,
    PAGES,
    REVOKED,
    SIGNATURE,
    SIMPLE,
    SIMPLE_ROOT,
    page_path,
)
from .model import Index, Revocations, Rotation
from .signing import SshKeygen
from .simple import (
    HTML_NAME,
    JSON_NAME,
    SimpleFile,
    project_html,
    project_json,
    root_html,
    root_json,
)
from .writing import dump_index, dump_page, dump_revoked

__all__ = ["Published", "Publisher"]


@dataclass(frozen=True)
class Published:
    """What a registry came to.

    Attributes:
        index: The index as it is now.
        changed: Whether anything in the registry changed.
        signer: The key that the index is signed with, or None.
        unsigned: Whether it was signed before, and is not any more.
    """

    index: Index
    changed: bool
    signer: Optional[PublicKey] = None
    unsigned: bool = False


@dataclass(frozen=True)
class Publisher:
    """Writes the registry in a folder; the caller holds its lock.

    Attributes:
        folder: The folder.
        clock: What time it is, in seconds since 1970.
        keygen: What signs.
    """

    folder: RegistryFolder
    clock: Callable[[], float]
    keygen: SshKeygen = field(default_factory=SshKeygen)

    def publish(
        self,
        whole: Assembled,
        revoked: Revocations,
        before: Optional[Index],
        *,
        key: Optional[str],
        expires: Optional[Expiry] = None,
        serial: int = 1,
    ) -> Published:
        """Writes what changed.

        Args:
            whole: What the registry holds.
            revoked: What must not run.
            before: The index that is there, or None.
            key: The key to sign with, or None.
            expires: Until when the index is to be good; None leaves that as it is.
            serial: The least serial the index may get.

        Raises:
            SignatureRefused: The key does not sign, or clients do not take it any more; nothing
                was changed.
            OSError: Something cannot be written; the old index is untouched.
        """
        pages = {name: dump_page(page) for name, page in whole.pages.items()}
        withdrawn = dump_revoked(revoked)
        entries = {
            name: latest_of(page, _sha256(pages[name])) for name, page in whole.pages.items()
        }
        package_index = _package_index(whole.projects)
        index = Index(
            0,
            None,
            _sha256(withdrawn),
            entries,
            () if before is None else before.rotations,
            _sha256(package_index[SIMPLE_ROOT]),
        )
        index = self._numbered(index, before, expires, serial)
        # Signed before anything is written: who mistypes a passphrase has changed nothing.
        signature = self._signature(index, before, key)
        written = {page_path(name): data for name, data in pages.items()}
        written[REVOKED] = withdrawn
        written.update(package_index)
        changed = [self.folder.write(name, data) for name, data in written.items()]
        found = self._finish(index, before, signature)
        swept = self._sweep(pages, whole.projects)
        return replace(found, changed=found.changed or swept or any(changed))

    def sign(self, index: Index, key: str) -> Published:
        """Signs the index that is there.

        Raises:
            SignatureRefused: The key does not sign, or clients do not take it any more.
        """
        return self._finish(index, index, self._signature(index, index, key))

    def rotate(self, index: Index, old: str, new: str) -> Published:
        """Puts a new key in the place of the old, and signs with the new.

        Args:
            index: The index that is there.
            old: The key that clients have pinned.
            new: The key that is to take its place.

        Raises:
            SignatureRefused: A key does not sign, or the old is not the one that clients take.
        """
        first, second = self.keygen.public_key(old), self.keygen.public_key(new)
        self._refuse_replaced(index, first, old)
        bare = Rotation(first, second, "")
        statement = bare._replace(signature=self.keygen.sign(bare.text, old).decode("ascii"))
        after = replace(
            index, serial=index.serial + 1, rotations=(*index.rotations, statement), sha256=""
        )
        after = replace(after, sha256=_sha256(dump_index(after)))
        return self._finish(after, index, self._signature(after, index, new))

    def _numbered(
        self, index: Index, before: Optional[Index], expires: Optional[Expiry], serial: int
    ) -> Index:
        """The index with its serial and expiry: the one from before, if nothing changes."""
        until = None
        if before is not None:
            same = replace(before, serial=0, expires=None, sha256="") == replace(index, sha256="")
            # One that another program wrote may say the same in other bytes.
            same = same and _sha256(dump_index(before)) == before.sha256
            until = before.expires
            if expires is not None:
                until = expires.of(before.expires, self.clock(), not same)
            if same and until == before.expires and before.serial >= serial:
                return before
        elif expires is not None:
            until = expires.of(None, self.clock(), True)
        number = max(serial, 1 if before is None else before.serial + 1)
        index = replace(index, serial=number, expires=until)
        return replace(index, sha256=_sha256(dump_index(index)))

    def _signature(
        self, index: Index, before: Optional[Index], key: Optional[str]
    ) -> Optional[bytes]:
        """The signature of the index: the one that is there, if it does."""
        there = self.folder.read(SIGNATURE, MAX_SIGNATURE)
        if key is None:
            return there if before is not None and index.sha256 == before.sha256 else None
        public = self.keygen.public_key(key)
        self._refuse_replaced(index, public, key)
        data = dump_index(index)
        if before is not None and index.sha256 == before.sha256:
            data = self.folder.read(INDEX, MAX_INDEX) or data
            own = there is not None and _claims(there) == public
            if there is not None and own and not self.keygen.verify(data, there, public):
                return there
        return self.keygen.sign(data, key)

    def _refuse_replaced(self, index: Index, public: PublicKey, file: str) -> None:
        for each in reversed(index.rotations):
            if public == each.new:
                return
            if public == each.old:
                raise SignatureRefused(
                    f"the key {file} ({public.fingerprint}) was replaced by {each.new.fingerprint};"
                    " clients would refuse what it signs",
                    file=file,
                    hint="sign with the new key",
                    why="replaced",
                )

    def _finish(
        self, index: Index, before: Optional[Index], signature: Optional[bytes]
    ) -> Published:
        was_signed = self.folder.read(SIGNATURE, MAX_SIGNATURE)
        new_index = before is None or index.sha256 != before.sha256
        if new_index:
            self.folder.write(INDEX, dump_index(index))
        if signature is not None:
            self.folder.write(SIGNATURE, signature)
        elif was_signed is not None:
            self.folder.remove(SIGNATURE)
        signer = None if signature is None else _claims(signature)
        unsigned = was_signed is not None and signature is None
        return Published(index, new_index or signature != was_signed, signer, unsigned)

    def _sweep(self, pages: Mapping[str, bytes], projects: Mapping[str, object]) -> bool:
        """Removes the pages of what is there no more; wheels stay, for locks may name them."""
        gone = [
            f"{PAGES}/{name}"
            for name in self.folder.names(PAGES)
            if name.endswith(".json") and name[:-5] not in pages
        ]
        gone += [
            f"{SIMPLE}/{name}/{each}"
            for name in self.folder.names(SIMPLE)
            if name not in (HTML_NAME, JSON_NAME, *projects)
            for each in (HTML_NAME, JSON_NAME)
        ]
        for name in gone:
            self.folder.remove(name)
        return bool(gone)


def _package_index(projects: Mapping[str, Sequence[SimpleFile]]) -> Dict[str, bytes]:
    """The files of the package index, those of single distributions first."""
    found: Dict[str, bytes] = {}
    digests: Dict[str, str] = {}
    for name, files in projects.items():
        data = project_json(name, files)
        digests[name] = _sha256(data)
        found[f"{SIMPLE}/{name}/{HTML_NAME}"] = project_html(name, files)
        found[f"{SIMPLE}/{name}/{JSON_NAME}"] = data
    found[f"{SIMPLE}/{HTML_NAME}"] = root_html(projects)
    found[SIMPLE_ROOT] = root_json(digests)
    return found


def _claims(signature: bytes) -> Optional[PublicKey]:
    """The key that a signature claims to be of."""
    try:
        return read_signature(signature).key
    except ValueError:
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
