"""Making a lock: which roots it has, what was consented to, and whether anything would change."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...errors import LockStale, StateUnavailable, UsageError
from ...files import atomic_write
from ...model.known_registry import KnownRegistry
from ...model.requirement import parse_requirement
from ...names import did_you_mean
from ...registry.keys import parse_public_key
from ...store.state import Consent, HostState
from ..solution import Chosen, Solution
from ..wanted import HostSide, Root
from .lock import Consents, Lock, LockedRegistry, is_consent
from .lock_changes import Difference, differences
from .lock_reading import parse_lock
from .lock_writing import lock_text

__all__ = [
    "Relocked",
    "consents_for",
    "locked_registries",
    "preferred_versions",
    "relocked",
    "roots_of",
    "stale",
    "why_stale",
    "with_lock_consents",
    "write_lock",
]


class Relocked(NamedTuple):
    """A lock as it would be if it were made now.

    Attributes:
        text: Its text.
        lock: What that says.
        changes: Where it differs from the one that there is.
        changed: Whether it has to be written.
    """

    text: str
    lock: Lock
    changes: Tuple[Difference, ...]
    changed: bool


def roots_of(
    stated: Optional[Sequence[str]],
    installed: Optional[Sequence[Root]],
    lock: Optional[Lock],
) -> Tuple[Root, ...]:
    """What a lock is to hold: what the project states, else what is installed, else what it held.

    Args:
        stated: ``plugins`` of ``[tool.pkl]``, requirements; None if it states none.
        installed: The roots of the current generation; None if there is none.
        lock: The lock that there is, or None.

    Raises:
        UsageError: Nothing says what is to be locked.
        RequirementError: What is stated is no requirement.
    """
    if stated is not None:
        return tuple(Root(parse_requirement(each).name, each) for each in stated)
    if installed is not None:
        return tuple(installed)
    if lock is not None:
        return lock.roots
    raise UsageError(
        "nothing says what to lock: no plugin is installed, and [tool.pkl] has no plugins",
        hint='write plugins = ["NAME>=1"] under [tool.pkl], or run pkl install NAME first',
    )


def preferred_versions(
    lock: Optional[Lock],
    installed: Sequence[Chosen],
    upgrade: Optional[Iterable[str]] = None,
) -> Mapping[str, str]:
    """The versions that a solve keeps where it can, by distribution: locked, else installed.

    Args:
        lock: The lock that there is, or None.
        installed: The distributions of the current generation.
        upgrade: The plugins or distributions that need not stay; empty for all; None for none.

    Raises:
        UsageError: One of these is neither locked nor installed.
    """
    versions = {each.name: each.version for each in installed}
    versions.update(lock.distributions if lock is not None else {})
    if upgrade is None:
        return versions
    moving = tuple(upgrade)
    if not moving:
        return {}
    known: Dict[str, str] = {name: name for name in versions}
    for each in (*installed, *(lock.packages if lock is not None else ())):
        known.update((plugin.name, each.name) for plugin in each.plugins)
    for name in moving:
        if name not in known:
            meant = did_you_mean(name, known)
            guess = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"--upgrade {name}: nothing of that name is locked or installed{guess}",
                hint="to add it: pkl install NAME, or plugins of [tool.pkl]",
            )
        versions.pop(known[name], None)
    return versions


def locked_registries(known: Iterable[KnownRegistry]) -> Tuple[LockedRegistry, ...]:
    """Registries as a lock notes them."""
    return tuple(
        LockedRegistry(
            each.name,
            each.url,
            tuple(sorted(filter(None, map(_fingerprint, each.keys)))),
            each.serial,
            each.digest,
        )
        for each in known
    )


def _fingerprint(key: str) -> str:
    try:
        return parse_public_key(key).fingerprint
    except ValueError:
        return ""  # Whatever it signed was refused.


def consents_for(chosen: Iterable[Chosen], state: HostState, lock: Optional[Lock]) -> Consents:
    """What was consented to of these plugins: here, or where the lock was made.

    Args:
        chosen: The distributions.
        state: What is kept of the host here.
        lock: The lock that there is, or None.
    """
    found = {}
    for name in (plugin.name for each in chosen for plugin in each.plugins):
        consents = dict(lock.consents.get(name, {}) if lock is not None else {})
        consents.update((key, each.value) for key, each in state.record(name).consents.items())
        consents = {key: value for key, value in consents.items() if is_consent(value)}
        if consents:
            found[name] = consents
    return found


def with_lock_consents(state: HostState, lock: Lock, *, since: str = "") -> HostState:
    """The state with what was consented to where the lock was made; what is kept here stays.

    Args:
        state: What is kept of the host.
        lock: The lock.
        since: When, as it is noted (RFC 3339).
    """
    versions = lock.versions
    by = os.path.basename(lock.path)
    for plugin, consents in lock.consents.items():
        known = state.record(plugin).consents
        for key, value in consents.items():
            if key not in known and plugin in versions:
                consent = Consent(value, versions[plugin], since, by)
                state = state.with_consent(plugin, key, consent)
    return state


def relocked(
    old: Optional[Lock],
    solution: Solution,
    *,
    path: str,
    host: HostSide,
    registries: Iterable[LockedRegistry] = (),
    consents: Optional[Consents] = None,
) -> Relocked:
    """The lock of a solution, held against the one that there is.

    Args:
        old: The lock that there is, or None.
        solution: What was solved.
        path: The file, absolute.
        host: For which host.
        registries: Those that are known.
        consents: What was consented to.

    Raises:
        UsageError: An editable project lies outside of the lock's directory.
    """
    text = lock_text(
        solution,
        host=host,
        directory=os.path.dirname(path),
        registries=registries,
        consents=consents,
    )
    lock = parse_lock(text, path)
    changes = differences(old, lock)
    return Relocked(text, lock, changes, old is None or bool(changes))


def write_lock(path: str, text: str) -> None:
    """Writes a lock, as a whole or not at all.

    Raises:
        StateUnavailable: It cannot be written; the old one is as it was.
    """
    try:
        atomic_write(path, text.encode("utf-8"), mode=0o644)
    except OSError as e:
        raise StateUnavailable(
            f"the lock {path} cannot be written: {e.strerror or e}",
            file=path,
            hint="make the directory writable, or name another file with --lock FILE",
        ) from e


def why_stale(
    lock: Lock, host: HostSide, stated: Optional[Sequence[str]] = None
) -> Tuple[str, ...]:
    """Why a lock is not for this host as it is described now; no registry is asked.

    Args:
        lock: The lock.
        host: The host.
        stated: ``plugins`` of ``[tool.pkl]``; None if it states none.
    """
    found = []
    for what, locked, now in (("host", lock.host, host.name), ("group", lock.group, host.group)):
        if locked != now:
            found.append(f"it is for the {what} {locked!r}, and this is {now!r}")
    if stated is None:
        return tuple(found)
    wanted = {root.name: root for root in roots_of(stated, None, None)}
    held = {root.name: root for root in lock.roots}
    for name in sorted({*wanted, *held}):
        asked, known = wanted.get(name), held.get(name)
        if known is None and asked is not None:
            found.append(f"{asked.requirement} is wanted, and not in it")
        elif asked is None:
            found.append(f"{name} is in it, and not wanted any more")
        elif known is not None and known.requirement != asked.requirement:
            found.append(f"{asked.requirement} is wanted, and it has {known.requirement}")
    return tuple(found)


def stale(path: str, reasons: Sequence[str], *, shown: str = "", **fields: Any) -> LockStale:
    """The error that says why a lock does not hold.

    Args:
        path: The lock.
        reasons: Why, each in a line.
        shown: The lock as the text has it, if otherwise.
        fields: Further details.
    """
    lines = [f"the lock {shown or path} is stale", *(f"  {each}" for each in reasons)]
    return LockStale(
        "\n".join(lines), file=path, hint="renew it: pkl lock", reasons=list(reasons), **fields
    )
