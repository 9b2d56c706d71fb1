"""A day at the ticket desk, run by ``demo.py`` in the environment that it has made.

Every line that starts with ``ok`` was checked; the first that does not hold ends the run with
status 1.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from typing import List

import opening
import stopping
import working
from desk.app import Desk, make_host
from desk.lines import OneLine
from showing import Unexpected


def run() -> None:
    """The whole day."""
    OneLine.to_stdout()
    opening.install()
    opening.look()
    host = make_host()
    faults: List[str] = []
    host.on_error.subscribe(lambda fault: faults.append(str(fault.error)))
    desk = Desk(lambda line: print(line, flush=True), host)
    opening.plan(host)
    opening.start(desk)
    token = working.work(host, faults)
    port = working.serve()
    working.wait_for_timers(faults)
    working.watch(token)
    working.children(host)
    working.when_needed(host)
    working.switches(host)
    stopping.stop_one(desk, port)
    stopping.stop_many(desk, port)
    stopping.start_again(host)
    stopping.survive(host)
    stopping.side_by_side(host)
    stopping.stop_the_gremlin(host)
    stopping.close(desk)


def main() -> int:
    """Runs the day; 0 if everything was as it should be, else 1.

    After a failure the desk stays open until the process ends with it: nothing that is printed
    then could help.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    logging.raiseExceptions = False  # or it complains at length when the output is closed early
    began = time.monotonic()
    try:
        run()
    except BrokenPipeError:  # whoever read this has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Unexpected as unexpected:
        print(f"\ndemo failed: this should be so, and is not: {unexpected}", file=sys.stderr)
        return 1
    except Exception as error:
        traceback.print_exc()
        print(f"\ndemo failed: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"\nEverything was as it should be, in {time.monotonic() - began:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
