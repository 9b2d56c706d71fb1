"""Which of several wheels of one version fits this Python and platform best."""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Iterable, Optional, Tuple

from packaging.tags import parse_tag, sys_tags

from ...registry.wheel_name import parse_wheel_name

__all__ = ["best_wheel"]


def best_wheel(files: Iterable[str]) -> Optional[str]:
    """The file name of the wheel that installers would take; None if none fits.

    The most specific tag wins, then the highest build number (binary distribution format).

    Args:
        files: The names of wheels of one version.
    """
    found: Optional[Tuple[int, Tuple[int, str], str]] = None
    for file in files:
        said = parse_wheel_name(file)
        if said is None:
            continue
        ranks = [rank for tag in parse_tag(said.tags) if (rank := _ranks().get(str(tag), -1)) >= 0]
        if ranks:
            mine = (-min(ranks), _build(said.build), file)
            found = mine if found is None else max(found, mine)
    return found[2] if found is not None else None


def _build(text: str) -> Tuple[int, str]:
    digits = len(text) - len(text.lstrip("0123456789"))
    return (int(text[:digits]), text[digits:]) if digits else (-1, "")


@lru_cache(maxsize=1)
def _ranks() -> Dict[str, int]:
    return {str(tag): rank for rank, tag in enumerate(sys_tags())}
