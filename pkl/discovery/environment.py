"""One pass over all sources: every entry of ``sys.path``, then every entry of ``paths``."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Set, Tuple, Union

from ..model.candidate import Candidate, Discovery, Failure, Origin, Shadowed
from .cache import Cache
from .disk import Stamp, stamp
from .findings import Findings

if TYPE_CHECKING:
    from ..kernel.ports import MetadataLoader

# What reads distributions and directories is imported where it is needed: with a warm cache it
# is not, and importing it takes longer than the whole discovery.

__all__ = ["DEFAULT_GROUP", "discover", "merge", "search_path"]

DEFAULT_GROUP = "pkl.plugins"
"""The entry-point group of a host that names none."""


def search_path(sys_path: Optional[Sequence[str]] = None) -> List[Tuple[str, Stamp]]:
    """The entries of ``sys.path`` to look at, absolute, each directory once, with its stamp."""
    found: List[Tuple[str, Stamp]] = []
    seen: Set[object] = set()
    for entry in sys.path if sys_path is None else sys_path:
        if not isinstance(entry, str):
            continue
        path = absolute(entry)
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            if path not in seen:
                seen.add(path)
                found.append((path, None))
            continue
        # Some environments have one directory under two names, such as lib and lib64.
        identity = (status.st_dev, status.st_ino) if status.st_ino else path
        if identity not in seen:
            seen.add(identity)
            stamped = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
            found.append((path, stamped))
    return found


def absolute(path: "Union[str, os.PathLike[str]]") -> str:
    """The path made absolute; as it is where the current directory is gone."""
    try:
        return os.path.abspath(path)
    except OSError:
        return os.fspath(path)


def merge(installed: Sequence[Findings], directories: Sequence[Findings]) -> Discovery:
    """One discovery from what each source contributes: the first copy of a distribution counts."""
    candidates: List[Candidate] = []
    failures: List[Failure] = []
    skipped: List[Failure] = []
    shadowed: List[Shadowed] = []
    owners: Dict[str, Findings] = {}
    filled = [each for each in installed if each.distributions is not None]
    for each in installed:
        hidden = _superseded(each, filled)
        for key, candidate in each.candidates:
            owner = owners.get(key) if key else None
            if owner is not None:
                shadowed.append(_shadowed(candidate, key, each, owner))
            elif key not in hidden:
                candidates.append(candidate)
        failures += [f for key, f in each.failures if key not in owners and key not in hidden]
        skipped += each.skipped
        if len(filled) > 1 and each.distributions is not None:
            for key in each.distributions.infos.keys() - owners.keys() - hidden:
                owners[key] = each
    if any(candidate.location is None for candidate in candidates):
        from .unfound import judged

        candidates = [each if each.location is not None else judged(each) for each in candidates]
    for each in directories:
        candidates += [candidate for _, candidate in each.candidates]
        failures += [failure for _, failure in each.failures]
    return Discovery(
        tuple(sorted(candidates, key=_candidate_order)),
        tuple(sorted(failures, key=_failure_order)),
        tuple(sorted(dict.fromkeys(shadowed), key=lambda s: (s.distribution, s.location))),
        tuple(sorted(skipped, key=_failure_order)),
    )


def _superseded(each: Findings, filled: Sequence[Findings]) -> Set[str]:
    """Distributions whose ``.egg-info`` in a source tree an editable installation stands for."""
    hidden: Set[str] = set()
    if each.distributions is None:
        return hidden
    for key in each.distributions.source_trees:
        for other in filled[filled.index(each) + 1 :]:
            twin = other.distributions.infos.get(key, "") if other.distributions else ""
            if twin.endswith(".dist-info"):
                from .editable import is_editable

                if is_editable(other.path, twin):
                    hidden.add(key)
                break
    return hidden


def _info(each: Findings, key: str) -> str:
    infos = each.distributions.infos if each.distributions is not None else {}
    return os.path.join(each.path, infos.get(key, ""))


def _shadowed(candidate: Candidate, key: str, each: Findings, owner: Findings) -> Shadowed:
    return Shadowed(
        candidate.distribution or key,
        candidate.distribution_version or "",
        _info(each, key),
        _info(owner, key),
    )


def _candidate_order(each: Candidate) -> Tuple[str, str, str, str]:
    return (each.name, each.distribution or "", each.location or "", each.target)


def _failure_order(each: Failure) -> Tuple[str, str, str, str]:
    return (each.distribution or "", each.file or "", each.code, each.message)


@dataclass(frozen=True)
class _Pass:
    """What one discovery looks for, and where it may remember."""

    group: str
    search: List[str]
    foreign: bool
    cache: Optional[Cache]
    refresh: bool
    began_ns: int

    def installed(self, path: str, stamped: Stamp) -> Findings:
        """What an entry of ``sys.path`` contributes, from the cache or the disk."""
        if stamped is None:
            return Findings(path)
        cache, fold = self.cache, not self.foreign
        kind = ("installed", self.group, "foreign" if self.foreign else "own")
        if cache is not None and not self.refresh:
            known = cache.read(path, kind, stamped, self.search, fold=fold)
            if known is not None:
                return known
            if not _may_hold_distributions(path):
                return Findings(path)
        from .reading import read_entry

        watch = cache is not None
        found = read_entry(path, self.group, self.search, foreign=self.foreign, watch=watch)
        if cache is not None:
            found.watched.insert(0, (path, stamped))
            cache.write(found, kind, self.began_ns, self.search, fold=fold)
        return found

    def hooked(self) -> Findings:
        """What import hooks contribute; that is never remembered."""
        hooks = _import_hooks()
        if not hooks:
            return Findings("")
        from .reading import read_hooks

        return read_hooks(hooks, self.group, self.search, foreign=self.foreign)

    def directory(self, path: str, origin: Origin, loader: "Optional[MetadataLoader]") -> Findings:
        """What an entry of ``paths`` contributes, from the cache or the disk."""
        cache = self.cache if loader is None else None
        kind = ("directory", origin.value)
        if cache is not None and not self.refresh:
            known = cache.read(path, kind, stamp(path), (), fold=True)
            if known is not None:
                return known
        from .directories import read_path

        found = read_path(path, metadata_loader=loader, origin=origin)
        if cache is not None and found.candidates:
            cache.write(found, kind, self.began_ns, (), fold=True)
        return found


def _may_hold_distributions(path: str) -> bool:
    """Whether it is worth a closer look; most entries of ``sys.path`` hold modules only."""
    try:
        with os.scandir(path) as entries:
            return any(entry.name[-5:] in ("-info", "-INFO") for entry in entries)
    except OSError:
        return True


def _import_hooks() -> List[Any]:
    """The finders on ``sys.meta_path``, not Python's own, that know of distributions.

    Frozen applications and importers that keep packages in one file have such.
    """
    ours = ("_frozen_importlib_external", "importlib_metadata")
    return [
        finder
        for finder in sys.meta_path
        if callable(getattr(finder, "find_distributions", None))
        and str(getattr(finder, "__module__", "")).partition(".")[0] not in ours
    ]


def discover(
    *,
    group: str = DEFAULT_GROUP,
    paths: Sequence[str] = (),
    named_paths: Sequence[str] = (),
    sys_path: Optional[Sequence[str]] = None,
    added: Sequence[str] = (),
    left_out: Sequence[str] = (),
    cache: Union[bool, str] = True,
    refresh: bool = False,
    foreign: bool = False,
    metadata_loader: Optional["MetadataLoader"] = None,
) -> Discovery:
    """Finds every plugin that is installed or lies in a plugin directory; imports none of them.

    It never raises for what it finds. A distribution, file or directory that cannot be read
    becomes a failure; a plugin that cannot be started whatever the rest says becomes a candidate
    with a ``fault``.

    Args:
        group: The entry-point group to look at.
        paths: Plugin directories, or directories of plugin directories.
        named_paths: The same, named by someone for this run, as with ``--path``: their
            candidates have ``Origin.PATH`` and outrank what is installed.
        sys_path: Where distributions are looked for; by default the interpreter's ``sys.path``.
        added: Entries to look at after those of ``sys_path``: what a host would append.
        left_out: Entries of ``sys_path`` not to look at: what another host appended.
        cache: Whether the result may be kept on disk and taken from there: True for the user's
            cache directory, False to not touch the disk, or a directory.
        refresh: Reads everything anew, and renews the cache.
        foreign: The group is another ecosystem's: names are kept as they are, nothing is folded,
            and manifests are not looked for.
        metadata_loader: Reads the metadata of plugin directories in place of pkl; what it says
            is never cached.
    """
    began_ns = time.time_ns()
    entries = sys.path if sys_path is None else sys_path
    if added or left_out:
        entries = [*(each for each in entries if each not in left_out), *added]
    stamped = search_path(entries)
    search = [path for path, _ in stamped]
    kept = Cache(cache if isinstance(cache, str) else None) if cache else None
    run = _Pass(group, search, foreign, kept, refresh, began_ns)
    installed = [run.installed(path, found) for path, found in stamped]
    if sys_path is None:
        installed.append(run.hooked())
    roots = {absolute(each): Origin.DIRECTORY for each in paths}
    named = {absolute(each): Origin.PATH for each in named_paths}
    directories = [
        run.directory(root, origin, metadata_loader)
        for root, origin in {**named, **{r: o for r, o in roots.items() if r not in named}}.items()
    ]
    return merge(installed, _without_repeats(directories))


def _without_repeats(directories: List[Findings]) -> List[Findings]:
    """The same, with each plugin directory once, also where one root lies in another."""
    seen: Set[str] = set()
    for each in directories if len(directories) > 1 else ():
        real = os.path.realpath(each.path)
        kept = []
        for key, candidate in each.candidates:
            place = real + (candidate.location or "")[len(each.path) :]
            if place not in seen:
                seen.add(place)
                kept.append((key, candidate))
        each.candidates = kept
    return directories
