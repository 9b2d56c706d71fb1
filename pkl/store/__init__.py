"""What people want of the plugins of each host, kept on disk.

``HostState`` is the value, ``StateStore`` keeps it. Inside: ``state`` (the values and their
changes), ``schema`` (to and from JSON, every fault named), ``naming`` (a file for each host),
``disk`` and ``problems`` (the files, and what is wrong with them), ``store`` (reading, and
changing under a lock), ``holding`` (quarantine as the fault of a candidate), ``registries`` (those
that the user knows, a file for all hosts).
"""

from __future__ import annotations

from .holding import held
from .registries import RegistryBook, RegistryReading
from .schema import SCHEMA
from .state import Consent, HeldUpdate, HostFacts, HostState, Pin, PluginRecord, Quarantine, Wish
from .store import Change, Reading, StateStore

__all__ = [
    "SCHEMA",
    "Change",
    "Consent",
    "HeldUpdate",
    "HostFacts",
    "HostState",
    "Pin",
    "PluginRecord",
    "Quarantine",
    "Reading",
    "RegistryBook",
    "RegistryReading",
    "StateStore",
    "Wish",
    "held",
]
