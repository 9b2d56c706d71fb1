"""Directories on their way into the generations: flushed to the disk, and deleted as a whole."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from typing import Any, Callable

from ...files import flush_directory

__all__ = ["delete_tree", "flush_tree"]

_FLUSHABLE = (os.O_RDWR if sys.platform == "win32" else os.O_RDONLY) | getattr(os, "O_NOFOLLOW", 0)
_FLUSHABLE |= getattr(os, "O_CLOEXEC", 0)


def flush_tree(directory: str) -> None:
    """Flushes every file below a directory to the disk, then every directory, itself at last.

    Raises:
        OSError: Something cannot be opened, or not be flushed.
    """
    for parent, _, files in os.walk(directory, topdown=False, onerror=_raise):
        for name in files:
            path = os.path.join(parent, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                fd = os.open(path, _FLUSHABLE)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)
        flush_directory(parent)


def _raise(error: OSError) -> None:
    raise error


def delete_tree(directory: str) -> bool:
    """Deletes a directory and all in it, also what may not be written to; whether it is gone."""
    if not os.path.lexists(directory):
        return True
    if sys.version_info >= (3, 12):
        shutil.rmtree(directory, onexc=_retry)
    else:
        shutil.rmtree(directory, onerror=_retry)
    return not os.path.lexists(directory)


def _retry(function: Callable[..., Any], path: str, _error: Any) -> None:
    """Makes what stands in the way writable and tries once more; what fails then stays."""
    try:
        for each in (os.path.dirname(path), path):
            if not os.path.islink(each):
                os.chmod(each, stat.S_IRWXU)
        function(path)
    except (OSError, TypeError):
        return  # The next clean-up tries again.
