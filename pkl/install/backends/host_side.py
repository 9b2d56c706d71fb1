"""What an installation has to respect: the host, its environment, and the plugins it has."""

from __future__ import annotations

import os
import sys
from typing import List, Optional, Sequence

from ...discovery.environment import discover, search_path
from ...discovery.inventory import installed
from ...model.requirement import is_version
from ..wanted import HostSide, Pinned

__all__ = ["environment_path", "host_side"]


def environment_path(
    exclude_dirs: Sequence[str] = (), sys_path: Optional[Sequence[str]] = None
) -> List[str]:
    """The entries of ``sys.path`` that are the host's environment.

    Args:
        exclude_dirs: Directories of pkl's own, which with all below them are not: the
            generations.
        sys_path: The entries; by default the interpreter's ``sys.path``.
    """
    roots = [os.path.join(os.path.realpath(each), "") for each in exclude_dirs]
    return [
        path
        for path, _ in search_path(sys_path)
        if not any(os.path.join(os.path.realpath(path), "").startswith(root) for root in roots)
    ]


def host_side(
    name: str,
    version: Optional[str],
    group: str,
    *,
    paths: Sequence[str] = (),
    exclude_dirs: Sequence[str] = (),
    sys_path: Optional[Sequence[str]] = None,
    foreign: bool = False,
) -> HostSide:
    """What an installation for a host has to respect; nothing is imported, nothing raised.

    Every distribution of the interpreter's environment is there, also what pip put there by
    hand; one whose metadata is broken is there with the version that its directory states, and
    left out only if that is none (PEP 440), since nobody can require it then.

    Args:
        name: The host's name.
        version: The host's version; None leaves it unchecked.
        group: The entry-point group of its plugins.
        paths: Its plugin directories.
        exclude_dirs: Directories of pkl's own, which with all below them do not count: the
            generations.
        sys_path: Where distributions are looked for; by default the interpreter's ``sys.path``.
        foreign: Whether the group is another ecosystem's.
    """
    search = environment_path(exclude_dirs, sys_path)
    found = discover(group=group, paths=paths, sys_path=search, foreign=foreign)
    return HostSide(
        name,
        version,
        group,
        ".".join(map(str, sys.version_info[:3])),
        found.candidates,
        tuple(
            Pinned(key, each.version, each.location)
            for key, each in sorted(installed(search).items())
            if is_version(each.version)
        ),
    )
