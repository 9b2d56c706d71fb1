"""What discovery found: candidates that could be started, and failures that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from .manifest import PluginMetadata
from .state import Reason

__all__ = ["Candidate", "Discovery", "Failure", "Origin", "Shadowed"]


class Origin(str, Enum):
    """Where a candidate was found."""

    ENTRY_POINT = "entry-point"
    """An entry point of an installed distribution."""
    DIRECTORY = "directory"
    """A plugin directory of ``paths=``."""
    PATH = "path"
    """Named by path, on the command line or in ``load_plugin(path=…)``."""
    REGISTRY = "registry"
    """A registry; not installed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Candidate:
    """One (name, version, source) that could be started.

    Attributes:
        name: The canonical name (PEP 503) in the host's own group; the name as it is in a
            foreign group.
        metadata: The manifest, or what stands in for one. Where the manifest is faulty it
            holds the name and version alone.
        origin: The kind of source.
        location: The plugin's directory, or the file or archive that holds it; None if the
            source cannot say without importing.
        target: The entry point's value (``acme_audit`` or ``pkg.mod:obj``), or the directory.
        distribution: Name of the distribution that carries it, as it spells itself.
        distribution_version: That distribution's version.
        manifest_file: The manifest that was read, or None.
        group: The entry-point group it was found in, or None.
        requires_dist: ``Requires-Dist`` of the distribution, verbatim (PEP 508).
        fault: Why it cannot be started whatever the rest of the plan says: code ``manifest``
            (state ERROR) or ``collision``, ``metadata``, ``version``, ``stale``,
            ``entry-point-target``, ``revoked``, and of a registry ``yanked`` or ``platform``
            (state BLOCKED).
        notes: Remarks for ``pkl check`` and ``pkl doctor``, such as a shadowed copy.
    """

    name: str
    metadata: PluginMetadata
    origin: Origin
    location: Optional[str] = None
    target: str = ""
    distribution: Optional[str] = None
    distribution_version: Optional[str] = None
    manifest_file: Optional[str] = None
    group: Optional[str] = None
    requires_dist: Tuple[str, ...] = ()
    fault: Optional[Reason] = None
    notes: Tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The version text, ``0`` where none is stated."""
        return self.metadata.version

    @property
    def id(self) -> str:
        """What tells candidates of one name apart: ``distribution:name``, or the name alone."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.name

    @property
    def source(self) -> str:
        """Where it comes from, for people: the distribution and version, or the directory."""
        if self.distribution:
            return f"{self.distribution} {self.distribution_version or ''}".rstrip()
        return self.location or self.target


@dataclass(frozen=True)
class Failure:
    """Something a source could not make a candidate of; it hides nothing else.

    Attributes:
        code: A stable word, such as ``entry-points-encoding`` or ``entry-point-syntax``.
        message: What is wrong and what to do about it.
        distribution: The distribution at fault, where its name is known.
        file: The file at fault, with ``:line`` where there is one.
        name: The plugin's name, where it could be read.
    """

    code: str
    message: str
    distribution: Optional[str] = None
    file: Optional[str] = None
    name: Optional[str] = None

    def as_dict(self) -> Dict[str, Any]:
        """The failure as the JSON object of ``pkl.list/1``."""
        return {
            "distribution": self.distribution,
            "file": self.file,
            "code": self.code,
            "message": self.message,
        }


@dataclass(frozen=True)
class Shadowed:
    """A later copy of a distribution that an earlier ``sys.path`` entry hides."""

    distribution: str
    version: str
    location: str
    by: str
    """Location of the copy that is used."""


@dataclass(frozen=True)
class Discovery:
    """What one pass over the sources found; ``candidates`` are sorted by name, then source.

    ``skipped`` is what was passed over without being any plugin's fault, such as the leftovers
    of an interrupted pip; ``pkl doctor`` lists it.
    """

    candidates: Tuple[Candidate, ...] = ()
    failures: Tuple[Failure, ...] = ()
    shadowed: Tuple[Shadowed, ...] = field(default=())
    skipped: Tuple[Failure, ...] = ()

    def named(self, name: str) -> Tuple[Candidate, ...]:
        """The candidates of that exact name, several if they collide."""
        return tuple(c for c in self.candidates if c.name == name)
