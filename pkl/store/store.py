"""Keeps the state of each host in a file: read at any time, changed by one process at a time."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import suppress
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from ..errors import Fault, PklError, StateCorrupt, StateUnavailable
from ..files import FileLock, atomic_write
from ..model.state import Desired
from ..paths import user_state_dir
from .disk import Unsound, load, make_directory, objection_to, set_aside
from .naming import SUFFIX, file_name, is_aside, is_temporary, lock_name
from .problems import corrupt, foreign, newer, unflushed, unreadable, unwritable
from .schema import DEEPEST, dump_state, json_faults, parse_state
from .state import Consent, HostState, Quarantine

__all__ = ["Change", "Reading", "StateStore", "plain_settings"]


class Reading(NamedTuple):
    """What the file of a host says.

    Attributes:
        state: What was understood; empty if there is no file.
        path: The file.
        problem: Why that may not be all: a ``StateCorrupt``, ``StateNewer`` or
            ``StateUnavailable``; None if it is all.
    """

    state: HostState
    path: str
    problem: Optional[PklError] = None


class Change(NamedTuple):
    """What a change came to.

    Attributes:
        state: The state from now on.
        before: The state until then.
        path: The file.
        problem: The file was damaged and has been set aside; None if it was sound.
    """

    state: HostState
    before: HostState
    path: str
    problem: Optional[StateCorrupt] = None


class StateStore:
    """The state files of all hosts of this user, in one directory.

    Every method may be called from any thread and any process; changes exclude each other, and
    a reader sees the state before a change or after it. Whoever is killed in the middle of a
    change leaves the state before or after it.

    Args:
        directory: Where the files are; ``hosts`` in the user's state directory if None. It is
            made, with mode 0700, when something is first kept.
        timeout: How long to wait for another's change, in seconds; None for any time.
        clock: What time it is, in seconds since 1970; only noted, never compared.
    """

    def __init__(
        self,
        directory: Optional[str] = None,
        *,
        timeout: Optional[float] = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._timeout = timeout
        self._clock = clock

    @property
    def directory(self) -> str:
        """Where the files are; it may not exist yet."""
        return self._directory or os.path.join(user_state_dir(), "hosts")

    def path_of(self, host: str) -> str:
        """The file of a host, whatever its name is made of."""
        return os.path.join(self.directory, file_name(host))

    def now(self) -> str:
        """The time as it is noted: UTC, to the second (RFC 3339)."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))

    def read(self, host: str) -> Reading:
        """What is kept of a host; never raises for what is on the disk, and changes nothing."""
        return self._read(host, self.path_of(host))

    def hosts(self) -> Mapping[str, Reading]:
        """What is kept of every host, by name, sorted; a file that does not say its host's name
        is listed by its own."""
        found = [self._read("", path) for path in self._files()]
        named = {}
        for each in found:
            facts = each.state.facts
            stem = os.path.basename(each.path)[: -len(SUFFIX)]
            own = facts is not None and self.path_of(facts.name) == each.path
            named[facts.name if facts is not None and own else stem] = each
        return {name: named[name] for name in sorted(named)}

    def leftovers(self) -> Iterator[Tuple[str, bool]]:
        """Files beside the state: each with whether it was set aside, or else is what an
        interrupted change left behind."""
        names = self._names()
        states = [name for name in names if name.endswith(SUFFIX)]
        for name in names:
            if is_aside(name):
                yield os.path.join(self.directory, name), True
            elif any(is_temporary(name, each) for each in states):
                yield os.path.join(self.directory, name), False

    def change(self, host: str, edit: Callable[[HostState], HostState]) -> Change:
        """Changes the state of a host as one step, on top of what it is then.

        A damaged file is set aside first, and what could be understood of it counts. If
        ``edit`` changes nothing, nothing is written.

        Args:
            host: The host's name.
            edit: Gives the new state for the old; what it raises ends the change.

        Raises:
            StateNewer: A later version of pkl wrote the file; nothing was changed.
            StateUnavailable: It cannot be read or written; nothing was changed.
            LockTimeout: Another is changing it all the while.
            LockReentered: ``edit`` changes the state of the same host.
            TypeError: A setting or consent is no JSON value; nothing was changed.
            ValueError: As above.
        """
        return self._locked(host, self.path_of(host), edit)

    def _locked(self, host: str, path: str, edit: Callable[[HostState], HostState]) -> Change:
        lock = FileLock(
            os.path.join(self.directory, lock_name(os.path.basename(path))), self._timeout
        )
        try:
            make_directory(self.directory)
            lock.__enter__()
        except OSError as e:
            if isinstance(e, PklError):
                raise
            raise unwritable(host, path, e) from e
        try:
            return self._change(host, path, edit)
        finally:
            lock.__exit__(*sys.exc_info())

    def repair(self, path: str) -> Change:
        """Sets a damaged file aside and keeps what could be understood of it.

        Args:
            path: The file: that of a host's ``Reading``, whose name it may no longer tell.

        Raises:
            StateNewer: As ``change``.
            StateUnavailable: As ``change``.
            LockTimeout: As ``change``.
        """
        whole = os.path.join(self.directory, os.path.basename(path))
        return self._locked(os.path.basename(path)[: -len(SUFFIX)], whole, lambda state: state)

    # What people say, one by one.

    def set_desired(
        self, host: str, desired: Mapping[str, Union[Desired, str]], *, by: str = ""
    ) -> Change:
        """People want this of these plugins; raises as ``change`` does.

        Args:
            host: The host's name.
            desired: What they want, by plugin.
            by: How they said so, such as ``pkl disable auth``.

        Raises:
            ValueError: What is wanted is none of ``enabled``, ``disabled``, ``masked``.
        """
        wanted = {name: Desired(each) for name, each in desired.items()}
        since = self.now()

        def edit(state: HostState) -> HostState:
            for name, each in wanted.items():
                state = state.with_desired(name, each, since=since, by=by)
            return state

        return self.change(host, edit)

    def pin(self, host: str, plugin: str, version: Optional[str], *, by: str = "") -> Change:
        """This version of a plugin is preferred; None forgets that. Raises as ``change`` does."""
        since = self.now()
        return self.change(host, lambda s: s.with_pin(plugin, version, since=since, by=by))

    def quarantine(
        self, host: str, plugin: str, since: Optional[float] = None, why: str = ""
    ) -> Change:
        """Nothing starts a plugin any more before it is reset; raises as ``change`` does.

        Args:
            host: The host's name.
            plugin: The plugin.
            since: Since when, in seconds since 1970; None for now.
            why: What it did, in one line.
        """
        seconds = self._clock() if since is None else since
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        return self.change(host, lambda s: s.with_quarantine(plugin, Quarantine(stamp, why)))

    def reset(self, host: str, *plugins: str) -> Change:
        """Ends the quarantine of plugins; raises as ``change`` does."""

        def edit(state: HostState) -> HostState:
            for plugin in plugins:
                state = state.with_quarantine(plugin, None)
            return state

        return self.change(host, edit)

    def consent(
        self, host: str, plugin: str, granted: Mapping[str, Any], *, version: str, by: str = ""
    ) -> Change:
        """Grants permissions to a plugin; raises as ``change`` does.

        Args:
            host: The host's name.
            plugin: The plugin.
            granted: What is granted, by permission: what the manifest asks for.
            version: The plugin's version that asks.
            by: How that was said.
        """
        _check({name: _plain(value) for name, value in granted.items()}, "consents")
        since = self.now()

        def edit(state: HostState) -> HostState:
            for name, value in granted.items():
                known = state.record(plugin).consents.get(name)
                new = Consent(_plain(value), version, since, by)
                if known is None or (known.value, known.version) != (new.value, new.version):
                    state = state.with_consent(plugin, name, new)
            return state

        return self.change(host, edit)

    def revoke(self, host: str, plugin: str, *permissions: str) -> Change:
        """Takes permissions of a plugin back; raises as ``change`` does."""

        def edit(state: HostState) -> HostState:
            for name in permissions:
                state = state.with_consent(plugin, name, None)
            return state

        return self.change(host, edit)

    def change_settings(
        self, host: str, plugin: str, edit: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> Change:
        """Changes the settings of a plugin; raises as ``change`` does.

        Args:
            host: The host's name.
            plugin: The plugin.
            edit: Gives the new settings for the old: plain JSON values under text keys.

        Raises:
            ValueError: A value is none that JSON has; the text says where.
        """

        def whole(state: HostState) -> HostState:
            settings = edit(dict(state.record(plugin).settings))
            return state.with_settings(plugin, plain_settings(settings))

        return self.change(host, whole)

    # Reading and writing.

    def _read(self, host: str, path: str) -> Reading:
        objection = objection_to(self.directory)
        if objection:
            return Reading(HostState(), path, foreign(path, objection))
        try:
            data = load(path)
        except Unsound as e:
            return Reading(HostState(), path, corrupt(path, (Fault("", path, str(e)),)))
        except OSError as e:
            return Reading(HostState(), path, unreadable(host, path, e))
        if data is None:
            return Reading(HostState(), path)
        parsed = parse_state(data)
        if parsed.newer:
            return Reading(parsed.state, path, newer(path, parsed.schema))
        problem = corrupt(path, parsed.faults) if parsed.faults else None
        return Reading(parsed.state, path, problem)

    def _change(self, host: str, path: str, edit: Callable[[HostState], HostState]) -> Change:
        before, _, problem = self._read(host, path)
        if problem is not None and not isinstance(problem, StateCorrupt):
            raise problem
        after = edit(before)
        data = dump_state(after)
        if problem is None and data == dump_state(before):
            return Change(after, before, path)
        with suppress(OSError):
            self._sweep(path)
        try:
            if problem is None:
                _close_to_others(path)
                atomic_write(path, data)
                return Change(after, before, path)
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
            with set_aside(path, stamp) as aside:
                atomic_write(path, data)
        except OSError as e:
            raise _failed(host, path, data, e) from e
        return Change(after, before, path, corrupt(path, problem.faults, aside))

    def _sweep(self, path: str) -> None:
        """Deletes what earlier changes left that were killed; the lock is held."""
        name = os.path.basename(path)
        for each in self._names():
            if is_temporary(each, name):
                os.unlink(os.path.join(self.directory, each))

    def _files(self) -> List[str]:
        return [os.path.join(self.directory, n) for n in self._names() if n.endswith(SUFFIX)]

    def _names(self) -> List[str]:
        try:
            return sorted(os.listdir(self.directory))
        except OSError:
            return []


def _failed(host: str, path: str, data: bytes, error: OSError) -> StateUnavailable:
    """The error for a writing that failed: nearly always before anything was changed."""
    with suppress(OSError, Unsound):
        if load(path) == data:
            return unflushed(host, path, error)
    return unwritable(host, path, error)


def plain_settings(settings: Mapping[str, Any]) -> Dict[str, Any]:
    """A copy of settings as they can be kept: read-only mappings and tuples are accepted, too.

    Raises:
        ValueError: A value is none that JSON has; the text says where, and shows no value.
    """
    try:
        found: Dict[str, Any] = _plain(dict(settings))
    except RecursionError:
        raise ValueError(f"settings: is nested more than {DEEPEST} deep") from None
    _check(found, "settings")
    return found


def _check(value: Any, path: str) -> None:
    faults = json_faults(value, path)
    if faults:
        # Not what stands there: it may be a secret.
        raise ValueError("; ".join(f"{fault.path}: {fault.rule}" for fault in faults))


def _plain(value: Any) -> Any:
    """A value of a manifest as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _close_to_others(path: str) -> None:
    """Settings may hold secrets, and a file that is replaced keeps its mode."""
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & 0o077 and sys.platform != "win32":
            os.chmod(path, mode & 0o700)
