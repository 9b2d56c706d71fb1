"""Copying a registry, byte for byte: nothing is taken that its index does not cover."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Optional, Set, Tuple

from ..errors import RegistryGarbage
from .covering import Covered, Source, read_covered
from .folder import RegistryFolder
from .keys import PublicKey
from .layout import INDEX, MAX_METADATA, PAGES, SIGNATURE, SIMPLE
from .model import Index
from .trust import Known, Seen, Verifier
from .verifying import objection_to_wheel, take_index

__all__ = ["Mirrored", "mirror"]


@dataclass(frozen=True)
class Mirrored:
    """What a mirror came to.

    Attributes:
        index: The index that was copied.
        signer: The key that signed it; None if it is not signed.
        changed: Whether anything changed.
        wheels: How many wheels there are.
        fetched: How many of them had to be fetched.
    """

    index: Index
    signer: Optional[PublicKey]
    changed: bool
    wheels: int
    fetched: int


def mirror(
    source: Source, folder: RegistryFolder, known: Known, *, now: float, verifier: Verifier
) -> Mirrored:
    """Copies a registry into a folder; wheels that are there already are not fetched again.

    As in a build, the index is written last. If anything is not as it is stated, the folder keeps
    the index that it has.

    Args:
        source: The files of the registry.
        folder: Where to copy it.
        known: What is known of the registry.
        now: The time, in seconds since 1970.
        verifier: What tells whether a signature holds.

    Raises:
        RegistryRolledBack: The folder has a later index.
        RegistryGarbage: Something is not what is stated of it.
        RegistryError: The registry cannot be read, or its index is not to be taken.
        LockTimeout: Another change of the folder is under way.
        OSError: Something cannot be written.
    """
    os.makedirs(folder.root, exist_ok=True)
    with folder.lock():
        before = folder.index()
        if before is not None and known.seen is None:
            seen = Seen(before.serial, before.sha256, 0)
            known = Known(known.url, known.registry, known.keys, seen)
        taken = take_index(source, known, now=now, verifier=verifier)
        index = taken.accepted.index
        whole = read_covered(source, index, known)
        _refuse(whole, known)
        fetched = _copy_wheels(source, folder, whole, known)
        changed = [folder.write(name, data) for name, data in whole.texts.items()]
        changed += [folder.write(name, data) for name, data in whole.pages.items()]
        changed.append(folder.write(INDEX, taken.data))
        if taken.signature is not None:
            changed.append(folder.write(SIGNATURE, taken.signature))
        else:
            folder.remove(SIGNATURE)
        _sweep(folder, {*whole.texts, *whole.pages})
    signer = taken.accepted.signer
    return Mirrored(index, signer, any(changed) or fetched > 0, len(whole.wheels), fetched)


def _refuse(whole: Covered, known: Known) -> None:
    """Refuses a registry that does not hold what it states."""
    if not whole.problems:
        return
    lines = [f"the registry {known.url} does not hold what it states; nothing was taken of it"]
    lines += [f"  {name}: {why}" for name, why in whole.problems[:10]]
    if len(whole.problems) > 10:
        lines.append(f"  and {len(whole.problems) - 10} more")
    raise RegistryGarbage(
        "\n".join(lines),
        url=known.url,
        registry=known.registry,
        hint="try again, for the registry may just be changing; if it stays so, tell whoever runs"
        " it",
    )


def _copy_wheels(source: Source, folder: RegistryFolder, whole: Covered, known: Known) -> int:
    """Copies the wheels that are not there yet, and METADATA beside them; how many wheels."""
    fetched = 0
    for name, stated in whole.wheels.items():
        if objection_to_wheel(folder.measure(name, stated[1]), stated):
            folder.write(name, _taken(source, name, stated, known))
            fetched += 1
    for name, sha256 in whole.metadata.items():
        there = folder.read(name, MAX_METADATA)
        if there is None or hashlib.sha256(there).hexdigest() != sha256:
            data = source.read(name, MAX_METADATA)
            if data is None or hashlib.sha256(data).hexdigest() != sha256:
                whole.problems.append((name, "it is not there, or not what is stated"))
                continue
            folder.write(name, data)
    _refuse(whole, known)
    return fetched


def _taken(source: Source, name: str, stated: Tuple[str, int], known: Known) -> bytes:
    """A wheel that is the one that is stated.

    Raises:
        RegistryGarbage: It is not.
    """
    data = source.read(name, stated[1])
    found = None if data is None else (hashlib.sha256(data).hexdigest(), len(data))
    problem = objection_to_wheel(found, stated)
    _refuse(Covered(problems=[(name, problem)] if problem else []), known)
    return data or b""


def _sweep(folder: RegistryFolder, kept: Set[str]) -> None:
    """Removes the pages of what is there no more; wheels stay, for locks may name them."""
    there = [f"{PAGES}/{name}" for name in folder.names(PAGES)]
    for project in folder.names(SIMPLE):
        there += [f"{SIMPLE}/{project}/{name}" for name in folder.names(f"{SIMPLE}/{project}")]
    for name in there:
        if name not in kept:
            folder.remove(name)
