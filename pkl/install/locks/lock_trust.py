"""What the registries of a lock say by now: other keys, an older index, a revoked version."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Sequence, Tuple

from ...errors import RegistryError, RegistryRolledBack, SignatureRefused, WheelRefused
from ...model.known_registry import KnownRegistry
from ...names import printable
from ...registry.client import RegistryClient
from ...registry.model import Revocations
from ..solution import Chosen
from .lock import Lock, LockedRegistry
from .locking import locked_registries

__all__ = ["Checked", "check_registries", "refuse_revoked"]


class Checked(NamedTuple):
    """What the registries of a lock say of it.

    Attributes:
        revoked: For each registry that could be asked, its name and what it revoked.
        remarks: What could not be found out, and why.
    """

    revoked: Tuple[Tuple[str, Revocations], ...]
    remarks: Tuple[str, ...]


def check_registries(lock: Lock, clients: Iterable[RegistryClient]) -> Checked:
    """Asks the registries of a lock whether they are still those that it was made with.

    A registry that is not known here, or cannot be reached, is a remark: the digests in the lock
    hold without it.

    Args:
        lock: The lock.
        clients: The registries that are known here.

    Raises:
        SignatureRefused: A registry has other keys than those of the lock, and no statement of an
            old key leads to them.
        RegistryRolledBack: A registry is older than when the lock was made.
        RegistryError: Of another kind, but that of one that cannot be reached.
    """
    there = list(clients)
    revoked: List[Tuple[str, Revocations]] = []
    remarks = []
    for locked in lock.registries:
        client = next((each for each in there if each.known.url == locked.url), None)
        if client is None:
            remarks.append(
                f"the registry {locked.name} ({locked.url}) is not known here, so what it has "
                f"revoked is not known: pkl registry add {locked.name} {locked.url}"
            )
            continue
        try:
            revocations = client.revoked()
        except RegistryError as error:
            if error.code not in _UNREACHED:
                raise
            remarks.append(f"what {locked.name} has revoked is not known: {error.message}")
            continue
        _check_keys(lock, locked, client)
        _check_serial(lock, locked, client.known)
        revoked.append((locked.name, revocations))
    return Checked(tuple(revoked), tuple(remarks))


_UNREACHED = {"E_REGISTRY_UNREACHABLE", "E_REGISTRY_ABSENT"}


def _check_keys(lock: Lock, locked: LockedRegistry, client: RegistryClient) -> None:
    (now,) = locked_registries([client.known])
    if not locked.keys or set(locked.keys) & set(now.keys):
        return
    replaced = {each.old.fingerprint for each in client.index().rotations}
    if now.keys and set(locked.keys) & replaced:
        return
    pinned = f"{' and '.join(now.keys)} is pinned" if now.keys else "no key is pinned"
    raise SignatureRefused(
        f"the lock {lock.path} was made with the registry {locked.name} ({locked.url}) as "
        f"{' and '.join(locked.keys)} signs it, and here {pinned} for it",
        url=locked.url,
        registry=locked.name,
        hint="find out which key is right by another way than the registry; then pin it (pkl "
        f"registry add {locked.name} {locked.url} --key FILE.pub), or make the lock anew: pkl lock",
        why="lock",
    )


def _check_serial(lock: Lock, locked: LockedRegistry, known: KnownRegistry) -> None:
    if not locked.serial or not known.serial or known.serial > locked.serial:
        return
    if known.serial == locked.serial and known.digest == locked.digest:
        return
    if known.serial == locked.serial:
        what = f"has another index with the serial {known.serial} that the lock was made with"
    else:
        what = f"has the serial {known.serial}, and the lock was made with {locked.serial}"
    raise RegistryRolledBack(
        f"the registry {locked.name} ({locked.url}) was rolled back: it {what} ({lock.path})",
        url=locked.url,
        registry=locked.name,
        hint="whoever runs it builds it anew with a higher serial; if you trust it as it is, make "
        "the lock anew: pkl lock",
        found=known.serial,
        seen=locked.serial,
    )


def refuse_revoked(chosen: Sequence[Chosen], checked: Checked) -> None:
    """Refuses what a registry has revoked since the lock was made.

    Args:
        chosen: What would be installed.
        checked: What the registries say.

    Raises:
        WheelRefused: Something was revoked; the text names all of it.
    """
    lines: List[str] = []
    names: List[str] = []
    for each in chosen:
        for name, revocations in checked.revoked:
            for plugin in each.plugins if each.registry in ("", name) else ():
                entry = revocations.of(plugin.name, plugin.version)
                if entry is not None:
                    names.append(plugin.name)
                    why = f": {printable(entry.reason)}" if entry.reason else ""
                    lines.append(f"{plugin.name} {plugin.version} was revoked by {name}{why}")
    if lines:
        raise WheelRefused(
            "the lock has what must not run any more; nothing was changed\n" + "\n".join(lines),
            plugin=names[0] if len(names) == 1 else None,
            hint="take other versions: pkl lock",
            revoked=lines,
        )
