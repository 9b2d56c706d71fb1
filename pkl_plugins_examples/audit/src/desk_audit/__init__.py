"""What was written down. Other plugins write ``from pkl.plugins import audit``."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

from pkl import Resource, syscall

__all__ = ["Trail", "entries", "note"]


class Trail(Resource):
    """The open file that entries go to; a resource, so it is closed whatever happens."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._file = path.open("a", encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Trail {self.path.name}>"

    def write(self, entry: str) -> None:
        """Adds a line; it is on disk after ``flush()`` or once the trail is released."""
        self._file.write(f"{entry}\n")

    def flush(self) -> None:
        """Puts on disk what was written."""
        self._file.flush()

    def _cleanup(self) -> None:
        self._file.close()


trail: Optional[Trail] = None
"""The trail of this generation; None until the plugin is enabled."""


@syscall
def note(entry: str) -> None:
    """Writes down something that audit cannot hear of by itself."""
    if trail is not None:
        trail.write(entry)


@syscall
def entries() -> List[str]:
    """Everything that was ever written down, oldest first."""
    if trail is None:
        return []
    trail.flush()
    return trail.path.read_text(encoding="utf-8").splitlines()
