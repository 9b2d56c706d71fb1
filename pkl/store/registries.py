"""Keeps the registries that the user knows, in order, with their keys and the serials seen."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..errors import Fault, PklError, StateCorrupt, StateNewer, StateUnavailable
from ..files import FileLock, atomic_write
from ..model.known_registry import KnownRegistry
from ..names import canonical, is_valid
from ..paths import user_state_dir
from .disk import Unsound, load, make_directory, objection_to, set_aside

__all__ = ["RegistryBook", "RegistryReading"]

_SCHEMA = 1
_FILE = "registries.json"
_OWN_DIRECTORY = "set PKL_HOME to a directory of your own"

Registries = Tuple[KnownRegistry, ...]


class RegistryReading(NamedTuple):
    """What the file says.

    Attributes:
        registries: What was understood, in the user's order; empty if there is no file.
        problem: Why that may not be all, or None.
    """

    registries: Registries
    problem: Optional[PklError] = None

    def named(self, name: str) -> Optional[KnownRegistry]:
        """The registry of that name, in any spelling, or None."""
        wanted = canonical(name)
        return next((each for each in self.registries if each.name == wanted), None)


class RegistryBook:
    """The list of registries of this user, in one file.

    Every method may be called from any thread and any process. A reader sees the list before a
    change or after it; changes exclude each other.

    Args:
        path: The file; ``registries.json`` in the user's state directory if None.
        timeout: How long to wait for another's change, in seconds.
        clock: What time it is, in seconds since 1970; only noted.
    """

    def __init__(
        self,
        path: Optional[str] = None,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._clock = clock

    @property
    def path(self) -> str:
        """The file; it may not exist yet."""
        return self._path or os.path.join(user_state_dir(), _FILE)

    def read(self) -> RegistryReading:
        """What is known; never raises for what is on the disk, and changes nothing."""
        path = self.path
        objection = objection_to(os.path.dirname(path))
        if objection:
            return RegistryReading(
                (),
                StateUnavailable(
                    f"the list of registries {path} is not used: its directory {objection}",
                    file=path,
                    hint=f"run this as that user, or {_OWN_DIRECTORY}",
                ),
            )
        try:
            data = load(path)
        except Unsound as e:
            return RegistryReading((), _corrupt(path, [Fault("", path, str(e))]))
        except OSError as e:
            return RegistryReading((), _unavailable(path, "cannot be read", e))
        return RegistryReading(()) if data is None else _parsed(path, data)

    def change(self, edit: Callable[[Registries], Registries]) -> Optional[StateCorrupt]:
        """Changes the list as one step, on top of what it is then.

        A damaged file is set aside first, and what could be understood of it counts.

        Args:
            edit: Gives the new list for the old; what it raises ends the change.

        Returns:
            What was wrong with a file that was set aside; None if nothing was.

        Raises:
            StateNewer: A later version of pkl wrote the file; nothing was changed.
            StateUnavailable: It cannot be read or written; nothing was changed.
            LockTimeout: Another is changing it all the while.
        """
        path = self.path
        directory, name = os.path.split(path)
        lock = FileLock(os.path.join(directory, f".{name}.lock"), self._timeout)
        try:
            make_directory(directory)
            lock.__enter__()
        except OSError as e:
            if isinstance(e, PklError):
                raise
            raise _unavailable(path, "cannot be written; nothing was changed", e) from e
        try:
            return self._change(path, edit)
        finally:
            lock.__exit__(*sys.exc_info())

    def _change(
        self, path: str, edit: Callable[[Registries], Registries]
    ) -> Optional[StateCorrupt]:
        before, problem = self.read()
        if problem is not None and not isinstance(problem, StateCorrupt):
            raise problem
        after = edit(before)
        if problem is None and after == before:
            return None
        data = _dump(after)
        try:
            if problem is None:
                atomic_write(path, data)
                return None
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
            with set_aside(path, stamp) as aside:
                atomic_write(path, data)
        except OSError as e:
            raise _unavailable(path, "cannot be written; nothing was changed", e) from e
        return _corrupt(path, problem.faults, aside)

    def note(self, taken: KnownRegistry) -> None:
        """Notes what was learned at a contact: serial and digests, and keys that were rotated.

        A registry that is gone by now, or is another by now, is left alone, and so is one of
        which a higher serial has been noted.

        Args:
            taken: The registry as it is known since the contact.

        Raises:
            StateNewer: As ``change``.
            StateUnavailable: As ``change``.
            LockTimeout: As ``change``.
        """

        def edit(known: Registries) -> Registries:
            return tuple(
                each._replace(
                    keys=taken.keys,
                    serial=taken.serial,
                    digest=taken.digest,
                    revoked=taken.revoked,
                    contact=taken.contact,
                )
                if (each.name, each.url) == (taken.name, taken.url) and taken.serial >= each.serial
                else each
                for each in known
            )

        self.change(edit)

    def now(self) -> str:
        """The time as it is noted: UTC, to the second (RFC 3339)."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))


