"""What does not work of a plugin although it runs, as reasons."""

from __future__ import annotations

from typing import Optional

from .requirement import Requirement
from .state import Reason

__all__ = ["want_unmet"]


def want_unmet(
    name: str, version: str, want: Requirement, why: Optional[Reason], there: Optional[str]
) -> Reason:
    """The impairment of a plugin that goes without something it wants.

    Args:
        name: The plugin's name.
        version: Its version.
        want: What it wants.
        why: Why that does not run; None if it is not there, or does not fit.
        there: The version of what is there and does not fit, or None.
    """
    cause, remedy = f"there is no {want.name}", f'pkl install "{want.text}"'
    if why is not None:
        cause, remedy = why.cause, why.remedy
    elif there is not None:
        cause = f"{want.name} is {there}"
    message = f"plugin {name!r} {version} goes without {want.text}, which it wants: {cause}"
    return Reason("want-missing", message, cause, remedy)
