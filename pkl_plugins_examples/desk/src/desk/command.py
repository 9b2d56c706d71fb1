"""The command ``desk``: opens the desk and waits until somebody ends it."""

from __future__ import annotations

import argparse
import sys
from typing import Optional, Sequence

from pkl import CleanupError

from .app import Desk
from .lines import OneLine, shorten

__all__ = ["main"]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the desk until Ctrl-C, a plugin's ``host.exit()``, or the given time is over.

    Returns:
        What a plugin passed to ``host.exit()``, else 0; 1 if a critical plugin cannot run, or if
        a plugin could not clean up after itself.
    """
    parser = argparse.ArgumentParser(prog="desk", description="A ticket desk made of plugins.")
    parser.add_argument("--seconds", type=float, help="close again after this time")
    chosen = parser.parse_args(arguments)
    OneLine.to_stdout()
    desk = Desk()
    try:
        status = _run(desk, chosen.seconds)
    finally:
        try:
            desk.close()
        except CleanupError as error:
            status = 1
            for each in error.exceptions:
                print(f"not cleaned up: {type(each).__name__}: {each}", file=sys.stderr)
    return status


def _run(desk: Desk, seconds: Optional[float]) -> int:
    try:
        report = desk.open()
        print(shorten(str(report)), flush=True)
        if report.status == "refused":
            return 1
        return desk.host.wait(seconds) or 0
    except KeyboardInterrupt:
        return 0
