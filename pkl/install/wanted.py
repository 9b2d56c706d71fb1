"""What people asked to have installed: the roots that every solve starts from."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Optional, Tuple

from ..model.candidate import Candidate

__all__ = ["HostSide", "Pinned", "Root", "RootKind"]


class RootKind(str, Enum):
    """Where a root comes from."""

    REGISTRY = "registry"
    """By name, from the registry that has it."""
    WHEEL = "wheel"
    """A wheel file on this machine."""
    EDITABLE = "editable"
    """A project directory whose code is used in place."""

    def __str__(self) -> str:
        return self.value


class Root(NamedTuple):
    """One thing that somebody asked for; a generation keeps its roots.

    Attributes:
        name: The canonical name of the plugin.
        requirement: What was asked for, as in ``auth>=1.2``; plugin level, not distribution.
        kind: Where it comes from.
        path: The absolute path of the wheel or of the directory; empty for a registry.
        registry: The registry that it must come from; empty for the one that has the name.
    """

    name: str
    requirement: str
    kind: RootKind = RootKind.REGISTRY
    path: str = ""
    registry: str = ""


class Pinned(NamedTuple):
    """A distribution of the host's own environment, which no plugin may move.

    Attributes:
        name: Its canonical name (PEP 503).
        version: Its version.
        location: Where it is installed.
    """

    name: str
    version: str
    location: str


class HostSide(NamedTuple):
    """All that an installation has to respect of a host and its environment.

    Attributes:
        name: The host's name; what it is kept under.
        version: The host's version; None leaves it unchecked.
        group: The entry-point group of its plugins.
        python_version: ``3.11.7``, of the interpreter that it runs on.
        found: The plugins that are there without pkl having installed them: by pip, by
            directory. They count for the solve and are never touched.
        pins: Every distribution of its environment, without those of pkl's generations.
    """

    name: str
    version: Optional[str]
    group: str
    python_version: str
    found: Tuple[Candidate, ...]
    pins: Tuple[Pinned, ...]
