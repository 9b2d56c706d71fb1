"""Entry points whose module was not found on the disk: whether Python could still find it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import List, Sequence

from ..model.candidate import Candidate
from ..model.state import Reason
from .entry_points import check_value

__all__ = ["judged"]


def judged(candidate: Candidate) -> Candidate:
    """The candidate with a fault if it names no module, with a remark if that is not certain.

    Import hooks, modules in archives and modules that a package makes when it is imported are
    found by nobody but Python, so a module counts as missing only where nothing of the kind is in
    sight. Finders on ``sys.meta_path`` are asked, for the top-level name alone: no plugin code
    and no parent package is imported. The answer holds for this process, and is not to be cached.

    Args:
        candidate: One of an entry point, without a location.
    """
    target = check_value(candidate.target)
    if candidate.fault is not None or target is None:
        return candidate
    module = target.module
    if not _is_missing(module):
        remark = (
            f"the module {module} is in none of the places where installed modules lie; whether"
            " it can be imported is not known"
        )
        return replace(candidate, notes=(*candidate.notes, remark))
    cause = f"the entry point of {candidate.name} names {module}, and there is no such module"
    owner = candidate.distribution
    fault = Reason(
        "entry-point-target",
        f"plugin {candidate.name!r} of {candidate.source} is not started: {cause}",
        cause,
        f"pip install --force-reinstall {owner}; if that does not help, its entry point is wrong:"
        f" pip uninstall {owner}",
    )
    return replace(candidate, fault=fault)


def _is_missing(module: str) -> bool:
    """Whether it is certain that importing the module would fail to find it."""
    top, *rest = module.split(".")
    if module in sys.modules:
        return False
    try:
        spec = find_spec(top)
    except Exception:  # a finder, which is anybody's code, or a module without a spec
        return False
    if spec is None:
        return True
    places: Sequence[str] = list(spec.submodule_search_locations or ())
    for part in rest:
        inside: List[str] = []
        for place in places:
            try:
                names = os.listdir(place)
            except OSError:  # an archive, or a place that is none
                return False
            if any(name.startswith(f"{part}.") for name in names):
                return False  # a module in a language or a form that some import hook knows
            if part in names:
                inside.append(os.path.join(place, part))
        if places and not inside:
            return True
        places = inside
    return False
