"""Safe mode: what is critical starts, with what that requires, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Callable, Collection, Dict, Mapping, Sequence, Tuple

from ..model.candidate import Candidate
from ..model.plan import Plan
from ..model.state import Desired, Reason

__all__ = ["SAFE_MODE", "VARIABLE", "asked_for", "only_critical"]

SAFE_MODE = "safe-mode"
"""Code of the reason of a plugin that is left out in safe mode."""
VARIABLE = "PKL_SAFE_MODE"
"""The environment variable that asks for safe mode."""

_NO = ("", "0", "false", "no", "off")


def asked_for() -> bool:
    """Whether the environment asks for safe mode."""
    return os.environ.get(VARIABLE, "").strip().lower() not in _NO


def only_critical(
    candidates: Sequence[Candidate],
    desired: Mapping[str, Desired],
    plan: Callable[[Sequence[str]], Plan],
) -> Tuple[Candidate, ...]:
    """The candidates, with safe mode as the fault of each that is left out.

    Args:
        candidates: What there is.
        desired: What people want.
        plan: Plans for some plugins alone, by their names.
    """
    critical = [
        each.name
        for each in candidates
        if each.metadata.critical and desired.get(each.name, Desired.ENABLED) is Desired.ENABLED
    ]
    kept = _with_needs(critical, candidates, plan(critical)) if critical else ()
    return tuple(
        each
        if each.name in kept or each.fault is not None
        else replace(each, fault=_reason(each.name, each.version))
        for each in candidates
    )


def _with_needs(
    names: Sequence[str], candidates: Sequence[Candidate], plan: Plan
) -> Collection[str]:
    """The plugins and what they require; what they merely want does not count."""
    found: Dict[str, None] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found[name] = None
        step = plan.step(name)
        if step is not None:
            needs = {each.name for each in step.candidate.metadata.requires}
            wants = {each.name for each in step.candidate.metadata.wants} - needs
            todo += [other for asked, other in step.bindings.items() if asked not in wants]
            continue
        # It cannot start. What it requires is kept all the same, so that its own reason is told.
        asked = {n.name for c in candidates if c.name == name for n in c.metadata.requires}
        todo += [
            each.name
            for each in candidates
            if asked & {each.name, *(offer.name for offer in each.metadata.provides)}
        ]
    return found


def _reason(name: str, version: str) -> Reason:
    return Reason(
        SAFE_MODE,
        f"plugin {name!r} {version} is left out: in safe mode only what is critical starts",
        "the host was started in safe mode",
        "repair what is broken (pkl doctor, pkl disable NAME, pkl rollback), then start it without"
        f" --safe-mode and {VARIABLE}",
    )
