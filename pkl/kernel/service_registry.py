"""Which services there are in one host, who uses them, and how users are led to providers.

Everything here is changed under one lock, and no code of a plugin runs under it: who is to be
told of a change is noted there and told after it.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Hashable,
    Iterable,
    Iterator,
    List,
    Sequence,
    Tuple,
)

from .context import Subject

if TYPE_CHECKING:
    from .provision import Provision
    from .service_handle import ServiceHandle

__all__ = ["Change", "ServiceRegistry"]


class Change:
    """What is left to do once a change of the registry is made and its lock given back."""

    __slots__ = ("handles", "stale", "wakers")

    def __init__(self) -> None:
        self.handles: Dict["ServiceHandle", None] = {}
        """Those whose watchers are to be told."""
        self.wakers: List[Callable[[], None]] = []
        """What wakes those who wait for a provider."""
        self.stale: List[Any] = []
        """What is let go of: destructors of plugins must not run under the lock."""


class _Slot:
    """Providers and users of one interface or capability."""

    __slots__ = ("handles", "provisions")

    def __init__(self) -> None:
        self.provisions: Tuple["Provision", ...] = ()
        self.handles: Dict[Hashable, "ServiceHandle"] = {}


class ServiceRegistry:
    """The services of one host. Safe from any thread, destructors and signal handlers included."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._slots: Dict[Hashable, _Slot] = {}
        self._published: Dict[Subject, List["Provision"]] = {}
        self._past: Dict[Hashable, Dict[str, str]] = {}

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """The block changes something; those concerned are told after it."""
        change = Change()
        with self._lock:
            yield change
        for wake in change.wakers:
            wake()
        for handle in change.handles:
            handle.tell()

    def publish(self, provision: "Provision") -> None:
        """Lets a provision be seen, unless its plugin has begun to stop or took it back."""
        with self.changing() as change:
            subject = provision._subject
            if not subject.live or not provision.held:
                return
            self._published.setdefault(subject, []).append(provision)
            for name in provision._names:
                slot = self._slots.setdefault(name.key, _Slot())
                slot.provisions = _ordered([*slot.provisions, provision])
                if subject.plugin is not None:
                    self._past.get(name.key, {}).pop(subject.plugin.name, None)
                self._settle(slot, change)

    def withdraw(self, provisions: Sequence["Provision"]) -> None:
        """Takes provisions out; those that are not there are left alone."""
        with self.changing() as change:
            touched: Dict[Hashable, _Slot] = {}
            for provision in provisions:
                own = self._published.get(provision._subject, [])
                if provision not in own:
                    continue
                own.remove(provision)
                if not own:
                    del self._published[provision._subject]
                for name in provision._names:
                    slot = touched[name.key] = self._slots[name.key]
                    slot.provisions = tuple(p for p in slot.provisions if p is not provision)
                    plugin = provision._subject.plugin
                    if plugin is not None and isinstance(name.key, tuple):
                        # A class made in a function is not to be kept alive by this.
                        self._past.setdefault(name.key, {})[plugin.name] = provision.version
            for key, slot in touched.items():
                self._settle(slot, change)
                self._tidy(key)
            change.stale.append(touched)

    def withdraw_all(self, subject: Subject) -> None:
        """Takes out all that a plugin provides, as it stops, last first."""
        with self._lock:
            own = list(reversed(self._published.get(subject, ())))
        if own:
            self.withdraw(own)

    def attach(
        self, key: Hashable, words: Hashable, make: Callable[[], "ServiceHandle"]
    ) -> "Tuple[ServiceHandle, bool]":
        """The handle of who asks in these words, made if there is none; whether it was made."""
        with self.changing() as change:
            slot = self._slots.setdefault(key, _Slot())
            known = slot.handles.get(words)
            if known is not None:
                return known, False
            handle = slot.handles[words] = make()
            handle.settle(slot.provisions, change)
            return handle, True

    def detach(self, key: Hashable, words: Hashable, handle: "ServiceHandle") -> None:
        """Lets a handle go that its user does not use any more."""
        with self.changing() as change:
            slot = self._slots.get(key)
            if slot is not None and slot.handles.get(words) is handle:
                del slot.handles[words]
                self._tidy(key)
            handle.end(change)

    def reconsider(self, key: Hashable, handle: "ServiceHandle") -> None:
        """Leads a handle away from providers that have begun to stop."""
        with self.changing() as change:
            slot = self._slots.get(key)
            handle.settle(() if slot is None else slot.provisions, change)

    def provisions(self, key: Hashable) -> Tuple["Provision", ...]:
        """Who provides an interface or capability, in order."""
        slot = self._slots.get(key)
        return () if slot is None else slot.provisions

    def of(self, subject: Subject) -> Tuple["Provision", ...]:
        """What somebody provides."""
        return tuple(self._published.get(subject, ()))

    def handles(self) -> List["ServiceHandle"]:
        """Every handle that somebody holds."""
        with self._lock:
            return [h for slot in self._slots.values() for h in slot.handles.values()]

    def past(self, key: Hashable) -> Dict[str, str]:
        """The plugins that provided it and do not now, by name, with the version of it."""
        return dict(self._past.get(key, {}))

    def _settle(self, slot: _Slot, change: Change) -> None:
        for handle in slot.handles.values():
            handle.settle(slot.provisions, change)

    def _tidy(self, key: Hashable) -> None:
        slot = self._slots[key]
        if not slot.handles and not slot.provisions:
            del self._slots[key]


def _ordered(provisions: Iterable["Provision"]) -> "Tuple[Provision, ...]":
    """By rank, then version, the highest first, then by plugin, then as they were made."""
    found = sorted(provisions, key=_by_name)
    found.sort(key=_by_rank, reverse=True)
    return tuple(found)


def _by_name(provision: "Provision") -> Any:
    plugin = provision._subject.plugin
    return ("" if plugin is None else plugin.name, provision._number)


def _by_rank(provision: "Provision") -> Any:
    return (provision.rank, provision._version_key)
