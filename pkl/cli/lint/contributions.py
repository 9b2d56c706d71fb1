"""What a manifest contributes, held against the points of the host."""

from __future__ import annotations

from typing import Iterator, Optional

from ...discovery.lines import line_of_key
from ...model.contributions import Points, undeclared
from ...model.manifest import PluginMetadata
from .finding import ERROR, WARNING, Finding

__all__ = ["breaches", "unknown_points"]


def unknown_points(
    points: Points, metadata: PluginMetadata, file: Optional[str], text: str
) -> Iterator[Finding]:
    """The keys that are no points of the host.

    Args:
        points: The host's.
        metadata: The manifest.
        file: Its path, for findings.
        text: Its content.
    """
    for each in points.unknown(metadata):
        line = line_of_key(text, each.path)
        message = undeclared(metadata, each)
        yield Finding(WARNING, "unknown-point", message, file, line, each.path, each.hint)


def breaches(
    points: Points, metadata: PluginMetadata, file: Optional[str], text: str
) -> Iterator[Finding]:
    """The values that break the schema of their point; the arguments are as above."""
    for fault in points.faults(metadata):
        line = line_of_key(text, fault.path)
        yield Finding(ERROR, "manifest", str(fault), file, line, fault.path)
