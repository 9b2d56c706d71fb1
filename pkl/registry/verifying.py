"""Whether a registry holds what it states: every page, wheel and digest, and its signature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import List, Optional, Tuple

from ..errors import RegistryAbsent, RegistryGarbage, SignatureRefused
from .covering import Covered, Source, read_covered
from .keys import PublicKey, read_signature
from .layout import INDEX, MAX_INDEX, MAX_METADATA, MAX_SIGNATURE, MAX_SIMPLE, PAGES, SIGNATURE
from .model import Index
from .trust import Accepted, Known, Verifier, accept_index

__all__ = ["Taken", "Verified", "objection_to_wheel", "take_index", "verify"]


@dataclass(frozen=True)
class Taken:
    """An index that was taken, as it came.

    Attributes:
        data: The index.
        signature: Its signature, or None.
        accepted: What it says.
    """

    data: bytes
    signature: Optional[bytes]
    accepted: Accepted


@dataclass
class Verified:
    """What came of a registry that was looked through.

    Attributes:
        index: Its index.
        signer: The key that signed it; None if it is not signed.
        pinned: Whether that key was one that the caller knows.
        pages: How many pages of plugins hold.
        wheels: How many wheels hold.
        problems: What does not, each with the file it is about.
    """

    index: Index
    signer: Optional[PublicKey]
    pinned: bool
    pages: int = 0
    wheels: int = 0
    problems: List[Tuple[str, str]] = field(default_factory=list)


def take_index(source: Source, known: Known, *, now: float, verifier: Verifier) -> Taken:
    """Reads the index of a registry, and takes it if it is to be taken.

    Args:
        source: The files of the registry.
        known: What is known of it; without keys, a signature has to be of the key it claims.
        now: The time, in seconds since 1970.
        verifier: What tells whether a signature holds.

    Raises:
        RegistryAbsent: There is no index.
        SignatureRefused: It is not signed as it should be.
        RegistryError: It is not to be taken.
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
    if not known.keys and signature is not None:
        known = Known(known.url, known.registry, _claimed(signature), known.seen)
    accepted = accept_index(data, signature, known, now=now, verifier=verifier)
    return Taken(data, signature, accepted)


def verify(source: Source, known: Known, *, now: float, verifier: Verifier) -> Verified:
    """Looks through a whole registry.

    Args:
        source: Its files.
        known: What is known of it; without keys, a signature has to be of the key it claims.
        now: The time, in seconds since 1970.
        verifier: What tells whether a signature holds.

    Raises:
        RegistryAbsent: There is no index.
        SignatureRefused: It is not signed as it should be.
        RegistryError: The index is not to be taken.
    """
    accepted = take_index(source, known, now=now, verifier=verifier).accepted
    whole = read_covered(source, accepted.index, known)
    found = Verified(accepted.index, accepted.signer, bool(known.keys), problems=whole.problems)
    found.pages = sum(name.startswith(f"{PAGES}/") for name in whole.texts)
    _check_beside(source, whole)
    for name, stated in whole.wheels.items():
        try:
            problem = objection_to_wheel(source.measure(name, stated[1]), stated)
        except RegistryGarbage as e:
            problem = e.message
        if problem:
            found.problems.append((name, problem))
        else:
            found.wheels += 1
    return found


def objection_to_wheel(found: Optional[Tuple[str, int]], stated: Tuple[str, int]) -> str:
    """Why a wheel is not the one that is stated; empty if it is.

    Args:
        found: Its digest and size; None if it is not there.
        stated: What is stated of both.
    """
    if found is None:
        return "it is not there"
    if found[1] != stated[1]:
        return f"it has {found[1]} bytes, and {stated[1]} are stated"
    if found[0] != stated[0]:
        return f"its SHA-256 is {found[0]}, and {stated[0]} is stated"
    return ""


def _check_beside(source: Source, whole: Covered) -> None:
    """Checks what pip reads: the pages of the package index, and METADATA beside the wheels."""
    for name, data in whole.pages.items():
        if source.read(name, MAX_SIMPLE) != data:
            whole.problems.append((name, "it is not there, or does not list what is stated"))
    for name, sha256 in whole.metadata.items():
        data_ = source.read(name, MAX_METADATA)
        if data_ is None or hashlib.sha256(data_).hexdigest() != sha256:
            whole.problems.append((name, "it is not there, or not what is stated"))


def _claimed(signature: bytes) -> Tuple[PublicKey, ...]:
    """The key that a signature claims to be of.

    Raises:
        SignatureRefused: It is no signature.
    """
    try:
        return (read_signature(signature).key,)
    except ValueError as e:
        raise SignatureRefused(
            f"{SIGNATURE} is no signature: {e}",
            hint="pkl registry sign DIR --key FILE",
            why="damaged",
        ) from None
