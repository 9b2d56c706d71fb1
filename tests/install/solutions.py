"""Solutions made by hand, and what fills a site with them without any installer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Sequence, Tuple

from pkl.install.solution import Chosen, Solution, WheelRef
from pkl.install.wanted import Root, RootKind
from pkl.model.manifest import PluginMetadata
from tests.discovery.fakes import plugin

__all__ = ["chosen", "filled_with", "solution"]


def chosen(name: str, version: str = "1.0", *, requires: Sequence[str] = ()) -> Chosen:
    """A distribution with a plugin of its name."""
    wheel = WheelRef(f"{name}-{version}-py3-none-any.whl", f"file:///w/{name}", "0" * 64, 7, 1)
    manifest = {"name": name, "version": version, "requires": list(requires)}
    return Chosen(
        name,
        version,
        wheel,
        (wheel,),
        tuple(requires),
        "corp",
        "SHA256:abc",
        (PluginMetadata(manifest),),
    )


def solution(*parts: Tuple[str, str]) -> Solution:
    """These versions of these plugins, each asked for."""
    return Solution(
        tuple(Root(name, f"{name}>=0", RootKind.REGISTRY) for name, _ in parts),
        tuple(chosen(name, version) for name, version in sorted(parts)),
    )


def filled_with(made: Solution) -> Callable[[str], None]:
    """What places a solution: a plugin's files for each distribution."""

    def place(site: str) -> None:
        assert os.listdir(site) == []
        for each in made.chosen:
            plugin(Path(site), each.name, each.version, f'name = "{each.name}"\n')

    return place
