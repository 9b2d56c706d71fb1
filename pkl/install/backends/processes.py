"""Other programs, run apart from the user: none of his settings, directories or variables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Dict, List, NamedTuple, Optional, Sequence

__all__ = ["PATIENCE", "Ran", "TookTooLong", "environment", "run"]

PATIENCE = 900.0
"""Seconds that an installer may take; only one that hangs takes longer."""

_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH")
_KEPT_ON_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT")
_HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP")


class Ran(NamedTuple):
    """What became of a program.

    Attributes:
        status: What it exited with; below 0, the signal that ended it.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    status: int
    out: str
    err: str

    def end(self, lines: int = 20) -> List[str]:
        """The last lines of what it wrote."""
        written = [each.rstrip() for each in f"{self.out}\n{self.err}".splitlines()]
        return [each for each in written if each][-lines:]


class TookTooLong(Exception):
    """A program did not end in time, and was ended."""


def environment(scratch: str, more: Optional[Dict[str, str]] = None) -> Dict[str, str]:
    """The variables of a program that is run apart.

    None of ``PIP_*``, ``UV_*`` and ``PYTHON*`` gets through, because none does that is not
    listed; its home and its temporary directory are the scratch directory, so that it finds no
    ``.netrc`` and no ``pydistutils.cfg``. It talks to nobody but pkl, so it needs no proxies
    and no certificates; pkl itself heeds those of the user.

    Args:
        scratch: A directory that is removed afterwards.
        more: Further variables.
    """
    names = _KEPT + (_KEPT_ON_WINDOWS if sys.platform == "win32" else ())
    found = {name: os.environ[name] for name in names if name in os.environ}
    found.update(dict.fromkeys(_HOMES, scratch))
    found.update(LC_ALL="C.UTF-8", NO_COLOR="1", NO_PROXY="*", no_proxy="*", COLUMNS="1000")
    found.update(more or {})
    return found


def run(
    command: Sequence[str],
    scratch: str,
    *,
    more: Optional[Dict[str, str]] = None,
    timeout: float = PATIENCE,
) -> Ran:
    """Runs a program to its end, in the scratch directory and with nothing on its input.

    Whatever ends the wait (Ctrl-C, the time) ends the program and all that it started.

    Args:
        command: The program and its arguments.
        scratch: A directory that is removed afterwards.
        more: Further variables.
        timeout: How long it may take, in seconds.

    Raises:
        OSError: It cannot be started.
        TookTooLong: It did not end in time.
    """
    child = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scratch,
        env=environment(scratch, more),
        start_new_session=sys.platform != "win32",
        encoding="utf-8",
        errors="replace",
    )
    with child:
        try:
            out, err = child.communicate(timeout=timeout)
        except BaseException as e:
            _end(child)
            child.communicate()
            if isinstance(e, subprocess.TimeoutExpired):
                raise TookTooLong from None
            raise
    return Ran(child.returncode, out, err)


def _end(child: "subprocess.Popen[str]") -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
