"""Which index of a registry is taken: signed by a pinned key, not older than the last, not expired.

An index that is taken covers everything else: it states the digests of the pages and of the list of
revoked versions, a page states those of the wheels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Protocol, Sequence, Tuple

from ..errors import RegistryExpired, RegistryGarbage, RegistryRolledBack, SignatureRefused
from .keys import NAMESPACE, PublicKey, read_signature
from .model import Index, Rotation
from .moments import moment_text
from .schema import parse_index

__all__ = ["Accepted", "Known", "Seen", "Verifier", "accept_index", "check_content", "check_expiry"]


class Verifier(Protocol):
    """What tells whether a signature holds."""

    def verify(self, data: bytes, signature: bytes, key: PublicKey) -> str:
        """Why this is not the signature of this key over this data; empty if it is.

        Args:
            data: What is said to be signed.
            signature: The signature, armoured.
            key: The only key that counts.

        Raises:
            SignatureRefused: There is nothing here that could tell.
        """


class Seen(NamedTuple):
    """The last index that was taken of a registry; to be kept.

    Attributes:
        serial: Its serial.
        sha256: Its digest, in hex.
        at: When it was taken, in seconds since 1970.
    """

    serial: int
    sha256: str
    at: int


@dataclass(frozen=True)
class Known:
    """What is known here of a registry before it is asked.

    Attributes:
        url: Its address, for errors.
        registry: Its name here, for errors and hints.
        keys: The keys that are pinned; without any, signatures mean nothing.
        seen: The last index that was taken.
    """

    url: str
    registry: Optional[str] = None
    keys: Tuple[PublicKey, ...] = ()
    seen: Optional[Seen] = None


@dataclass(frozen=True)
class Accepted:
    """An index that was taken.

    Attributes:
        index: What it says.
        signer: The key that signed it; None where none is pinned.
        keys: The keys to pin from now on: others than before if the registry changed its key.
        seen: What to keep, so that no older one is taken later.
        expired: How many seconds ago it expired; 0 if it did not.
    """

    index: Index
    signer: Optional[PublicKey]
    keys: Tuple[PublicKey, ...]
    seen: Seen
    expired: int


def accept_index(
    data: bytes,
    signature: Optional[bytes],
    known: Known,
    *,
    now: float,
    verifier: Verifier,
    expired_ok: bool = False,
) -> Accepted:
    """Takes an index, or says why not.

    Args:
        data: The ``index.json``.
        signature: The ``index.json.sig``, or None if there is none.
        known: What is known of the registry.
        now: The time, in seconds since 1970. A clock that went back revives nothing: it counts
            as not before the moment the last index was taken.
        verifier: What tells whether a signature holds.
        expired_ok: Whether one that expired is taken too, as a copy of our own is when offline.

    Raises:
        SignatureRefused: Keys are pinned, and it is not signed by one of them.
        RegistryGarbage: It is no index.
        RegistryRolledBack: It is older than the last, or another of the same serial.
        RegistryExpired: It was good until a moment that is past.
    """
    index = parse_index(data, url=known.url, registry=known.registry)
    signer, keys = _check_signature(data, signature, index, known, verifier)
    _check_serial(index, known)
    moment = max(now, known.seen.at if known.seen is not None else now)
    expired = 0
    if index.expires is not None and moment >= index.expires:
        expired = max(1, int(moment - index.expires))
        if not expired_ok:
            check_expiry(index, known, moment)
    at = int(min(moment, index.expires) if index.expires is not None else moment)
    return Accepted(index, signer, keys, Seen(index.serial, index.sha256, at), expired)


def check_expiry(index: Index, known: Known, now: float) -> None:
    """Refuses an index that expired.

    Raises:
        RegistryExpired: It was good until a moment that is past.
    """
    if index.expires is None or now < index.expires:
        return
    raise RegistryExpired(
        f"the index of the registry {known.url} was good until {moment_text(index.expires)}, and it"
        f" is {moment_text(now)}: somebody may be holding back a newer one",
        url=known.url,
        registry=known.registry,
        hint="look at the clock of this machine; else whoever runs the registry builds and signs it"
        " again (pkl registry build DIR --key FILE --expires 30d), or take the copy that was"
        " fetched last with --offline",
        expires=moment_text(index.expires),
    )


def check_content(data: bytes, sha256: str, what: str, known: Known, *, url: str = "") -> None:
    """Refuses a file whose digest is not the one that the registry states of it.

    Args:
        data: The file.
        sha256: The digest that it must have, in hex.
        what: What it is, for the error, such as ``the page of 'audit'``.
        known: The registry.
        url: The address of the file.

    Raises:
        RegistryGarbage: It has another.
    """
    found = hashlib.sha256(data).hexdigest()
    if found == sha256:
        return
    where = url or known.url
    raise RegistryGarbage(
        f"{what} ({where}) is not the one that the registry states: its SHA-256 is {found},"
        f" and {sha256} is stated",
        url=where,
        registry=known.registry,
        hint="try again, for the registry may just be changing; if it stays so, tell whoever runs"
        " it",
        found=found,
        stated=sha256,
    )


def _check_serial(index: Index, known: Known) -> None:
    seen = known.seen
    if seen is None or index.serial > seen.serial:
        return
    if index.serial == seen.serial and index.sha256 == seen.sha256:
        return
    if index.serial < seen.serial:
        what = f"has serial {index.serial}, and {seen.serial} was seen on {moment_text(seen.at)}"
    else:
        what = f"has serial {index.serial} as on {moment_text(seen.at)}, but another content"
    raise RegistryRolledBack(
        f"the index of the registry {known.url} went back: it {what}",
        url=known.url,
        registry=known.registry,
        hint="ask whoever runs the registry; if it was made anew, they build it once more with:"
        f" pkl registry build DIR --serial {seen.serial + 1}",
        serial=index.serial,
        seen=seen.serial,
    )


def _check_signature(
    data: bytes,
    signature: Optional[bytes],
    index: Index,
    known: Known,
    verifier: Verifier,
) -> Tuple[Optional[PublicKey], Tuple[PublicKey, ...]]:
    """The key that signed the index, and the keys that are good for the registry by now."""
    if not known.keys:
        return None, ()
    if signature is None:
        raise _refused(known, "unsigned", "is not signed, and a key is pinned for it")
    try:
        facts = read_signature(signature)
    except ValueError as e:
        raise _refused(known, "damaged", f"has no signature that can be read: {e}") from None
    if facts.namespace != NAMESPACE:
        what = f"has a signature that was made for {facts.namespace[:60]!a}, not for {NAMESPACE!r}"
        raise _refused(known, "namespace", what)
    keys = _rotated(index.rotations, known, verifier)
    if facts.key not in keys:
        good = " or ".join(each.fingerprint for each in keys)
        what = f"is signed by the key {facts.key.fingerprint}, and the one that is pinned is {good}"
        raise _refused(known, "unknown-key", what)
    objection = verifier.verify(data, signature, facts.key)
    if objection:
        what = f"is not what the key {facts.key.fingerprint} signed (ssh-keygen: {objection})"
        raise _refused(known, "wrong", what)
    return facts.key, keys


def _rotated(
    rotations: Sequence[Rotation], known: Known, verifier: Verifier
) -> Tuple[PublicKey, ...]:
    """The keys that took the place of the pinned ones, by statements that those signed."""
    keys: List[PublicKey] = list(known.keys)
    for each in rotations:
        if each.old not in keys:
            continue
        objection = verifier.verify(each.text, each.signature.encode("utf-8"), each.old)
        if objection:
            what = (
                f"says that {each.new.fingerprint} takes the place of {each.old.fingerprint}, but"
                f" the old key did not sign that (ssh-keygen: {objection})"
            )
            raise _refused(known, "rotation", what)
        keys = [key for key in keys if key not in (each.old, each.new)]
        keys.append(each.new)
    return tuple(keys)


def _refused(known: Known, why: str, what: str) -> SignatureRefused:
    name = known.registry or "NAME"
    return SignatureRefused(
        f"the index of the registry {known.url} {what}; nothing of it was used",
        url=known.url,
        registry=known.registry,
        hint="ask whoever runs the registry, by another way than the registry itself, whether its"
        f" key changed; if so: pkl registry keys pin {name} FILE.pub",
        why=why,
        pinned=[each.fingerprint for each in known.keys],
    )
