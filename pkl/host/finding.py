"""Finds candidates for one host: discovery with the host's settings, by name and by path."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..discovery import discover, read_directory
from ..errors import PluginNotFound
from ..model.candidate import Candidate, Discovery, Origin
from ..model.state import Reason
from ..names import canonical, did_you_mean
from ..resolver import resolve
from ..store import held
from .installed import HostGeneration

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..model.contributions import Points
    from ..registry.revocation import Revoked

__all__ = ["HostFinder"]


class HostFinder:
    """The kernel's ``Finder`` port: what the host's group and paths hold.

    Args:
        group: The entry-point group.
        paths: Plugin directories.
        cache: Whether the result may be cached on disk.
        precedence: Distributions or directories that win where two offer one name, best first.
        metadata_loader: What reads the manifest of a directory, or None for pkl's own.
        points: The points of the host, whose schemas manifests are held against; or None.
        generation: What pkl installed for the host.
    """

    def __init__(
        self,
        group: str,
        paths: Sequence[str],
        cache: bool,
        precedence: Sequence[str] = (),
        metadata_loader: Any = None,
        points: Optional["Points"] = None,
        generation: Optional[HostGeneration] = None,
    ) -> None:
        self.group = group
        self.paths: Tuple[str, ...] = tuple(paths)
        self._cache = cache
        self._precedence = tuple(precedence)
        self._metadata_loader = metadata_loader
        self._generation = generation or HostGeneration(None)
        self._found: Optional[Discovery] = None
        self._held: Mapping[str, Reason] = {}
        self._revoked: Optional["Revoked"] = None
        self._by_name: Dict[str, List[Candidate]] = {}
        self.kernel: Optional["Kernel"] = None
        self.points = points

    def discover(self, refresh: bool = False) -> Discovery:
        """Looks at every source now; imports nothing."""
        found = discover(
            group=self.group,
            paths=self.paths,
            added=self._generation.entries,
            left_out=self._generation.left_out,
            cache=self._cache,
            refresh=refresh,
            metadata_loader=self._metadata_loader,
        )
        return self._note(found)

    def hold(self, reasons: Mapping[str, Reason], revoked: Optional["Revoked"] = None) -> None:
        """Keeps these plugins from being started, and no others; what was found is marked anew.

        Args:
            reasons: Why nothing may start them, by name.
            revoked: What registries have revoked; None if none of them ever did.
        """
        self._held = dict(reasons)
        self._revoked = revoked
        if self._found is not None:
            self._note(self._found)

    def marked(self, candidate: Candidate) -> Candidate:
        """The candidate, with what speaks against it in this host as its fault."""
        found = held(candidate, self._held)
        found = self._revoked.marked(found) if self._revoked is not None else found
        return self.points.marked(found) if self.points is not None else found

    def _note(self, found: Discovery) -> Discovery:
        self._found = found = replace(found, candidates=tuple(map(self.marked, found.candidates)))
        by_name: Dict[str, List[Candidate]] = {}
        for candidate in found.candidates:
            by_name.setdefault(candidate.name, []).append(candidate)
        self._by_name = by_name
        return found

    @property
    def found(self) -> Discovery:
        """What the last ``discover`` found; the first access looks."""
        return self._found if self._found is not None else self.discover()

    def by_name(self, name: str) -> Candidate:
        """The candidate of that name; a collision's carries the fault.

        Raises:
            PluginNotFound: No source has it.
        """
        wanted = canonical(name)
        named = self._named(wanted)
        if not named:
            self.discover()
            named = self._named(wanted)
        if named:
            return self._one_of(named)
        known = list(self._by_name)
        known += list(self.kernel.plugins) if self.kernel is not None else []
        meant = did_you_mean(wanted, known)
        where = f"the entry-point group {self.group!r}"
        if self.paths:
            where += " and " + ", ".join(self.paths)
        guess = f"; did you mean {meant!r}?" if meant else ""
        raise PluginNotFound(
            f"no plugin {wanted!r} in {where}{guess}",
            plugin=wanted,
            hint="pkl list shows what there is; a directory is loaded with load_plugin(path=…)",
            did_you_mean=meant,
        )

    def _named(self, name: str) -> Sequence[Candidate]:
        if self._found is None:
            self.discover()
        return self._by_name.get(name, ())

    def peek(self, name: str) -> Optional[Candidate]:
        """The candidate of that canonical name if it was found and is sound, or None."""
        named = self._named(name)
        candidate = self._one_of(named) if named else None
        return candidate if candidate is not None and candidate.fault is None else None

    def _one_of(self, named: Sequence[Candidate]) -> Candidate:
        """The candidate of a name; of several the plan's choice, carrying its fault if any."""
        if len(named) == 1:
            return named[0]
        plan = resolve(named, roots=[named[0].name], precedence=self._precedence)
        step = plan.step(named[0].name)
        if step is not None:
            return step.candidate
        return replace(named[0], fault=plan.blocked.get(named[0].name))

    def by_path(self, path: str) -> Candidate:
        """The candidate in a directory.

        Raises:
            PathError: There is no plugin there.
            ManifestError: Its manifest is faulty and does not tell its name.
        """
        found = read_directory(
            os.path.abspath(path), metadata_loader=self._metadata_loader, origin=Origin.PATH
        )
        return self.marked(found)
