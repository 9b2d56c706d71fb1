"""Starting lazy plugins against eager ones, and what waiting plugins cost an event.

Run it with ``python -m tests.benchmarks.bench_lazy``. Each start runs in a process of its own with
warm bytecode, and tells its own CPU time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

import pkl
from pkl.kernel.route import Route

from .pairing import per_call, table

COUNT = 200
CODE = """
import argparse, dataclasses
from pkl.plugins import owner
@owner.happened.on
def handler(x): pass
"""
OWNER = """
import pkl
@pkl.event
def happened(x): pass
@pkl.event
def awaited(x): pass
"""
START = """
import sys, time
import pkl
host = pkl.PluginHost(paths=[sys.argv[1]])
pkl.set_default_host(host)
from pkl import event
began = time.process_time()
report = host.start()
took = time.process_time() - began
assert report.ok and len(report.enabled) + len(report.waiting) == int(sys.argv[2]) + 1, report
print(took)
"""


def write(root: Path, count: int, activation: List[str]) -> None:
    """An eager plugin with an event, and ``count`` plugins that handle it."""
    for number in range(-1, count):
        name = f"p{number}" if number >= 0 else "owner"
        manifest = {"name": name, "activation": ["startup"]}
        if number >= 0:
            manifest = {"name": name, "requires": ["owner"], "activation": activation}
        (root / name).mkdir(parents=True)
        (root / name / "plugin.json").write_text(json.dumps(manifest))
        (root / name / "plugin.py").write_text(CODE if number >= 0 else OWNER)


def starts(root: Path, rounds: int = 7) -> Dict[str, float]:
    """The least seconds of CPU that each kind of start took, by what is started."""
    kinds = {"eager": ["startup"], "lazy, by an event": ["event:owner.awaited"]}
    kinds["lazy, by an import"] = ["import"]
    best = dict.fromkeys(kinds, float("inf"))
    for number, activation in enumerate(kinds.values()):
        write(root / str(number), COUNT, activation)
    for _ in range(rounds):
        for number, kind in enumerate(kinds):
            command = [sys.executable, "-c", START, str(root / str(number)), str(COUNT)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            best[kind] = min(best[kind], float(ran.stdout))
    return best


def dispatch(root: Path) -> Dict[str, float]:
    """Seconds a call of an event takes beside plugins that wait, and with what waited for it."""
    cases = {}
    hosts = []
    for kind, activation in (
        ("eager handlers", ["startup"]),
        ("handlers that a call before started", ["event:owner.happened"]),
    ):
        write(root / kind, 10, activation)
        host = pkl.PluginHost(paths=[root / kind])
        hosts.append(host)
        pkl.set_default_host(host)
        assert host.start().ok
        host.plugins.owner.happened(0)
        happened = host.plugins.owner.happened
        assert len(host.kernel.named_route("owner", "happened", Route).subscriptions) == 10

        def call(happened: "pkl.Event[[int], None]" = happened) -> None:
            happened(0)

        cases[kind] = call
    took = per_call(cases)
    for host in hosts:
        host.close()
    return took


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        found = starts(root / "starts")
        eager = found["eager"]
        print(f"start of {COUNT} plugins (Python {sys.version.split()[0]})")
        for name, seconds in found.items():
            print(f"  {name:24}{seconds * 1000:8.1f} ms  {seconds / eager:5.2f}x")
        table("event with 10 handlers", dispatch(root / "dispatch"), "eager handlers")


if __name__ == "__main__":
    main()
