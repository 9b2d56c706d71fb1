"""One registry, asked for its index, its pages and what it revoked; every answer is checked."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Callable, Dict, List, Optional

from ..errors import (
    PklError,
    RegistryAbsent,
    RegistryGarbage,
    RegistryRolledBack,
    RegistryUnreachable,
    SignatureRefused,
    UsageError,
)
from ..model.known_registry import KnownRegistry
from ..names import canonical
from .address import is_local, join, registry_url
from .ages import ago, lasting
from .cache import Cache, Copy
from .keys import PublicKey, parse_public_key
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
from .model import Index, Page, Revocations, WheelFile
from .schema import parse_page, parse_revoked
from .signing import SshKeygen
from .transport import Fetched, Transport
from .trust import Accepted, Known, Seen, Verifier, accept_index, check_content

__all__ = ["RegistryClient"]

_NOTE_EVERY = 86_400
"""Seconds after which a contact is noted that brought nothing new."""


class RegistryClient:
    """A registry as it is now; or, offline, as it was at the last contact.

    What was fetched once is kept by the object; a registry is asked for its index only once. Not
    for use from several threads at once.

    Args:
        known: The registry, with its pinned keys and what was seen of it.
        offline: Use the copies of the last contact, and no network. A directory is read anyway.
        note: Told of the registry as it is known since a contact; to be kept.
        transport: What fetches.
        cache: Where the copies are.
        verifier: What verifies signatures.
        clock: What time it is, in seconds since 1970.

    Attributes:
        known: The registry as it is known by now.
        remarks: What is to be said to whoever asked, such as the age of a copy.
    """

    def __init__(
        self,
        known: KnownRegistry,
        *,
        offline: bool = False,
        note: Optional[Callable[[KnownRegistry], None]] = None,
        transport: Optional[Transport] = None,
        cache: Optional[Cache] = None,
        verifier: Optional[Verifier] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.known = known
        self.remarks: List[str] = []
        self._offline = offline and not is_local(known.url)
        self._note = note
        self._transport = transport or Transport()
        self._cache = cache or Cache(known.url)
        self._verifier: Verifier = verifier or SshKeygen()
        self._clock = clock
        self._accepted: Optional[Accepted] = None
        self._renewed = False
        self._pages: Dict[str, Optional[Page]] = {}
        self._revoked = Revocations()

    @property
    def name(self) -> str:
        """What the user calls the registry."""
        return self.known.name

    @property
    def signer(self) -> Optional[PublicKey]:
        """The pinned key that signed the index; None where none is pinned."""
        return self._index().signer

    def index(self) -> Index:
        """The index; the first call asks for it, and for what is revoked.

        Raises:
            RegistryError: Of the kind that fits, if it cannot be had or must not be taken.
        """
        return self._index().index

    def page(self, name: str) -> Optional[Page]:
        """Every version of a plugin; None if the registry does not have it.

        Args:
            name: The plugin, in any spelling.

        Raises:
            RegistryError: Of the kind that fits.
        """
        name = canonical(name)
        accepted = self._index()
        if name not in self._pages:
            try:
                self._pages[name] = self._page(name)
            except (RegistryGarbage, RegistryAbsent):
                newer = self._newer(accepted)
                if newer is None:
                    raise
                self._take(newer)
                self._pages[name] = self._page(name)
        return self._pages[name]

    def revoked(self) -> Revocations:
        """The versions that must not run.

        Raises:
            RegistryError: Of the kind that fits.
        """
        self._index()
        return self._revoked

    def wheel(self, each: WheelFile) -> bytes:
        """The content of a wheel, as its page states it.

        Raises:
            RegistryGarbage: It has another size or another digest.
            RegistryError: Of another kind, if it cannot be had.
        """
        url = join(self.known.url, file_path(each.file))
        if self._offline:
            raise self._no_copy(url)
        data = self._fetch(url, each.size).data or b""
        if len(data) != each.size:
            raise RegistryGarbage(
                f"{url} has {len(data)} bytes, and the registry states {each.size}",
                url=url,
                registry=self.name,
                hint="try again; if it stays so, tell whoever runs the registry",
                found=len(data),
                stated=each.size,
            )
        check_content(data, each.sha256, f"the wheel {each.file}", self._as_known(), url=url)
        return data

    # The index.

    def _index(self) -> Accepted:
        if self._accepted is not None:
            return self._accepted
        self._check_url()
        accepted = self._at_last() if self._offline else self._now()
        try:
            return self._take(accepted)
        except (RegistryGarbage, RegistryAbsent):
            newer = self._newer(accepted)
            if newer is None:
                raise
        return self._take(newer)

    def _check_url(self) -> None:
        """Refuses a URL that ``pkl registry add`` would not have taken."""
        try:
            registry_url(self.known.url)
        except UsageError as e:
            raise RegistryUnreachable(
                f"the registry {self.name} is not asked: {e.message}",
                url=self.known.url,
                registry=self.name,
                hint=f"pkl registry remove {self.name}, and add it with another URL",
            ) from None

    def _take(self, accepted: Accepted) -> Accepted:
        """Makes an index the one that counts, with what it says is revoked."""
        data = self.covered(
            REVOKED, MAX_REVOKED, "the list of revoked versions", accepted.index.revoked
        )
        url = join(self.known.url, REVOKED)
        self._revoked = parse_revoked(data, url=url, registry=self.name)
        self._accepted = accepted
        self._pages.clear()
        if not self._offline:
            self._keep(accepted)
        return accepted

    def _newer(self, than: Accepted) -> Optional[Accepted]:
        """Another index, if the registry has one by now; asks only once."""
        if self._offline or self._renewed:
            return None
        self._renewed = True
        accepted = self._ask(None)
        return accepted if accepted.index.sha256 != than.index.sha256 else None

    def _now(self) -> Accepted:
        copy = self._cache.load(INDEX, MAX_INDEX)
        try:
            return self._ask(copy)
        except (RegistryGarbage, RegistryRolledBack):
            if copy is None:
                raise
        except SignatureRefused as error:
            if error.details.get("why") == "no-tool":
                raise
        # The copy is bad, or the registry changed between the index and its signature.
        return self._ask(None)

    def _ask(self, copy: Optional[Copy]) -> Accepted:
        """Asks for the index; what has not changed since the copy comes from there."""
        url = join(self.known.url, INDEX)
        fetched = self._fetch(url, MAX_INDEX, copy.etag if copy is not None else "")
        now = self._clock()
        data, signature = fetched.data or b"", None
        if fetched.data is None and copy is not None:
            data = copy.data
            kept = self._cache.load(SIGNATURE, MAX_SIGNATURE)
            signature = kept.data if kept is not None else None
        if signature is None and self.known.keys:
            signature = self._signature()
        accepted = accept_index(data, signature, self._as_known(), now=now, verifier=self._verifier)
        if signature is not None:
            self._cache.save(SIGNATURE, Copy(signature, now))
        self._cache.save(INDEX, Copy(data, now, fetched.etag))
        return accepted

    def _signature(self) -> Optional[bytes]:
        try:
            return self._fetch(join(self.known.url, SIGNATURE), MAX_SIGNATURE).data
        except RegistryAbsent:
            return None

    def _at_last(self) -> Accepted:
        """The copy of the last contact, however old."""
        url = join(self.known.url, INDEX)
        copy = self._cache.load(INDEX, MAX_INDEX)
        if copy is None:
            raise self._no_copy(url)
        kept = self._cache.load(SIGNATURE, MAX_SIGNATURE)
        now = self._clock()
        try:
            accepted = accept_index(
                copy.data,
                kept.data if kept is not None else None,
                self._as_known(),
                now=now,
                verifier=self._verifier,
                expired_ok=True,
            )
        except (RegistryGarbage, RegistryRolledBack) as e:
            raise self._no_copy(url) from e
        said = f"registry {self.name}: the copy of the last contact is used, {ago(now, copy.since)}"
        if accepted.expired:
            said += f"; it expired {lasting(accepted.expired)} ago"
        self.remarks.append(said)
        return accepted

    def _keep(self, accepted: Accepted) -> None:
        """Has it noted what was seen, if there is anything new to note."""
        seen, before = accepted.seen, self.known
        self.known = now = before._replace(
            keys=tuple(map(str, accepted.keys)),
            serial=seen.serial,
            digest=seen.sha256,
            revoked=accepted.index.revoked,
            contact=seen.at,
        )
        if now.keys != before.keys:
            keys = " and ".join(each.fingerprint for each in accepted.keys)
            self.remarks.append(
                f"registry {self.name}: it changed its key, as the old key says; "
                f"from now on the key is {keys}"
            )
        recent = now.contact < before.contact + _NOTE_EVERY
        if self._note is None or (recent and now._replace(contact=before.contact) == before):
            return
        try:
            self._note(now)
        except PklError as e:
            self.remarks.append(f"registry {self.name}: this contact was not noted: {e.message}")

    # What the index covers.

    def _page(self, name: str) -> Optional[Page]:
        entry = self.index().plugins.get(name)
        if entry is None:
            return None
        path = page_path(name)
        url = join(self.known.url, path)
        data = self.covered(path, MAX_PAGE, f"the page of {name!r}", entry.sha256)
        page = parse_page(data, name, summary=entry.summary, url=url, registry=self.name)
        if entry.latest is not None and page.release(entry.latest) is None:
            raise RegistryGarbage(
                f"the page of {name!r} ({url}) does not have the version {entry.latest}, which the "
                "index calls the latest",
                url=url,
                registry=self.name,
                hint="whoever runs the registry builds it anew with: pkl registry build",
            )
        return page

    def covered(self, path: str, limit: int, what: str, digest: str) -> bytes:
        """A file of which the index states the digest: the copy, if it is that, or a new one.

        Args:
            path: The file, below the root of the registry.
            limit: The most bytes it may have.
            what: What it is called, for errors.
            digest: The SHA-256 that it must have, in hex.

        Raises:
            RegistryError: Of the kind that fits.
        """
        copy = self._cache.load(path, limit)
        if copy is not None and sha256(copy.data).hexdigest() == digest:
            return copy.data
        url = join(self.known.url, path)
        if self._offline:
            raise self._no_copy(url)
        data = self._fetch(url, limit).data or b""
        check_content(data, digest, what, self._as_known(), url=url)
        self._cache.save(path, Copy(data, self._clock()))
        return data

    def _fetch(self, url: str, limit: int, etag: str = "") -> Fetched:
        return self._transport.get(url, limit=limit, etag=etag, registry=self.name)

    def _as_known(self) -> Known:
        known = self.known
        seen = Seen(known.serial, known.digest, known.contact) if known.serial else None
        try:
            keys = tuple(map(parse_public_key, known.keys))
        except ValueError as e:
            raise SignatureRefused(
                f"a key that is pinned for the registry {known.url} cannot be read: {e}",
                url=known.url,
                registry=known.name,
                hint=f"pin it again: pkl registry add {known.name} {known.url} --key FILE.pub",
                why="pinned",
            ) from None
        return Known(known.url, known.name, keys, seen)

    def _no_copy(self, url: str) -> RegistryUnreachable:
        return RegistryUnreachable(
            f"{url} cannot be reached: --offline forbids it, and there is no copy that could be "
            "used instead",
            url=url,
            registry=self.name,
            hint="run it once without --offline",
        )
