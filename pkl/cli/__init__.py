"""The ``pkl`` command: management verbs that import no plugin, and ``run``, which does."""

from __future__ import annotations

from typing import Optional, Sequence

__all__ = ["main"]


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs one command line and returns its exit status; prints what it has to say.

    Args:
        argv: The arguments without the program's name; by default those of the process.
    """
    try:
        from .app import execute

        return execute(argv)
    except KeyboardInterrupt:
        return 130
