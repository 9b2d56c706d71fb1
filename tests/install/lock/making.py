"""Solutions made by hand, and the locks of them."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Sequence

from pkl.install.locks.lock import LOCK_FILE, Lock, LockedRegistry
from pkl.install.locks.lock_fitting import plan_of
from pkl.install.locks.lock_reading import parse_lock
from pkl.install.locks.lock_writing import lock_text
from pkl.install.solution import Chosen, Solution, WheelRef
from pkl.install.wanted import HostSide, Pinned, Root
from pkl.model.candidate import Candidate
from pkl.model.manifest import PluginMetadata

__all__ = [
    "MAIN",
    "UPLOADED",
    "a_host",
    "a_library",
    "a_lock",
    "a_plugin",
    "a_solution",
    "a_wheel",
    "reparsed",
    "text_of",
]

UPLOADED = 1795575600
"""2026-11-25, 03:00 UTC."""
MAIN = LockedRegistry("main", "https://plugins.example/r", ("SHA256:abc",), 4, "b" * 64)
PURE = "py3-none-any"


def a_wheel(
    distribution: str, version: str, tags: str = PURE, *, base: str = f"{MAIN.url}/files"
) -> WheelRef:
    """A wheel of a registry; its digest is that of its name."""
    file = f"{distribution.replace('-', '_')}-{version}-{tags}.whl"
    digest = hashlib.sha256(file.encode()).hexdigest()
    return WheelRef(file, f"{base}/{file}", digest, 1000 + len(file), UPLOADED)


def a_library(
    name: str,
    version: str = "1.0",
    *requires: str,
    tags: Sequence[str] = (PURE,),
    registry: str = "main",
) -> Chosen:
    """A library in a solution; the last of the tags is that of the wheel that fits."""
    wheels = tuple(a_wheel(name, version, each) for each in tags)
    return Chosen(name, version, wheels[-1], wheels, requires, registry, "SHA256:abc")


def a_plugin(
    name: str,
    version: str = "1.0",
    *requires_dist: str,
    tags: Sequence[str] = (PURE,),
    editable: str = "",
    **manifest: Any,
) -> Chosen:
    """A distribution with a plugin in a solution."""
    said = {key.replace("_", "-"): value for key, value in manifest.items()}
    distribution = f"acme-{name}"
    metadata = PluginMetadata({"name": name, "version": version, **said}, distribution=distribution)
    made = replace(a_library(distribution, version, *requires_dist, tags=tags), plugins=(metadata,))
    if editable:
        made = replace(made, wheel=None, wheels=(), registry="", signer="", editable=editable)
    return made


def a_host(*pins: str, version: Optional[str] = "2.1", found: Sequence[Candidate] = ()) -> HostSide:
    """The side of a host; ``pins`` are written ``name==version``."""
    pinned = tuple(
        Pinned(name, pin, "/venv/lib") for name, pin in (each.split("==") for each in pins)
    )
    python = ".".join(map(str, sys.version_info[:3]))
    return HostSide("shop", version, "shop.plugins", python, tuple(found), pinned)


def a_solution(
    *chosen: Chosen, roots: Sequence[Root] = (), host: Optional[HostSide] = None
) -> Solution:
    """A solution of these; without roots, every plugin is one."""
    known = {plugin.name: plugin.version for each in chosen for plugin in each.plugins}
    roots = roots or [Root(name, name) for name in known]
    ordered = tuple(sorted(chosen, key=lambda each: each.name))
    return Solution(tuple(roots), ordered, plan_of(ordered, host or a_host(), known))


def text_of(solution: Solution, directory: str = "/project", **more: Any) -> str:
    """The text of its lock."""
    more.setdefault("host", a_host())
    more.setdefault("registries", [MAIN])
    return lock_text(solution, directory=directory, **more)


def a_lock(*chosen: Chosen, directory: str = "/project", **more: Any) -> Lock:
    """The lock of a solution of these, read back."""
    return reparsed(text_of(a_solution(*chosen), directory, **more), directory)


def reparsed(text: str, directory: str = "/project") -> Lock:
    """What the text of a lock says."""
    return parse_lock(text, os.path.join(directory, LOCK_FILE))


def write(folder: Path, text: str) -> Path:
    """Writes a lock into a folder."""
    path = folder / LOCK_FILE
    path.write_text(text, encoding="utf-8")
    return path
