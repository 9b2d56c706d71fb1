"""What the files of a registry say, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ..model.manifest import PluginMetadata
from ..model.requirement import version_key
from .keys import PublicKey

__all__ = [
    "Index",
    "IndexEntry",
    "Page",
    "Release",
    "Revocation",
    "Revocations",
    "Rotation",
    "WheelFile",
]


class IndexEntry(NamedTuple):
    """What the index says of one plugin.

    Attributes:
        name: Its canonical name.
        summary: One line on what it does; may be empty.
        latest: Its highest version that is not withdrawn, a pre-release only if there is no
            other; None if every version is withdrawn.
        sha256: The digest of its page, in hex.
        provides: The capabilities that any version of it provides, by canonical name, sorted.
        distribution: The canonical name of what carries it; its own name where none is stated.
    """

    name: str
    summary: str
    latest: Optional[str]
    sha256: str
    provides: Tuple[str, ...] = ()
    distribution: str = ""


class Rotation(NamedTuple):
    """A statement that one key takes the place of another, signed by the other."""

    old: PublicKey
    new: PublicKey
    signature: str
    """The signature of the old key over ``text`` (SSHSIG, armoured)."""

    @property
    def text(self) -> bytes:
        """What the old key signs."""
        return f"pkl-registry rotation\nold {self.old}\nnew {self.new}\n".encode("ascii")


@dataclass(frozen=True)
class Index:
    """The root of a registry, from which everything in it is covered.

    Attributes:
        serial: Grows with every change, and never shrinks.
        expires: Until when it is good, in seconds since 1970; None for ever.
        revoked: The digest of ``revoked.json``, in hex.
        plugins: What it says of each plugin, by canonical name.
        rotations: Which keys took the place of which, the oldest first.
        simple: The digest of the package index (``simple/index.v1.json``), in hex, by which all
            wheels of libraries are covered, too; empty if it states none.
        sha256: The digest of the index itself, in hex.
    """

    serial: int
    expires: Optional[int]
    revoked: str
    plugins: Mapping[str, IndexEntry]
    rotations: Tuple[Rotation, ...] = ()
    simple: str = ""
    sha256: str = ""


class WheelFile(NamedTuple):
    """One wheel of a version.

    Attributes:
        file: Its name in ``files/``.
        sha256: Its digest, in hex.
        size: How many bytes it has.
        uploaded: When it came into the registry, in seconds since 1970.
    """

    file: str
    sha256: str
    size: int
    uploaded: int


@dataclass(frozen=True)
class Release:
    """One version of a plugin.

    Attributes:
        metadata: What its manifest says as far as the page has it.
        files: Its wheels: one, or one for each platform.
        yanked: Why nobody should choose it any more (PEP 592), or None.
    """

    metadata: PluginMetadata
    files: Tuple[WheelFile, ...]
    yanked: Optional[str] = None

    @property
    def version(self) -> str:
        """Its version, as it was written."""
        return self.metadata.version


@dataclass(frozen=True)
class Page:
    """Every version of one plugin.

    Attributes:
        name: The canonical name of the plugin.
        distribution: What pip installs it from.
        releases: Its versions, the highest first.
    """

    name: str
    distribution: str
    releases: Tuple[Release, ...]

    def release(self, version: str) -> Optional[Release]:
        """The release of exactly this version text; None if there is none."""
        return next((each for each in self.releases if each.version == version), None)


class Revocation(NamedTuple):
    """A version that must not run.

    Attributes:
        name: The canonical name of the plugin.
        version: The version.
        distribution: What carries it, or empty if that is not known.
        reason: Why, in a line for whoever runs it.
        since: When it was revoked, in seconds since 1970.
    """

    name: str
    version: str
    distribution: str
    reason: str
    since: int


@dataclass(frozen=True)
class Revocations:
    """The versions that must not run, by plugin and version text."""

    entries: Mapping[str, Mapping[str, Revocation]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def of(self, name: str, version: str) -> Optional[Revocation]:
        """Why this version of a plugin must not run, or None.

        Args:
            name: The canonical name of the plugin.
            version: Its version; ``1.0`` and ``1.0.0`` are the same one (PEP 440).
        """
        listed = self.entries.get(name)
        if not listed:
            return None
        wanted = version_key(version)
        return next((each for v, each in listed.items() if version_key(v) == wanted), None)

    def with_entry(self, entry: Revocation) -> "Revocations":
        """These and one more, which takes the place of one of the same version."""
        held = self.of(entry.name, entry.version)
        entries: Dict[str, Dict[str, Any]] = {n: dict(v) for n, v in self.entries.items()}
        if held is not None:
            del entries[entry.name][held.version]
        entries.setdefault(entry.name, {})[entry.version] = entry
        return Revocations(entries)
