"""``pkl install`` of one small plugin: ``python -m tests.benchmarks.bench_install``.

From a directory's registry, with the wheel in the cache, in a fresh process each time. What pkl
takes is what the command takes less what the installer does in it: the same solve and the same
unpacking by an installer that starts no process (``quick``) tells the two apart. The target is
0.5 s beyond the installer's own time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Sequence

from pkl.install.backends.choose_backend import installers
from tests.install.making import plugin_wheel
from tests.install.market import Shop

ROOT = Path(__file__).resolve().parents[2]
TIMES = 7
QUICK = "tests.install.verbs.quick"


def main() -> None:
    """Prints a line for each installer, in seconds of CPU time, the installer's own included."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["PKL_HOME"] = str(work / "home")
        shop = Shop(work)
        plugin_wheel(shop.wheels, "auth")
        shop.publish()
        shop.known()
        (work / "pkl.toml").write_text('name = "shop"\ngroup = "shop.plugins"\n')
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        # As where pkl is installed: compiled, but not beside the source.
        environment.update(PYTHONPATH=str(ROOT), PYTHONPYCACHEPREFIX=str(work / "compiled"))
        bare = measured([sys.executable, "-c", "import click"], work, environment)
        print(f"{'python -c import click':32}{bare:8.3f} s")
        quick = [sys.executable, "-m", QUICK, str(shop.wheels), "install", "auth", "-y"]
        print(f"{'pkl install, no process started':32}{measured(quick, work, environment):8.3f} s")
        for each in installers():
            if not each.problem:
                command = [sys.executable, "-m", "pkl", "install", "auth", "-y"]
                took = measured([*command, "--backend", each.name], work, environment)
                name = f"pkl install with {each.name} {each.version}"
                print(f"{name:32}{took:8.3f} s")


def measured(command: Sequence[str], work: Path, environment: Dict[str, str]) -> float:
    """The least CPU seconds of a command and its children, in a home without a generation."""
    times: List[float] = []
    for _ in range(TIMES + 1):
        shutil.rmtree(work / "home" / "data", ignore_errors=True)
        before = os.times()
        subprocess.run(
            command,
            cwd=work,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        after = os.times()
        times.append(
            after.children_user
            - before.children_user
            + after.children_system
            - before.children_system
        )
    return min(times[1:])


if __name__ == "__main__":
    main()
