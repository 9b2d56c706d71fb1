"""Sets of versions as an installer is asked for them: PEP 440 over what there is."""

from __future__ import annotations

from typing import Collection, List

from ...model.requirement import version_key

__all__ = ["spanning"]


def spanning(name: str, kept: Collection[str], everyone: Collection[str]) -> str:
    """A requirement that, of the versions there are, only those kept fit.

    Args:
        name: The distribution.
        kept: The versions that may be chosen, at least one.
        everyone: All versions that there are, those among them.
    """
    ordered = sorted(kept, key=version_key)
    if len(ordered) == 1:
        return f"{name}=={ordered[0]}"
    low, high = version_key(ordered[0]), version_key(ordered[-1])
    wanted = {version_key(each) for each in kept}
    clauses: List[str] = [f">={_public(ordered[0])}", f"<={_public(ordered[-1])}"]
    clauses += [
        f"!={each}"
        for each in sorted(everyone, key=version_key)
        if low < version_key(each) < high and version_key(each) not in wanted
    ]
    return name + ",".join(clauses)


def _public(version: str) -> str:
    """A version without its local part, which an ordered comparison may not have (PEP 440)."""
    return version.partition("+")[0]
