"""The name of a wheel, which says what it is of and where it fits (binary distribution format)."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from ..model.requirement import is_version, version_key
from ..names import canonical, is_valid

__all__ = ["WheelName", "parse_wheel_name"]

_NAME = re.compile(
    r"(?P<distribution>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[A-Za-z0-9._!+]+)"
    r"(?:-(?P<build>[0-9][A-Za-z0-9._]*))?"
    r"-(?P<tags>[A-Za-z0-9._]+-[A-Za-z0-9._]+-[A-Za-z0-9._]+)\.whl"
)
_MAX_NAME = 255


class WheelName(NamedTuple):
    """What the name of a wheel states.

    Attributes:
        distribution: The canonical name of the distribution.
        version: Its version.
        build: The build number; empty if there is none.
        tags: For which Pythons, interfaces and platforms it is, as in ``py3-none-any``.
    """

    distribution: str
    version: str
    build: str
    tags: str

    def is_of(self, distribution: str, version: str) -> bool:
        """Whether it is a wheel of this version of this distribution."""
        return self.distribution == canonical(distribution) and version_key(
            self.version
        ) == version_key(version)


def parse_wheel_name(file: str) -> Optional[WheelName]:
    """What the name of a wheel states; None if it is none, or a path."""
    match = _NAME.fullmatch(file) if len(file) <= _MAX_NAME else None
    if match is None:
        return None
    distribution, version, build, tags = match.groups("")
    # Older tools write the + before a local version as _.
    version = version if "+" in version else version.replace("_", "+", 1)
    if not is_valid(distribution.rstrip("._")) or not is_version(version):
        return None
    return WheelName(canonical(distribution), version, build, tags)
