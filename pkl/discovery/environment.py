"""One pass over all sources: every entry of ``sys.path``, then every entry of ``paths``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ..model.candidate import Candidate, Discovery, Failure, Shadowed
from .candidates import Row, rows_of
from .directories import read_path
from .disk import Stamp
from .distribution import Distribution
from .editable import editable_project
from .scan import scan
from .tree import DirectoryTree, Watched

if TYPE_CHECKING:
    from ..kernel.ports import MetadataLoader

__all__ = ["DEFAULT_GROUP", "Installed", "Row", "discover", "installed_in", "merge", "search_path"]

DEFAULT_GROUP = "pkl.plugins"
"""The entry-point group of a host that names none."""

Result = Union[Candidate, Failure]


class Installed(NamedTuple):
    """What one entry of ``sys.path`` contributes to the discovery of one group.

    Attributes:
        path: The entry, absolute.
        infos: The information directory of each distribution in it, by canonical name.
        rows: Its candidates and failures.
        skipped: What was passed over.
        watched: What must not have changed for this to be true, the entry itself first.
        searched: Whether it also depends on which other entries there are.
    """

    path: str
    infos: Dict[str, str]
    rows: List[Row]
    skipped: List[Failure]
    watched: List[Watched]
    searched: bool


def search_path(sys_path: Optional[Sequence[str]] = None) -> List[Tuple[str, Stamp]]:
    """The entries of ``sys.path`` to look at, absolute, each directory once, with its stamp."""
    found: List[Tuple[str, Stamp]] = []
    seen: Set[object] = set()
    for entry in sys.path if sys_path is None else sys_path:
        if not isinstance(entry, str):
            continue
        path = os.path.abspath(entry or os.getcwd())
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


def installed_in(
    path: str, stamped: Stamp, group: str, search: Sequence[str], *, foreign: bool, watch: bool
) -> Installed:
    """Reads one entry of ``sys.path``.

    Args:
        path: The entry, absolute.
        stamped: Its stamp from before.
        group: The entry-point group.
        search: All entries of ``sys.path``, absolute.
        foreign: As for ``discover``.
        watch: Whether to gather stamps.
    """
    found = scan(path, group)
    rows = [Row(key, failure) for key, failure in found.failures]
    watched: List[Watched] = [(path, stamped)]
    searched = False
    for offer in found.offers:
        made = rows_of(offer, group, search, foreign=foreign, watch=watch)
        rows += made.rows
        watched += made.watched
        searched = searched or made.searched
    return Installed(path, found.infos, rows, found.skipped, watched, searched)


def merge(installed: Sequence[Installed], directories: Sequence[Result]) -> Discovery:
    """One discovery from what each source contributes: the first copy of a distribution counts."""
    candidates: List[Candidate] = []
    failures: List[Failure] = []
    skipped: List[Failure] = []
    shadowed: List[Shadowed] = []
    owners: Dict[str, Installed] = {}
    for position, each in enumerate(installed):
        hidden = _superseded(each, installed[position + 1 :])
        for key, result in each.rows:
            owner = owners.get(key)
            if owner is not None and key:
                if isinstance(result, Candidate):
                    shadowed.append(_shadowed(result, key, each, owner))
            elif key in hidden:
                continue
            elif isinstance(result, Candidate):
                candidates.append(result)
            else:
                failures.append(result)
        skipped += each.skipped
        for key in each.infos.keys() - owners.keys() - hidden:
            owners[key] = each
    for result in directories:
        if isinstance(result, Candidate):
            candidates.append(result)
        else:
            failures.append(result)
    return Discovery(
        tuple(sorted(candidates, key=_candidate_order)),
        tuple(sorted(failures, key=_failure_order)),
        tuple(sorted(dict.fromkeys(shadowed), key=lambda s: (s.distribution, s.location))),
        tuple(sorted(skipped, key=_failure_order)),
    )


def _superseded(each: Installed, later: Sequence[Installed]) -> Set[str]:
    """Distributions whose ``.egg-info`` in a source tree an editable installation stands for."""
    hidden: Set[str] = set()
    for key, info in each.infos.items():
        if info.endswith(".egg-info") and "-" not in info:
            for other in later:
                twin = other.infos.get(key, "")
                if twin.endswith(".dist-info"):
                    if editable_project(Distribution(DirectoryTree(other.path), twin)):
                        hidden.add(key)
                    break
    return hidden


def _shadowed(result: Candidate, key: str, each: Installed, owner: Installed) -> Shadowed:
    return Shadowed(
        result.distribution or key,
        result.distribution_version or "",
        os.path.join(each.path, each.infos.get(key, "")),
        os.path.join(owner.path, owner.infos[key]),
    )


def _candidate_order(each: Candidate) -> Tuple[str, str, str, str]:
    return (each.name, each.distribution or "", each.location or "", each.target)


def _failure_order(each: Failure) -> Tuple[str, str, str, str]:
    return (each.distribution or "", each.file or "", each.code, each.message)


def discover(
    *,
    group: str = DEFAULT_GROUP,
    paths: Sequence[str] = (),
    sys_path: Optional[Sequence[str]] = None,
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
        sys_path: Where distributions are looked for; by default the interpreter's ``sys.path``.
        cache: Whether the result may be kept on disk and taken from there: True for the user's
            cache directory, False to not touch the disk, or a directory.
        refresh: Reads everything anew, and renews the cache.
        foreign: The group is another ecosystem's: names are kept as they are, nothing is folded,
            and manifests are not looked for.
        metadata_loader: Reads the metadata of plugin directories in place of pkl; what it says
            is never cached.
    """
    stamped = search_path(sys_path)
    search = [path for path, _ in stamped]
    entries = [
        installed_in(path, found, group, search, foreign=foreign, watch=False)
        for path, found in stamped
    ]
    results: List[Result] = []
    for path in dict.fromkeys(os.path.abspath(each) for each in paths):
        results += read_path(path, metadata_loader=metadata_loader).results
    return merge(entries, results)
