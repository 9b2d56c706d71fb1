"""Loading and enabling directory plugins against importlib.

Run it with ``python -m tests.benchmarks.bench_load``. Each case runs in a process of its own with
warm bytecode, and tells its own CPU time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

IMPORTLIB = """
import importlib.util, os, sys, time
root = sys.argv[1]
names = sorted(os.listdir(root))
began = time.process_time()
for name in names:
    for part in ("__init__", "plugin"):
        full = f"bench_{name}" if part == "__init__" else f"bench_{name}.plugin"
        path = os.path.join(root, name, part + ".py")
        search = [os.path.join(root, name)] if part == "__init__" else None
        spec = importlib.util.spec_from_file_location(full, path, submodule_search_locations=search)
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
print(time.process_time() - began)
"""

IMPORT_SYSTEM = """
import importlib, os, sys, time
root = sys.argv[1]
names = sorted(os.listdir(root))
sys.path.insert(0, root)
began = time.process_time()
for name in names:
    importlib.import_module(f"{name}.plugin")
print(time.process_time() - began)
"""

PKL = """
import sys, time
import pkl
host = pkl.PluginHost(paths=[sys.argv[1]])
from pkl import event, syscall
began = time.process_time()
report = host.start()
took = time.process_time() - began
assert report.ok, report
print(took)
"""

PLAN = """
import sys, time
import pkl
host = pkl.PluginHost(paths=[sys.argv[1]])
began = time.process_time()
host.discover()
host.resolve()
print(time.process_time() - began)
"""

CODE = '''"""A plugin."""
LIMIT = 3
class Thing:
    def __init__(self, value):
        self.value = value
    def double(self):
        return self.value * 2
def helper(a, b=2):
    return a + b
'''


def plugins(root: Path, count: int) -> None:
    """Writes plugins of two files each, old enough for their bytecode to be trusted."""
    old = time.time() - 3600
    for n in range(count):
        directory = root / f"p{n:05d}"
        directory.mkdir()
        (directory / "plugin.json").write_text(
            json.dumps({"name": f"p{n:05d}", "version": "1.0.0", "entrypoint": "plugin"})
        )
        (directory / "__init__.py").write_text(CODE)
        (directory / "plugin.py").write_text(CODE)
        for file in directory.iterdir():
            os.utime(file, (old, old))


def run(code: str, root: Path) -> float:
    """CPU seconds that the code reports."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Prints the ratios at 1,000 and, to see that it is linear, at 10,000 plugins."""
    for count, rounds in ((1000, 7), (10_000, 2)):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            plugins(root, count)
            cases = {
                "bare module specs": IMPORTLIB,
                "importlib.import_module": IMPORT_SYSTEM,
                "discover and resolve": PLAN,
                "pkl start (all of it)": PKL,
            }
            best: Dict[str, List[float]] = {name: [] for name in cases}
            for _ in range(rounds + 1):
                for name, code in cases.items():
                    best[name].append(run(code, root))
            limit = min(best["importlib.import_module"])
            print(f"\n{count} directory plugins of two files (Python {sys.version.split()[0]})")
            for name, times in best.items():
                took = min(times)
                print(f"  {name:<28} {took * 1e3:>9.1f} ms  {took / limit:>6.2f}x")
            net = min(best["pkl start (all of it)"]) - min(best["discover and resolve"])
            ratio = f"{net / limit:>6.2f}x  target 1.5x"
            print(f"  {'pkl load + enable':<28} {net * 1e3:>9.1f} ms  {ratio}")


if __name__ == "__main__":
    main()
