"""Ten thousand one-shot timers: pkl's against heapq, asyncio and threading.Timer.

Run it with ``python -m tests.benchmarks.bench_timers``. Each case runs in a process of its own: all
timers are set, and fire a few seconds later. It tells the CPU time of setting and firing one, how
late they were, and what the memory of the process grew by.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

COUNT = 10_000

COMMON = """
import json, resource, sys, threading, time
COUNT, DELAY = int(sys.argv[1]), 3.0
late, done = [], threading.Event()
def fire(due):
    late.append(time.monotonic() - due)
    if len(late) == COUNT:
        done.set()
def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def report(began, before):
    took = time.process_time() - began
    late.sort()
    print(json.dumps({
        "us": took / COUNT * 1e6,
        "set": setting / COUNT * 1e6,
        "p50": late[COUNT // 2] * 1e3,
        "p99": late[COUNT * 99 // 100] * 1e3,
        "mib": (high - before) / 2**20,
    }))
"""

HEAPQ = """
from heapq import heappush, heappop
heap, before, began = [], memory(), time.process_time()
start = time.monotonic()
for n in range(COUNT):
    heappush(heap, (start + DELAY, n, fire))
setting, high = time.process_time() - began, memory()
late = [0.0] * COUNT
while heap:
    heappop(heap)
report(began, before)
"""

ASYNCIO = """
import asyncio
async def main():
    global setting, high
    loop = asyncio.get_running_loop()
    for n in range(COUNT):
        loop.call_later(DELAY, fire, time.monotonic() + DELAY)
    setting, high = time.process_time() - began, memory()
    while not done.is_set():
        await asyncio.sleep(0.2)
before, began = memory(), time.process_time()
asyncio.run(main())
report(began, before)
"""

THREADS = """
before, began = memory(), time.process_time()
for n in range(COUNT):
    timer = threading.Timer(DELAY, fire, (time.monotonic() + DELAY,))
    timer.start()
setting, high = time.process_time() - began, memory()
done.wait()
report(began, before)
"""

PKL = """
import pkl
host = pkl.PluginHost()
with host.as_current():
    pkl.set_timeout(int, 0.0)
    time.sleep(0.1)
    before, began = memory(), time.process_time()
    for n in range(COUNT):
        pkl.set_timeout(fire, DELAY, time.monotonic() + DELAY)
    setting, high = time.process_time() - began, memory()
done.wait()
report(began, before)
host.close()
"""

CASES = {
    "heapq push and pop": HEAPQ,
    "pkl.set_timeout": PKL,
    "asyncio call_later": ASYNCIO,
    "threading.Timer": THREADS,
}


def run(code: str) -> Dict[str, float]:
    """What one case says of itself."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", COMMON + code, str(COUNT)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    found: Dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Prints the best of three rounds of each case."""
    rounds: Dict[str, List[Dict[str, float]]] = {name: [] for name in CASES}
    for _ in range(3):
        for name, code in CASES.items():
            rounds[name].append(run(code))
    print(f"{COUNT} one-shot timers (Python {sys.version.split()[0]}); late: p50 / p99")
    for name, runs in rounds.items():
        best = {key: min(each[key] for each in runs) for key in runs[0]}
        print(
            f"  {name:<20} {best['us']:>7.1f} us each ({best['set']:.1f} to set)  late "
            f"{best['p50']:>7.1f} / {best['p99']:>7.1f} ms  {best['mib']:>+7.1f} MiB"
        )


if __name__ == "__main__":
    main()
