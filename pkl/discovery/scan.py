"""One pass over one entry of ``sys.path``: which distributions lie there, and what they offer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Tuple

from ..model.candidate import Failure
from ..model.requirement import is_version, version_key
from ..names import canonical
from .distribution import Distribution, split_name
from .entry_points import EntryPoint, MalformedEntryPoints, parse_entry_points
from .tree import DirectoryTree, Tree

__all__ = ["Offer", "Scan", "open_tree", "scan"]


@dataclass
class Offer:
    """A distribution and the entry points it offers in the wanted group.

    ``notes`` are remarks about the distribution that each of its plugins carries.
    """

    distribution: Distribution
    groups: Dict[str, Tuple[EntryPoint, ...]]
    notes: Tuple[str, ...] = ()


@dataclass
class Scan:
    """What lies in one entry of ``sys.path``.

    Attributes:
        path: The entry, absolute.
        tree: It, opened; None if it is not there or cannot be read.
        infos: The information directory of each distribution in it, by canonical name.
        offers: The distributions that offer the wanted groups.
        failures: What could not be read, with the key of its distribution, or "".
        skipped: What was passed over without being anyone's fault.
    """

    path: str
    tree: Optional[Tree] = None
    infos: Dict[str, str] = field(default_factory=dict)
    offers: List[Offer] = field(default_factory=list)
    failures: List[Tuple[str, Failure]] = field(default_factory=list)
    skipped: List[Failure] = field(default_factory=list)


def scan(path: str, group: Optional[str] = None) -> Scan:
    """Reads every distribution in an entry of ``sys.path``; never raises for what it finds.

    Args:
        path: The entry, absolute.
        group: Gather only the offers of this entry-point group.
    """
    found = Scan(path)
    try:
        found.tree = open_tree(path)
    except OSError as e:
        found.failures.append(("", _unreadable(path, e)))
    if found.tree is None:
        return found
    infos = _information_directories(found)
    for key, names in infos.items():
        info, notes = _one_of(found, names)
        found.infos[key] = info
        _read(found, key, info, notes, group)
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
    from .archive import ArchiveTree, BrokenArchive

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


def _listing(found: Scan, tree: Tree) -> Iterator[Tuple[str, bool]]:
    """Names at the top of the tree, and whether each is a link that leads nowhere."""
    if tree.archive:
        for name in tree.names(""):
            yield name, False
        return
    with os.scandir(tree.root) as entries:
        for entry in entries:
            name = entry.name
            if name.endswith("-info") or name == "EGG-INFO":
                yield name, entry.is_symlink() and not os.path.exists(entry.path)


def _information_directories(found: Scan) -> Dict[str, List[str]]:
    """The information directories of the tree, by the canonical name they state."""
    tree = found.tree
    assert tree is not None
    infos: Dict[str, List[str]] = {}
    egg = tree.root.lower().endswith(".egg")
    try:
        for name, dangling in _listing(found, tree):
            if name.endswith(".dist-info"):
                stated = name[:-10].rpartition("-")[0] or name[:-10]
            elif name.endswith(".egg-info"):
                stated = split_name(name)[0]
            elif egg and name.lower() == "egg-info":
                stated = split_name(os.path.basename(tree.root))[0]
            else:
                continue
            if name[0] == "~":
                _skip(found, name, "leftover", "was left behind by an interrupted pip; delete it")
            elif dangling:
                _skip(found, name, "dangling", "is a link that leads nowhere; delete it")
            else:
                infos.setdefault(canonical(stated), []).append(name)
    except OSError as e:
        found.failures.append(("", _unreadable(tree.root, e)))
    return infos


def _skip(found: Scan, name: str, code: str, what: str) -> str:
    assert found.tree is not None
    path = found.tree.path(name)
    found.skipped.append(Failure(code, f"{path} {what}", file=path))
    return f"{path} {what}"


def _one_of(found: Scan, names: List[str]) -> Tuple[str, Tuple[str, ...]]:
    """The information directory that counts of one name: wheel, sound metadata, highest version."""
    if len(names) == 1:
        return names[0], ()
    assert found.tree is not None
    ranked = sorted((Distribution(found.tree, name) for name in names), key=_rank, reverse=True)
    best = ranked[0]
    # A wheel beside the .egg-info of its own source tree is one installation.
    twins = [each for each in ranked[1:] if each.wheel == best.wheel]
    notes = [
        _skip(
            found,
            each.info,
            "duplicate",
            f"lies beside {best.info}; {best.name} {best.version} is taken as the one that is"
            f" installed: run pip install --force-reinstall {best.name}",
        )
        for each in twins
    ]
    return best.info, tuple(notes)


def _rank(each: Distribution) -> Tuple[object, ...]:
    valid = is_version(each.version)
    return (each.wheel, not each.problem, valid, version_key(each.version), each.info)


def _read(found: Scan, key: str, info: str, notes: Tuple[str, ...], group: Optional[str]) -> None:
    """Adds what one distribution offers, or why that cannot be known."""
    tree = found.tree
    assert tree is not None
    name = f"{info}/entry_points.txt"
    try:
        data = tree.read(name)
        if data is None:
            return
        groups = parse_entry_points(data, group)
    except MalformedEntryPoints as e:
        found.failures.append((key, _malformed(Distribution(tree, info), name, e)))
    except NotADirectoryError:
        if not info.endswith(".egg-info"):  # which distutils writes as a file
            del found.infos[key]
            _skip(found, info, "not-a-directory", "is a file where a directory belongs; delete it")
    except IsADirectoryError:
        _skip(found, name, "not-a-file", "is a directory where a file belongs")
    except OSError as e:
        path = tree.path(name)
        message = f"{path} cannot be read ({e.strerror or e}); correct it or reinstall"
        owner = Distribution(tree, info).name
        found.failures.append(
            (key, Failure("entry-points-unreadable", f"{message} {owner}", owner, path))
        )
    else:
        if groups:
            found.offers.append(Offer(Distribution(tree, info), groups, notes))


def _malformed(owner: Distribution, name: str, error: MalformedEntryPoints) -> Failure:
    path = owner.tree.path(name)
    return Failure(
        error.code,
        f"{owner.name} {owner.version}: {error.message}"
        " (nothing this distribution offers was taken)",
        owner.name,
        f"{path}:{error.line}",
    )
