"""The state of one host as a value: what people want of its plugins, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Optional, Tuple

from ..model.state import Desired, Reason
from ..names import canonical

__all__ = [
    "Consent",
    "HeldUpdate",
    "HostFacts",
    "HostState",
    "Pin",
    "PluginRecord",
    "Quarantine",
    "Wish",
]


@dataclass(frozen=True)
class Wish:
    """What people want of a plugin.

    Attributes:
        desired: What they want.
        since: When they said so, as ``2026-11-25T03:00:00Z``; empty if that is not known.
        by: How they said so, such as ``pkl disable auth``.
        extra: Keys that this version of pkl does not know, kept as they are.
    """

    desired: Desired
    since: str = ""
    by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pin:
    """The version of a plugin that is preferred to any other."""

    version: str
    since: str = ""
    by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Consent:
    """A permission that was granted to a plugin, or something else that it may do from then on.

    Attributes:
        value: What the plugin asked for when it was granted.
        version: The plugin's version at that time.
        since: When it was granted.
        by: How it was granted.
        extra: Keys that this version of pkl does not know.
    """

    value: Any
    version: str = ""
    since: str = ""
    by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldUpdate:
    """An update that is not taken before somebody consents to what it asks for.

    Attributes:
        version: The version that is held; the one that is there stays.
        changes: What it asks for, each in a line.
        consent: What ``--consent`` takes to let it in.
        since: When it was first held.
        by: Which command held it.
        extra: Keys that this version of pkl does not know.
    """

    version: str
    changes: Tuple[str, ...] = ()
    consent: str = ""
    since: str = ""
    by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """In a line, such as ``1.1 asks for threads``."""
        return f"{self.version} {'; '.join(self.changes)}"


@dataclass(frozen=True)
class Quarantine:
    """A plugin failed so often that nothing starts it before it is reset."""

    since: str
    why: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def reason(self, name: str) -> Reason:
        """Why nothing starts the plugin of that name."""
        text = f"{name} is in quarantine"
        since = f" since {self.since}" if self.since else ""
        why = f": {self.why}" if self.why else ""
        return Reason("quarantined", f"{text}{since}{why}", f"{text}{why}", f"pkl reset {name}")


@dataclass(frozen=True)
class PluginRecord:
    """All that is kept of one plugin.

    Attributes:
        wish: What people want of it; None if nobody said.
        pin: Its preferred version, or None.
        quarantine: Why nothing may start it, or None.
        consents: The permissions granted, by their names; and what else an update was let in
            for, such as ``dependency:NAME`` (``docs/trust.md``).
        settings: Its settings: plain JSON values.
        held: The update that is held, or None.
        extra: Keys that this version of pkl does not know.
    """

    wish: Optional[Wish] = None
    pin: Optional[Pin] = None
    quarantine: Optional[Quarantine] = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    held: Optional[HeldUpdate] = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self == _EMPTY


_EMPTY = PluginRecord()


@dataclass(frozen=True)
class HostFacts:
    """What a host said of itself when it last started, so that it can be looked at offline.

    Attributes:
        name: Its name, as it spells it.
        version: Its version, or None.
        group: The entry-point group its plugins are found in.
        paths: Its plugin directories, absolute.
        app: ``MODULE:ATTR`` of its application, or None where that is not known.
        points: The points it declares, each with its JSON Schema or None for any value; None
            for a host that declares nothing.
        extra: Keys that this version of pkl does not know.
    """

    name: str
    version: Optional[str] = None
    group: Optional[str] = None
    paths: Tuple[str, ...] = ()
    app: Optional[str] = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    points: Optional[Mapping[str, Any]] = None


@dataclass(frozen=True)
class HostState:
    """All that is kept of one host. The methods give a changed copy.

    Attributes:
        facts: What it said of itself; None before its first start.
        plugins: What is kept of its plugins, by canonical name, known to the host or not.
        extra: Keys that this version of pkl does not know.
    """

    facts: Optional[HostFacts] = None
    plugins: Mapping[str, PluginRecord] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def record(self, plugin: str) -> PluginRecord:
        """What is kept of a plugin; an empty record if that is nothing."""
        return self.plugins.get(canonical(plugin), _EMPTY)

    @property
    def desired(self) -> Mapping[str, Desired]:
        """What people want, of the plugins they said something of."""
        return {n: r.wish.desired for n, r in self.plugins.items() if r.wish is not None}

    @property
    def pins(self) -> Mapping[str, str]:
        """The preferred version of each plugin that has one."""
        return {n: r.pin.version for n, r in self.plugins.items() if r.pin is not None}

    @property
    def quarantined(self) -> Mapping[str, Reason]:
        """Why nothing may start them, of the plugins in quarantine."""
        return {
            name: record.quarantine.reason(name)
            for name, record in self.plugins.items()
            if record.quarantine is not None
        }

    def with_facts(self, facts: HostFacts) -> "HostState":
        """The host said this of itself; what it does not say of its application stays."""
        known = self.facts
        if known is not None:
            facts = replace(facts, app=facts.app or known.app, extra={**known.extra, **facts.extra})
        return replace(self, facts=facts)

    def with_record(self, plugin: str, record: PluginRecord) -> "HostState":
        """This is kept of a plugin from now on; nothing if the record is empty."""
        plugins = {**self.plugins, canonical(plugin): record}
        if record.empty:
            del plugins[canonical(plugin)]
        return replace(self, plugins=plugins)

    def with_desired(
        self, plugin: str, desired: Desired, *, since: str = "", by: str = ""
    ) -> "HostState":
        """People want this of a plugin; if they did already, since when and how stays."""
        record = self.record(plugin)
        wish = record.wish or Wish(Desired.ENABLED)
        if wish.desired is desired:
            return self
        wish = replace(wish, desired=desired, since=since, by=by)
        return self.with_record(plugin, replace(record, wish=wish))

    def with_pin(
        self, plugin: str, version: Optional[str], *, since: str = "", by: str = ""
    ) -> "HostState":
        """This version of a plugin is preferred; with None, none is."""
        record = self.record(plugin)
        pin = None
        if version is not None:
            pin = replace(record.pin or Pin(version), version=version, since=since, by=by)
        return self.with_record(plugin, replace(record, pin=pin))

    def with_quarantine(self, plugin: str, quarantine: Optional[Quarantine]) -> "HostState":
        """Nothing may start a plugin; with None, it may start again."""
        return self.with_record(plugin, replace(self.record(plugin), quarantine=quarantine))

    def with_consent(self, plugin: str, permission: str, consent: Optional[Consent]) -> "HostState":
        """A permission is granted to a plugin; with None, it is taken back."""
        record = self.record(plugin)
        consents = {**record.consents}
        if consent is not None:
            consents[permission] = consent
        else:
            consents.pop(permission, None)
        return self.with_record(plugin, replace(record, consents=consents))

    def with_held(self, plugin: str, held: Optional[HeldUpdate]) -> "HostState":
        """An update of a plugin is held; with None, none is. Since when it was first, stays."""
        record = self.record(plugin)
        known = record.held
        if known is not None and held is not None and known.version == held.version:
            held = replace(held, since=known.since, by=known.by, extra=known.extra)
        return self.with_record(plugin, replace(record, held=held))

    def with_settings(self, plugin: str, settings: Mapping[str, Any]) -> "HostState":
        """These are all the settings of a plugin."""
        return self.with_record(plugin, replace(self.record(plugin), settings=dict(settings)))
