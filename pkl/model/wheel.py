"""What a wheel says of itself, read without running anything of it."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from .manifest import PluginMetadata

__all__ = ["WheelFacts"]


class WheelFacts(NamedTuple):
    """What a wheel says of itself.

    Attributes:
        distribution: The name of the distribution, as it spells itself.
        version: Its version.
        requires_python: Which Pythons it is for (PEP 440); empty for any.
        metadata: Its METADATA, as it is.
        plugins: The plugins that it carries; none if it is a library.
    """

    distribution: str
    version: str
    requires_python: str
    metadata: bytes
    plugins: Tuple[PluginMetadata, ...]
