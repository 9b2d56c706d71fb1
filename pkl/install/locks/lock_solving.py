"""What a lock would hold if it were made now: the roots, and a solve that keeps what is locked."""

from __future__ import annotations

import os
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...errors import PklError, RegistryAbsent, UsageError
from ...model.state import Desired
from ...registry.catalog import Catalog
from ..backends.backend import Backend
from ..solution import Chosen, Solution
from ..solve.market import RegistryMarket
from ..solve.project import project_as_chosen, wheel_as_chosen
from ..solve.solving import solve
from ..wanted import HostSide, Root, RootKind
from .lock import Lock
from .lock_changes import details_of

__all__ = ["LockTerms", "changed_projects", "solve_for_lock", "with_projects"]


class LockTerms(NamedTuple):
    """What somebody said of the versions.

    Attributes:
        uploaded_before: Nothing younger, in seconds since 1970; None for any age.
        prereleases: Whether pre-releases may be chosen where there is something else.
        offline: Whether the network may not be used.
        full: Whether a proof is wanted in full.
    """

    uploaded_before: Optional[int] = None
    prereleases: bool = False
    offline: bool = False
    full: bool = False


def solve_for_lock(
    roots: Sequence[Root],
    *,
    old: Optional[Lock],
    kept: Mapping[str, str],
    host: HostSide,
    desired: Mapping[str, Desired],
    catalog: Optional[Catalog],
    backend: Backend,
    terms: LockTerms,
) -> Solution:
    """Solves for a lock; nothing is written.

    A plugin that is locked stays with its registry.

    Args:
        roots: What the lock is to hold.
        old: The lock that there is, or None.
        kept: The versions to keep where that can be, by distribution.
        host: What is there.
        desired: What people want of each plugin.
        catalog: The registries that are known; None if none is.
        backend: The installer.
        terms: What was said beside.

    Raises:
        NoSolution: There is none.
        RegistryAbsent: What is locked and to be kept is from a registry that is not known here.
        UsageError: A wheel or a project that is a root is not there.
        PklError: What ``solve`` raises.
    """
    given = [_given(root, host.group) for root in roots if root.kind is not RootKind.REGISTRY]
    registries = _registries(old, kept, roots)
    known = {each.name for each in catalog.clients} if catalog is not None else set()
    for plugin, name in registries.items():
        if name not in known:
            raise _unknown(plugin, name, old)
    return solve(
        roots,
        market=RegistryMarket(catalog, given, registries),
        backend=backend,
        host=host,
        locked=kept,
        desired=desired,
        uploaded_before=terms.uploaded_before,
        prereleases=terms.prereleases,
        offline=terms.offline,
        full=terms.full,
    )


def _given(root: Root, group: str) -> Chosen:
    """What was given by path, as it is now."""
    if not os.path.exists(root.path):
        raise UsageError(
            f"{root.name} is from {root.path}, and there is nothing any more",
            file=root.path,
            plugin=root.name,
            hint=f"bring it back, or take it from elsewhere: pkl install {root.name}",
        )
    if root.kind is RootKind.EDITABLE:
        return project_as_chosen(root.path, group)
    return wheel_as_chosen(root.path, group)


def _registries(
    old: Optional[Lock], kept: Mapping[str, str], roots: Sequence[Root]
) -> Dict[str, str]:
    """The registry that each plugin must come from, where that is known."""
    given = {root.name for root in roots if root.kind is not RootKind.REGISTRY}
    found = {
        plugin.name: each.registry
        for each in (old.packages if old is not None else ())
        for plugin in each.plugins
        if each.registry and each.name in kept and plugin.name not in given
    }
    found.update({root.name: root.registry for root in roots if root.registry})
    return found


def _unknown(plugin: str, name: str, old: Optional[Lock]) -> RegistryAbsent:
    locked = old.registry(name) if old is not None else None
    url = locked.url if locked is not None else "URL"
    return RegistryAbsent(
        f"{plugin} is from the registry {name}, which is not known here",
        registry=name,
        url=locked.url if locked is not None else None,
        hint=f"pkl registry add {name} {url}; or, to take it from another: pkl lock --upgrade "
        f"{plugin}",
    )


def with_projects(
    lock: Lock, solution: Solution, read: Callable[[str, str], Chosen] = project_as_chosen
) -> Solution:
    """The solution of a lock with what its editable projects say of themselves now.

    Args:
        lock: The lock.
        solution: Its solution.
        read: What reads a project.

    Raises:
        PklError: A project is not there any more, or cannot be read.
    """
    chosen = tuple(
        read(each.editable, lock.group) if each.editable else each for each in solution.chosen
    )
    return Solution(solution.roots, chosen, solution.plan, solution.rounds, solution.notes)


def changed_projects(
    lock: Lock, read: Callable[[str, str], Chosen] = project_as_chosen
) -> Tuple[str, ...]:
    """Why a lock is stale because of the editable projects in it, each in a line.

    Args:
        lock: The lock.
        read: What reads a project.
    """
    found: List[str] = []
    for each in lock.packages:
        if not each.editable:
            continue
        name = each.plugins[0].name if each.plugins else each.name
        try:
            now = read(each.editable, lock.group)
        except PklError as error:
            found.append(f"{name}: {error.message}")
            continue
        details = details_of(each, now)
        if each.version != now.version:
            details = (f"it is {now.version} by now, and not {each.version}", *details)
        if details:
            found.append(f"{name} in {each.editable} has changed: {', '.join(details)}")
    return tuple(found)
