"""Making a registry from a folder of wheels, and revoking versions in it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, Optional, Tuple

from ..errors import PathError, PluginNotFound, RegistryAbsent, UsageError
from ..model.requirement import is_version, version_key
from ..names import canonical, did_you_mean
from .assembling import assemble
from .expiry import Expiry
from .folder import RegistryFolder
from .gathering import Problem, ReadWheel, gather, wheels_in
from .layout import FILES, MAX_PAGE, page_path
from .model import Index, Revocation
from .publishing import Published, Publisher
from .record import RECORD, WheelRow, dump_record, load_record
from .schema import parse_page
from .signing import SshKeygen

__all__ = ["Builder", "Built"]

_MAX_RECORD = 256 * 1024 * 1024


@dataclass(frozen=True)
class Built:
    """What a build came to.

    Attributes:
        published: The registry as it is now.
        wheels: How many wheels it has.
        read: How many of them had to be read; the others had not changed.
        problems: Wheels that were left out.
        replaced: Wheels that have another content than before under the same name.
    """

    published: Published
    wheels: int
    read: int
    problems: Tuple[Problem, ...]
    replaced: Tuple[str, ...]


@dataclass(frozen=True)
class Builder:
    """Makes and changes the registry in a folder.

    Attributes:
        root: The folder.
        groups: The entry-point groups whose members are plugins.
        read: Reads a wheel.
        clock: What time it is, in seconds since 1970.
        keygen: What signs.
    """

    root: str
    groups: Tuple[str, ...]
    read: ReadWheel
    clock: Callable[[], float] = time.time
    keygen: SshKeygen = field(default_factory=SshKeygen)

    def build(
        self,
        source: str,
        *,
        key: Optional[str] = None,
        expires: Optional[Expiry] = None,
        serial: int = 1,
    ) -> Built:
        """Makes the registry of the wheels in a folder; only what changed is read and written.

        Args:
            source: The folder of wheels; where it is the registry's own, those in ``files/``
                count as well.
            key: The key to sign with, or None to leave the index unsigned.
            expires: Until when the index is to be good; None leaves that as it is.
            serial: The least serial it may get; for a registry whose index was lost.

        Raises:
            PathError: There is no such folder, or no such key.
            NameRefused: Two distributions offer a plugin of one name; the index is untouched.
            RegistryGarbage: The index that is there is damaged.
            SignatureRefused: The key does not sign; the index is untouched.
            LockTimeout: Another change of the registry is under way.
            OSError: Something cannot be read or written.
        """
        if not os.path.isdir(source):
            raise PathError(
                f"there is no folder {source}", file=source, hint="pkl registry build --help"
            )
        os.makedirs(self.root, exist_ok=True)
        folder = RegistryFolder(self.root)
        own = os.path.realpath(source) == os.path.realpath(self.root)
        with folder.lock():
            before, revoked = folder.index(), folder.revocations()
            known = self._recorded(folder)
            uploads = {row.sha256: row.uploaded for row in known.values()}
            if before is not None and not known:
                uploads = _uploads(folder, before)
            files = folder.path(FILES)
            wheels = wheels_in(source, *([files] if own and os.path.isdir(files) else []))
            now = self.clock()
            found = gather(wheels, self.root, known, uploads, read=self.read, now=now)
            whole = assemble(found.rows.values(), revoked)
            published = Publisher(folder, self.clock, self.keygen).publish(
                whole, revoked, before, key=key, expires=expires, serial=serial
            )
            folder.write(RECORD, dump_record(found.rows, self.groups), fsync=False)
        problems = (*found.problems, *whole.problems)
        listed = sum(len(each) for each in whole.projects.values())
        return Built(published, listed, found.read, problems, tuple(found.changed))

    def revoke(
        self, name: str, version: str, reason: str, *, key: Optional[str] = None
    ) -> Tuple[Published, Revocation]:
        """Notes that a version must not run, and lists it as yanked.

        Args:
            name: The plugin.
            version: The version.
            reason: Why, in a line for whoever runs it.
            key: The key to sign with, or None to leave the index unsigned.

        Raises:
            PluginNotFound: The registry has no such plugin.
            UsageError: The version is none.
            RegistryAbsent: There is no registry, or no record of how it was built.
            RegistryGarbage: It is damaged.
            SignatureRefused: The key does not sign; nothing was changed.
            LockTimeout: Another change of the registry is under way.
            OSError: Something cannot be read or written.
        """
        if not is_version(version):
            raise UsageError(f"{version!r} is not a version (PEP 440)", hint="such as 1.4.0")
        folder = RegistryFolder(self.root)
        folder.existing_index()
        with folder.lock():
            before = folder.existing_index()
            rows = self._recorded(folder)
            if not rows:
                raise RegistryAbsent(
                    f"{folder.path(RECORD)} does not say how the registry was built",
                    url=self.root,
                    file=folder.path(RECORD),
                    hint="run pkl registry build once more, then revoke",
                )
            revoked = folder.revocations()
            distribution, exact = _carrier(rows.values(), canonical(name), version)
            entry = Revocation(canonical(name), exact, distribution, reason, int(self.clock()))
            held = revoked.of(entry.name, exact)
            if held is not None and held._replace(since=entry.since) == entry:
                entry = held
            after = revoked.with_entry(entry)
            publisher = Publisher(folder, self.clock, self.keygen)
            whole = assemble(rows.values(), after)
            return publisher.publish(whole, after, before, key=key), entry

    def _recorded(self, folder: RegistryFolder) -> Dict[str, WheelRow]:
        return load_record(folder.read(RECORD, _MAX_RECORD) or b"", self.groups)


def _uploads(folder: RegistryFolder, index: Index) -> Dict[str, int]:
    """When each wheel came into the registry, by digest, as its pages say."""
    found: Dict[str, int] = {}
    for name in index.plugins:
        data = folder.read(page_path(name), MAX_PAGE)
        if data is not None:
            for release in parse_page(data, name, url=folder.path(page_path(name))).releases:
                found.update((each.sha256, each.uploaded) for each in release.files)
    return found


def _carrier(rows: Iterable[WheelRow], name: str, version: str) -> Tuple[str, str]:
    """The distribution that carries a plugin, and the version as its wheel has it.

    A version whose wheel is gone already can be revoked all the same.
    """
    names = set()
    distribution = ""
    for row in rows:
        for said in row.plugins:
            names.add(said.name)
            if said.name != name:
                continue
            distribution = row.distribution
            if version_key(said.version) == version_key(version):
                return distribution, said.version
    if distribution:
        return distribution, version
    meant = did_you_mean(name, names)
    guess = f"; did you mean {meant!r}?" if meant else ""
    raise PluginNotFound(f"the registry has no plugin {name!r}{guess}", plugin=name)