def _dump(registries: Registries) -> bytes:
    whole = {"schema": _SCHEMA, "registries": [each._asdict() for each in registries]}
    return f"{json.dumps(whole, indent=2, sort_keys=True)}\n".encode("ascii")


def _parsed(path: str, data: bytes) -> RegistryReading:
    try:
        whole = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        return RegistryReading((), _corrupt(path, [Fault("", data[:40], f"is no JSON ({e})")]))
    if not isinstance(whole, dict) or not isinstance(whole.get("registries"), list):
        rule = "must be an object with the list registries"
        return RegistryReading((), _corrupt(path, [Fault("", whole, rule)]))
    schema = whole.get("schema")
    if isinstance(schema, int) and schema > _SCHEMA:
        return RegistryReading(_entries(whole["registries"])[0], _newer(path, schema))
    found, faults = _entries(whole["registries"])
    if schema != _SCHEMA:
        faults.insert(0, Fault("schema", schema, f"must be {_SCHEMA}"))
    return RegistryReading(found, _corrupt(path, faults) if faults else None)


_KINDS: Mapping[str, Tuple[type, str]] = {
    "name": (str, "must be text"),
    "url": (str, "must be text"),
    "serial": (int, "must be a number"),
    "digest": (str, "must be text"),
    "revoked": (str, "must be text"),
    "contact": (int, "must be a number"),
    "wins": (bool, "must be true or false"),
    "added": (str, "must be text"),
}


def _entries(listed: List[Any]) -> Tuple[Registries, List[Fault]]:
    found: Dict[str, KnownRegistry] = {}
    faults: List[Fault] = []
    for number, each in enumerate(listed):
        path = f"registries[{number}]"
        if not isinstance(each, dict):
            faults.append(Fault(path, each, "must be an object"))
            continue
        wrong = [
            Fault(f"{path}.{key}", each.get(key), rule)
            for key, (kind, rule) in _KINDS.items()
            if type(each.get(key)) is not kind
        ]
        keys = each.get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            # Without its keys a registry would be trusted that is not to be.
            wrong.append(Fault(f"{path}.keys", keys, "must be a list of texts"))
        if not wrong and not (is_valid(each["name"]) and canonical(each["name"]) == each["name"]):
            wrong.append(Fault(f"{path}.name", each["name"], "must be a canonical name"))
        if not wrong and each["name"] in found:
            wrong.append(Fault(f"{path}.name", each["name"], "must be there only once"))
        faults += wrong
        if not wrong:
            plain = {key: each[key] for key in _KINDS}
            found[each["name"]] = KnownRegistry(**plain, keys=tuple(each["keys"]))
    return tuple(found.values()), faults


def _newer(path: str, schema: int) -> StateNewer:
    return StateNewer(
        f"the list of registries {path} was written by a later version of pkl (schema {schema}, "
        f"this one knows {_SCHEMA}): what is understood of it counts, and it is not changed",
        file=path,
        hint="upgrade pkl",
        schema=schema,
    )


def _corrupt(path: str, faults: Sequence[Fault], aside: str = "") -> StateCorrupt:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"the list of registries {path} is damaged ({count})"]
    lines += [f"  {fault}" for fault in faults[:10]]
    if aside:
        lines[0] += f" and was set aside as {aside}; what could be understood of it counts"
        hint = "add again what is missing, then delete what was set aside"
    else:
        hint = "pkl registry list shows what is understood; the next change sets the file aside"
    return StateCorrupt("\n".join(lines), faults, aside=aside or None, file=path, hint=hint)


def _unavailable(path: str, what: str, error: OSError) -> StateUnavailable:
    where = error.filename if isinstance(error.filename, str) else path
    return StateUnavailable(
        f"the list of registries {what}: {where}: {error.strerror or error}",
        file=path,
        hint=f"make it readable and writable, or {_OWN_DIRECTORY}",
        errno=error.errno,
    )
