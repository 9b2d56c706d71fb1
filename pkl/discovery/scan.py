"""One pass over one entry of ``sys.path``: which distributions lie there, and what they offer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

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
    twins: Dict[str, List[str]] = {}
    try:
        tree = found.tree = open_tree(path)
        if tree is None:
            return found
        if isinstance(tree, ArchiveTree):
            for name in tree.names():
                _sort_in(found, tree, name, twins)
        else:
            _sort_all_in(found, tree, twins)
    except OSError as e:
        found.failures.append(("", _unreadable(path, e)))
    if found.tree is not None:
        notes = {key: _choose(found, found.tree, key, names) for key, names in twins.items()}
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


def _sort_all_in(found: Scan, tree: Tree, twins: Dict[str, List[str]]) -> None:
    """Files every information directory of a directory under the canonical name it states."""
    infos = found.infos
    with os.scandir(tree.root) as entries:
        for entry in entries:
            name = entry.name
            if name[-10:] == ".dist-info" and name[0] != "~" and not entry.is_symlink():
                # Nearly all of them, so this is ``_sort_in`` without the call.
                cut = name.rfind("-", 0, -10)
                key = canonical_fast(name[: cut if cut > 0 else -10])
                if infos.setdefault(key, name) != name:
                    twins.setdefault(key, []).append(name)
            elif name[-5:] in ("-info", "-INFO"):
                if entry.is_symlink() and not os.path.exists(entry.path):
                    found.examined.append(name)
                    found.skip(entry.path, "dangling", "is a link that leads nowhere; delete it")
                else:
                    _sort_in(found, tree, name, twins)


def _sort_in(found: Scan, tree: Tree, name: str, twins: Dict[str, List[str]]) -> None:
    """Files an information directory under the canonical name it states.

    Args:
        found: Where: in its ``infos``.
        tree: Where it lies.
        name: Its name; nothing is done with that of anything else.
        twins: The names beyond the first of each canonical name.
    """
    if name[-10:] == ".dist-info":
        stated = name[:-10].rpartition("-")[0] or name[:-10]
    elif name[-9:] == ".egg-info":
        stated = split_name(name)[0]
    elif name.lower() == "egg-info" and tree.root.lower().endswith(".egg"):
        stated = split_name(os.path.basename(tree.root))[0]
    else:
        return
    if name[0] == "~":
        found.skip(tree.path(name), "leftover", "was left behind by an interrupted pip; delete it")
        return
    key = canonical_fast(stated)
    if found.infos.setdefault(key, name) != name:
        twins.setdefault(key, []).append(name)


def _choose(found: Scan, tree: Tree, key: str, twins: List[str]) -> Tuple[str, ...]:
    """Takes the one that counts of several of one name; the answer is the remarks on the others.

    A wheel counts before an egg, sound metadata before broken, a high version before a low one.
    """
    names = (found.infos[key], *twins)
    ranked = sorted((Distribution(tree, name) for name in names), key=_rank, reverse=True)
    best = ranked[0]
    found.infos[key] = best.info
    found.examined += [part for each in ranked for part in each.files]
    name, version = best.headers.name, best.headers.version
    what = (
        f"lies beside {best.info}; {name} {version} is taken as the one that is installed:"
        f" run pip install --force-reinstall {name}"
    )
    # A wheel beside the .egg-info of its own source tree is one installation.
    others = [each for each in ranked[1:] if each.wheel == best.wheel]
    return tuple(found.skip(each.location, "duplicate", what) for each in others)


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
