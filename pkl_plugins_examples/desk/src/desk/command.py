"""The command ``desk``: opens the desk and waits until somebody ends it."""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from .app import Desk
from .lines import OneLine, shorten

__all__ = ["main"]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the desk until Ctrl-C, a plugin's ``host.exit()``, or the given time is over.

    Returns:
        What a plugin passed to ``host.exit()``, else 0; 1 if a critical plugin cannot run.
    """
    parser = argparse.ArgumentParser(prog="desk", description="A ticket desk made of plugins.")
    parser.add_argument("--seconds", type=float, help="close again after this time")
    chosen = parser.parse_args(arguments)
    OneLine.to_stdout()
    desk = Desk()
    try:
        report = desk.open()
        print(shorten(str(report)))
        if report.status == "refused":
            return 1
        return desk.host.wait(chosen.seconds) or 0
    except KeyboardInterrupt:
        return 0
    finally:
        desk.close()
