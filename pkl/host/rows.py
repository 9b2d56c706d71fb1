"""The plugins a host knows: how a row comes to be, and what people want of each."""

from __future__ import annotations

import os
from typing import Dict, Mapping, Optional, Tuple, Union

from ..errors import ManifestError
from ..kernel.core import Kernel
from ..kernel.plugin import Plugin
from ..model.candidate import Candidate, Origin
from ..model.manifest import PluginMetadata
from ..model.state import Action, Desired, Reason
from ..names import canonical
from .finding import HostFinder

__all__ = ["PathLike", "Rows"]

PathLike = Union[str, "os.PathLike[str]"]


class Rows:
    """The known plugins of one host, and what is wanted of plugins known or not.

    Args:
        kernel: The host's kernel, which keeps the rows.
        finder: Where candidates come from.
    """

    def __init__(self, kernel: Kernel, finder: HostFinder) -> None:
        self._kernel = kernel
        self._finder = finder
        self._desired: Dict[str, Desired] = {}

    @property
    def desired(self) -> Mapping[str, Desired]:
        """What people want of each plugin; of one that is not in it, ``enabled``."""
        known = {n: p.desired for n, p in list(self._kernel.plugins.items())}
        return {**known, **self._desired}

    def set_desired(self, name: str, desired: Desired) -> None:
        """Notes what people want of a plugin, known yet or not."""
        self._desired[canonical(name)] = desired
        self.apply_desired()

    def take_desired(self, desired: Mapping[str, Desired]) -> None:
        """Notes all that people want, in place of what was noted; of the rest, ``enabled``."""
        self._desired = dict(desired)
        for name, plugin in list(self._kernel.plugins.items()):
            plugin.desired = self._desired.get(name, Desired.ENABLED)

    def apply_desired(self) -> None:
        """Tells each row what people want of it."""
        for name, desired in list(self._desired.items()):
            plugin = self._kernel.plugins.get(name)
            if plugin is not None:
                plugin.desired = desired

    def candidates(self) -> Tuple[Candidate, ...]:
        """What discovery found, and what was loaded by path."""
        found = list(self._finder.found.candidates)
        seen = {(c.name, c.location) for c in found}
        for plugin in list(self._kernel.plugins.values()):
            candidate = plugin.candidate
            by_path = plugin.parent is None and candidate.origin is Origin.PATH
            if by_path and (candidate.name, candidate.location) not in seen:
                found.append(candidate)
        return tuple(found)

    def row(
        self, source: Optional[PathLike], path: Optional[PathLike], parent: Optional[Plugin]
    ) -> Plugin:
        """The row that ``load_plugin(source, path=path)`` means, made if need be.

        Args:
            source: A path, or (a ``str`` without a path separator) a name.
            path: A path, whatever it looks like.
            parent: The plugin that loads it: paths are relative to it, and it is the parent.

        Raises:
            PluginNotFound: No source has a plugin of that name.
            PathError: There is no plugin at that path.
            ManifestError: Its manifest is faulty.
            NameRefused: Another plugin of its name is in use.
            HostClosed: The host is closed.
        """
        self._kernel.check_open()
        if path is None:
            if source is None:
                raise TypeError("load_plugin takes a path or a name")
            if isinstance(source, str) and not _looks_like_path(source):
                known = self._kernel.plugins.get(canonical(source))
                return known or self._add(self._finder.by_name(source), None)
            path = source
        elif source is not None:
            raise TypeError("load_plugin takes a path or a name, not both")
        where = os.fspath(path)
        if parent is not None and parent.candidate.location is not None:
            own = parent.candidate.location
            where = os.path.join(own if os.path.isdir(own) else os.path.dirname(own), where)
        try:
            candidate = self._finder.by_path(where)
        except ManifestError as error:
            self._note_faulty(error, parent)
            raise
        return self._add(candidate, parent)

    def _add(self, candidate: Candidate, parent: Optional[Plugin]) -> Plugin:
        plugin = self._kernel.add(candidate, parent)
        plugin.desired = self._desired.get(plugin.name, plugin.desired)
        return plugin

    def _note_faulty(self, error: ManifestError, parent: Optional[Plugin]) -> None:
        """Keeps a row in ERROR(manifest) for a plugin whose manifest tells its name at least."""
        if error.plugin is None or canonical(error.plugin) in self._kernel.plugins:
            return
        reason = Reason("manifest", error.message, error.message.splitlines()[0], error.hint)
        version, critical = error.version or "0", error.critical
        metadata = PluginMetadata.bare(error.plugin, version, file=error.file, critical=critical)
        candidate = Candidate(
            metadata.name, metadata, Origin.PATH, manifest_file=error.file, fault=reason
        )
        plugin = self._add(candidate, parent)
        plugin.move(Action.FAIL, reason)
        plugin.error = error


def _looks_like_path(source: str) -> bool:
    return os.sep in source or bool(os.altsep and os.altsep in source) or source in (".", "..")
