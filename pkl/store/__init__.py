"""What people want of the plugins of each host, kept on disk.

``HostState`` is the value, ``StateStore`` keeps it. Inside: ``state`` (the values and their
changes), ``schema`` (to and from JSON, every fault named), ``naming`` (a file for each host),
``disk`` and ``problems`` (the files, and what is wrong with them), ``store`` (reading, and
changing under a lock), ``holding`` (quarantine as the fault of a candidate), ``start_marks`` (hosts
that are starting, or died of it), ``registries`` (those that the user knows, a file for all hosts).
"""

from __future__ import annotations

from .holding import held
from .registries import RegistryBook, RegistryReading
from .schema import SCHEMA
from .start_marks import DeadStart, StartMark, dead_starts, forget
from .state import Consent, HeldUpdate, HostFacts, HostState, Pin, PluginRecord, Quarantine, Wish
from .store import Change, Reading, StateStore, plain_settings

__all__ = [
    "SCHEMA",
    "Change",
    "Consent",
    "DeadStart",
    "HeldUpdate",
    "HostFacts",
    "HostState",
    "Pin",
    "PluginRecord",
    "Quarantine",
    "Reading",
    "RegistryBook",
    "RegistryReading",
    "StartMark",
    "StateStore",
    "Wish",
    "dead_starts",
    "forget",
    "held",
    "plain_settings",
]
