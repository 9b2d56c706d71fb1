"""Whether a registry holds what it states: every page, wheel and digest, and its signature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Optional, Protocol, Set, Tuple

from ..errors import RegistryAbsent, RegistryError, SignatureRefused
from .keys import PublicKey, read_signature
from .layout import (
    INDEX,
    MAX_INDEX,
    MAX_PAGE,
    MAX_REVOKED,
    MAX_SIGNATURE,
    REVOKED,
    SIGNATURE,
    file_path,
    page_path,
)
from .model import Index, WheelFile
from .schema import parse_page, parse_revoked
from .trust import Accepted, Known, Verifier, accept_index, check_content

__all__ = ["Source", "Verified", "verify"]


class Source(Protocol):
    """Where the files of a registry are read from."""

    def read(self, name: str, limit: int) -> Optional[bytes]:
        """The content of a file; None if there is none.

        Args:
            name: The file, relative to the root of the registry.
            limit: The most bytes it may have.

        Raises:
            RegistryGarbage: It is larger.
        """

    def measure(self, name: str) -> Optional[Tuple[str, int]]:
        """The SHA-256 of a file, in hex, and its size; None if there is none."""


@dataclass
class Verified:
    """What came of a registry that was looked through.

    Attributes:
        accepted: Its index.
        signer: The key that signed it; None if it is not signed.
        pinned: Whether that key was one that the caller knows.
        pages: How many pages of plugins hold.
        wheels: How many wheels hold.
        problems: What does not, each with the file it is about.
    """

    accepted: Accepted
    signer: Optional[PublicKey]
    pinned: bool
    pages: int = 0
    wheels: int = 0
    problems: List[Tuple[str, str]] = field(default_factory=list)

    @property
    def index(self) -> Index:
        """What the index says."""
        return self.accepted.index


def verify(source: Source, known: Known, *, now: float, verifier: Verifier) -> Verified:
    """Looks through a whole registry.

    Args:
        source: Its files.
        known: What is known of it; without keys, a signature has to be of the key it claims.
        now: The time, in seconds since 1970.
        verifier: What tells whether a signature holds.

    Raises:
        RegistryAbsent: There is no index.
        RegistryError: The index is not to be taken.
    """
    data = source.read(INDEX, MAX_INDEX)
    if data is None:
        raise RegistryAbsent(
            f"there is no registry in {known.url}: it has no {INDEX}",
            url=known.url,
            registry=known.registry,
            hint="correct the address, or make one with: pkl registry build DIR",
        )
    signature = source.read(SIGNATURE, MAX_SIGNATURE)
    pinned = bool(known.keys)
    if not pinned and signature is not None:
        known = Known(known.url, known.registry, _claimed(signature), known.seen)
    accepted = accept_index(data, signature, known, now=now, verifier=verifier)
    found = Verified(accepted, accepted.signer, pinned)
    try:
        parse_revoked(_covered(source, REVOKED, MAX_REVOKED, found.index.revoked, known))
    except RegistryError as e:
        found.problems.append((REVOKED, e.message))
    seen: Set[str] = set()
    for entry in found.index.plugins.values():
        name = page_path(entry.name)
        try:
            data = _covered(source, name, MAX_PAGE, entry.sha256, known)
            page = parse_page(data, entry.name, url=f"{known.url}/{name}")
        except RegistryError as e:
            found.problems.append((name, e.message))
            continue
        found.pages += 1
        files = [each for release in page.releases for each in release.files]
        for wheel in files:
            if wheel.file in seen:
                continue
            seen.add(wheel.file)
            name = file_path(wheel.file)
            problem = _objection(source.measure(name), wheel)
            if problem:
                found.problems.append((name, problem))
            else:
                found.wheels += 1
    return found


def _claimed(signature: bytes) -> Tuple[PublicKey, ...]:
    """The key that a signature claims to be of; none if it is no signature."""
    try:
        return (read_signature(signature).key,)
    except ValueError as e:
        raise SignatureRefused(
            f"{SIGNATURE} is no signature: {e}",
            hint="pkl registry sign DIR --key FILE",
            why="damaged",
        ) from None


def _covered(source: Source, name: str, limit: int, sha256: str, known: Known) -> bytes:
    """A file whose digest another one states.

    Raises:
        RegistryAbsent: It is not there.
        RegistryGarbage: It has another digest.
    """
    data = source.read(name, limit)
    if data is None:
        raise RegistryAbsent(f"{name} is not there", url=f"{known.url}/{name}")
    check_content(data, sha256, name, known, url=f"{known.url}/{name}")
    return data


def _objection(found: Optional[Tuple[str, int]], wheel: WheelFile) -> str:
    """Why a wheel is not the one that its page states; empty if it is."""
    if found is None:
        return f"{wheel.file} is not there"
    sha256, size = found
    if size != wheel.size:
        return f"{wheel.file} has {size} bytes, and {wheel.size} are stated"
    if sha256 != wheel.sha256:
        return f"{wheel.file} has the SHA-256 {sha256}, and {wheel.sha256} is stated"
    return ""
