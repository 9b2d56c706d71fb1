"""Metadata that is known to be valid, and is worked out only when someone asks for it.

Discovery reads the name, version and summary of hundreds of plugins where a command shows only
these; parsing what each of them requires costs more than everything else together.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..model.manifest import PluginMetadata

__all__ = ["deferred"]

_KNOWN = ("name", "display_name", "version", "summary", "file", "distribution", "data")


class _Later:
    """An attribute that is there once the whole metadata has been worked out."""

    __slots__ = ("fold", "key")

    def __init__(self, key: str, fold: bool) -> None:
        self.key = key
        self.fold = fold

    def __get__(self, metadata: Optional[PluginMetadata], owner: Any = None) -> Any:
        if metadata is None:
            return getattr(PluginMetadata, self.key)
        _work_out(metadata, self.fold)
        return getattr(metadata, self.key)


class _Deferred(PluginMetadata):
    """A ``PluginMetadata`` that turns into a plain one when more than its name is asked for."""

    fold = True

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.__dict__.update(known)

    def __eq__(self, other: object) -> bool:
        _work_out(self, self.fold)
        return self == other

    __hash__ = PluginMetadata.__hash__


class _DeferredForeign(_Deferred):
    """The same of a foreign group, whose names are kept as they are."""

    fold = False


for _key in PluginMetadata.__annotations__:
    if _key not in _KNOWN:
        setattr(_Deferred, _key, _Later(_key, True))
        setattr(_DeferredForeign, _key, _Later(_key, False))


def _work_out(metadata: PluginMetadata, fold: bool) -> None:
    known = metadata.__dict__
    whole = PluginMetadata(
        known["data"],
        file=known["file"],
        distribution=known["distribution"],
        default_name=known["display_name"],
        default_version=known["version"],
        default_summary=known["summary"],
        fold=fold,
    )
    # Two threads may both come here; each leaves the same behind.
    known.update(whole.__dict__)
    for stated_by_default in known.keys() - whole.__dict__.keys():
        known.pop(stated_by_default, None)
    object.__setattr__(metadata, "__class__", PluginMetadata)


def deferred(
    data: Mapping[str, Any],
    name: str,
    display_name: str,
    version: str,
    summary: str,
    file: Optional[str],
    distribution: Optional[str],
    fold: bool,
) -> PluginMetadata:
    """``PluginMetadata(data, ...)`` of data that is known to be valid.

    Args:
        data: The manifest, or what stands in for one.
        name: What the result's ``name`` is.
        display_name: What its ``display_name`` is.
        version: What its ``version`` is.
        summary: What its ``summary`` is.
        file: The manifest, or None.
        distribution: The distribution that carries it, or None.
        fold: As for ``PluginMetadata``.
    """
    kind = _Deferred if fold else _DeferredForeign
    return kind(
        {
            "name": name,
            "display_name": display_name,
            "version": version,
            "summary": summary,
            "file": file,
            "distribution": distribution,
            "data": data,
        }
    )
