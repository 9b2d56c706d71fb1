"""The wheels of this machine that take part in a solve, and those that stand in for others."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Collection, Dict, List

from ...registry.address import file_of
from ..solution import Chosen
from .project import project_wheel
from .universe import Universe

__all__ = ["local_wheels"]


def local_wheels(stack: ExitStack, universe: Universe, given: Collection[Chosen]) -> List[str]:
    """The paths of the wheels that an installer is told of, sorted.

    Of a project that is used in place, and of what is kept although its registry is gone, a wheel
    that only states what it needs stands in.

    Args:
        stack: Takes the stand-ins away when it is closed.
        universe: What there is to choose from.
        given: What is no question of registries.
    """
    found: Dict[str, str] = {}
    for entries in universe.entries.values():
        for each in entries:
            chosen = each.chosen
            key = f"{chosen.name} {chosen.version}"
            if key in found:
                continue
            if chosen.editable or (chosen.registry and chosen in given):
                found[key] = _stand_in(stack, chosen)
            elif not chosen.registry and chosen.wheel is not None:
                found[key] = file_of(chosen.wheel.url)
    return sorted(found.values())


def _stand_in(stack: ExitStack, chosen: Chosen) -> str:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pkl-"))
    name, data = project_wheel(chosen.name, chosen.version, chosen.requires)
    path = os.path.join(folder, name)
    Path(path).write_bytes(data)
    return path
