"""One pass over one entry of ``sys.path``: which distributions lie there, and what they offer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Tuple

from ..model.candidate import Failure
from ..model.requirement import is_version, version_key
from .archive import ArchiveTree, BrokenArchive
from .distribution import Distribution, canonical_fast, split_name
from .entry_points import EntryPoint, MalformedEntryPoints, parse_entry_points
from .tree import DirectoryTree, Tree

__all__ = ["Offer", "Scan", "open_tree", "scan"]


@dataclass
class Offer:
    """A distribution and the entry points it offers.

    Attributes:
        key: Canonical name of the distribution.
        distribution: Where it lies.
        groups: Its entry points by group, in the file's order.
        notes: Remarks about the distribution that each of its plugins carries.
    """

    key: str
    distribution: Distribution
    groups: Dict[str, Tuple[EntryPoint, ...]]
    notes: Tuple[str, ...] = ()


@dataclass
class Scan:
    """What lies in one entry of ``sys.path``.

    Attributes:
        path: The entry, absolute.
        infos: The information directory of each distribution in it, by canonical name.
        offers: The distributions that offer the wanted group, or any.
        failures: What could not be read, with the canonical name of its distribution, or "".
        skipped: What was passed over without being any plugin's fault.
        examined: Files and directories, relative to the entry, on which all this depends beside
            those of the offers.
        tree: The entry, opened; None if it is not there or cannot be read.
    """

    path: str
    infos: Dict[str, str] = field(default_factory=dict)
    offers: List[Offer] = field(default_factory=list)
    failures: List[Tuple[str, Failure]] = field(default_factory=list)
    skipped: List[Failure] = field(default_factory=list)
    examined: List[str] = field(default_factory=list)
    tree: Optional[Tree] = None

    def skip(self, path: str, code: str, what: str) -> str:
        """Notes something passed over, and says so."""
        message = f"{path} {what}"
        self.skipped.append(Failure(code, message, file=path))
        return message


def scan(path: str, group: Optional[str] = None, *, entry_points: bool = True) -> Scan:
    """Reads every distribution in an entry of ``sys.path``; never raises for what it finds.

    Args:
        path: The entry, absolute.
        group: Gather only the offers in this entry-point group.
        entry_points: False to see only which distributions there are.
    """
    found = Scan(path)
    named: Dict[str, List[str]] = {}
    try:
        tree = found.tree = open_tree(path)
        if tree is None:
            return found
        for name, dangling in _listing(tree):
            _sort_in(found, tree, name, dangling, named)
    except OSError as e:
        found.failures.append(("", _unreadable(path, e)))
    if found.tree is not None:
        notes = _choose(found, found.tree, named)
        if entry_points:
            _read_all(found, found.tree, notes, group)
    return found


def open_tree(path: str) -> Optional[Tree]:
    """The entry as a tree; None if there is nothing, or a file that is no archive.

    Raises:
        OSError: There is something that cannot be read, such as a damaged archive.
    """
    if os.path.isdir(path):
        return DirectoryTree(path)
    if not os.path.isfile(path):
        return None
    try:
        return ArchiveTree(path)
    except BrokenArchive:
        if path.endswith((".zip", ".whl", ".egg", ".pyz")):
            raise
        return None


def _unreadable(path: str, error: OSError) -> Failure:
    return Failure(
        "path-unreadable",
        f"{path} is on sys.path but cannot be read ({error.strerror or error});"
        " what is installed there was not looked at",
        file=path,
    )


def _listing(tree: Tree) -> Iterator[Tuple[str, bool]]:
    """Names at the top of the tree that may matter, and whether each is a link to nowhere."""
    if isinstance(tree, ArchiveTree):
        for name in tree.names():
            yield name, False
        return
    with os.scandir(tree.root) as entries:
        for entry in entries:
            name = entry.name
            if name[-5:] in ("-info", "-INFO"):
                yield name, entry.is_symlink() and not os.path.exists(entry.path)


def _sort_in(
    found: Scan, tree: Tree, name: str, dangling: bool, named: Dict[str, List[str]]
) -> None:
    """Files an information directory under the canonical name it states."""
    if name[-10:] == ".dist-info":
        cut = name.rfind("-", 0, -10)
        stated = name[: cut if cut > 0 else -10]
    elif name[-9:] == ".egg-info":
        stated = split_name(name)[0]
    elif name.lower() == "egg-info" and tree.root.lower().endswith(".egg"):
        stated = split_name(os.path.basename(tree.root))[0]
    else:
        return
    if name[0] == "~":
        found.skip(tree.path(name), "leftover", "was left behind by an interrupted pip; delete it")
    elif dangling:
        found.examined.append(name)
        found.skip(tree.path(name), "dangling", "is a link that leads nowhere; delete it")
    else:
        named.setdefault(canonical_fast(stated), []).append(name)


def _choose(found: Scan, tree: Tree, named: Dict[str, List[str]]) -> Dict[str, Tuple[str, ...]]:
    """Fills in ``infos``; the answer is the remarks on distributions that lie there twice."""
    notes: Dict[str, Tuple[str, ...]] = {}
    for key, names in named.items():
        info = names[0]
        if len(names) > 1:
            info, notes[key] = _one_of(found, tree, names)
        found.infos[key] = info
    return notes


def _one_of(found: Scan, tree: Tree, names: List[str]) -> Tuple[str, Tuple[str, ...]]:
    """The information directory that counts of one name: wheel, sound metadata, highest version."""
    ranked = sorted((Distribution(tree, name) for name in names), key=_rank, reverse=True)
    best = ranked[0]
    found.examined += [part for each in ranked for part in each.files]
    # A wheel beside the .egg-info of its own source tree is one installation.
    twins = [each for each in ranked[1:] if each.wheel == best.wheel]
    name, version = best.headers.name, best.headers.version
    what = (
        f"lies beside {best.info}; {name} {version} is taken as the one that is installed:"
        f" run pip install --force-reinstall {name}"
    )
    return best.info, tuple(found.skip(each.location, "duplicate", what) for each in twins)


def _rank(each: Distribution) -> Tuple[object, ...]:
    version = each.headers.version
    return (each.wheel, not each.problem, is_version(version), version_key(version), each.info)


def _read_all(
    found: Scan, tree: Tree, notes: Dict[str, Tuple[str, ...]], group: Optional[str]
) -> None:
    read = tree.read
    gone: List[str] = []
    for key, info in found.infos.items():
        try:
            data = read(f"{info}/entry_points.txt")
            if data is not None:
                groups = parse_entry_points(data, group)
                if groups:
                    offer = Offer(key, Distribution(tree, info), groups, notes.get(key, ()))
                    found.offers.append(offer)
        except MalformedEntryPoints as e:
            owner = Distribution(tree, info)
            found.examined += owner.files
            found.failures.append((key, _malformed(owner, e)))
        except NotADirectoryError:
            if not info.endswith(".egg-info"):  # which distutils writes as a file
                gone.append(key)
                what = "is a file where a directory belongs; delete it"
                found.skip(tree.path(info), "not-a-directory", what)
        except OSError as e:
            _unread(found, tree, key, info, e)
    for key in gone:
        del found.infos[key]


def _unread(found: Scan, tree: Tree, key: str, info: str, error: OSError) -> None:
    """Notes that a distribution's entry points cannot be read."""
    owner = Distribution(tree, info)
    found.examined += owner.files
    path = tree.path(f"{info}/entry_points.txt")
    if isinstance(error, IsADirectoryError):
        found.skip(path, "not-a-file", "is a directory where a file belongs")
        return
    name = owner.headers.name
    message = f"{path} cannot be read ({error.strerror or error}); correct it or reinstall {name}"
    found.failures.append((key, Failure("entry-points-unreadable", message, name, path)))


def _malformed(owner: Distribution, error: MalformedEntryPoints) -> Failure:
    path = owner.tree.path(f"{owner.info}/entry_points.txt")
    headers = owner.headers
    return Failure(
        error.code,
        f"{headers.name} {headers.version}: {error.message}"
        " (nothing this distribution offers was taken)",
        headers.name,
        f"{path}:{error.line}",
    )
