"""Plugins in quarantine, as the resolver and the kernel see them: candidates with a fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping

from ..model.candidate import Candidate
from ..model.state import Reason

__all__ = ["held"]


def held(candidate: Candidate, reasons: Mapping[str, Reason]) -> Candidate:
    """The candidate, with its reason as its fault if it is held back, and else without one.

    What is unusable anyway keeps the fault that it has.

    Args:
        candidate: What was found, marked before or not.
        reasons: Why nothing may start them, by name, as ``HostState.quarantined``.
    """
    fault = candidate.fault
    reason = reasons.get(candidate.name)
    if fault == reason or (fault is not None and fault.code != "quarantined"):
        return candidate
    return replace(candidate, fault=reason)
