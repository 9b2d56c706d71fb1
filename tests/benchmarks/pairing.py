"""Times cases against each other on a noisy machine: interleaved rounds, minima of CPU time.

Every case of a comparison runs once in each round, so that a slow moment of the machine hits all
of them; the minimum over the rounds is what the code itself costs.
"""

from __future__ import annotations

import gc
import sys
from time import perf_counter, process_time
from typing import Callable, Dict, Mapping, Optional

__all__ = ["minima", "per_call", "table"]


def minima(
    cases: Mapping[str, Callable[[], object]], rounds: int = 15, cpu: bool = True
) -> Dict[str, float]:
    """The least seconds that each case took.

    Args:
        cases: What to time, by name.
        rounds: How often each is run.
        cpu: Process time; else wall time.
    """
    clock = process_time if cpu else perf_counter
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            gc.disable()
            try:
                began = clock()
                case()
                best[name] = min(best[name], clock() - began)
            finally:
                gc.enable()
    return best


def per_call(
    cases: Mapping[str, Callable[[], object]], calls: int = 20_000, rounds: int = 15
) -> Dict[str, float]:
    """The least seconds that one call of each case takes."""

    def loop(case: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(calls):
                case()

        return run

    found = minima({name: loop(case) for name, case in cases.items()}, rounds)
    return {name: seconds / calls for name, seconds in found.items()}


def table(
    title: str, found: Mapping[str, float], limit: str, target: Optional[Mapping[str, float]] = None
) -> None:
    """Prints each case in nanoseconds and as a ratio to the limit, with the target beside it."""
    print(f"\n{title} (Python {sys.version.split()[0]}; ratio to {limit!r})")
    for name, seconds in found.items():
        aim = (target or {}).get(name)
        goal = "" if aim is None else f"  target {aim:g}x"
        print(f"  {name:<44} {seconds * 1e9:>12,.0f} ns  {seconds / found[limit]:>7.2f}x{goal}")
