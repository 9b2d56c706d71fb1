"""What can be wrong with what plugins contribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..model.contributions import undeclared
from ..model.finding import WARNING, Finding

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["unknown_points"]


def unknown_points(kernel: "Kernel") -> Iterator[Finding]:
    """Keys under ``[contributes]`` that are no points of the host, if it declares any."""
    points = kernel.contributions.points
    if points is None:
        return
    for plugin in list(kernel.plugins.values()):
        for each in points.unknown(plugin.metadata):
            yield Finding(
                WARNING,
                "unknown-point",
                undeclared(plugin.candidate, each),
                plugin=plugin.name,
                file=plugin.candidate.manifest_file,
                hint=each.hint,
            )
