"""Starting the command against ``import click``: ``python -m tests.benchmarks.bench_cli [N]``.

CPU time (user and system) of whole processes, the least of interleaved rounds, in an environment
of N distributions (500 by default) of which one in ten is a plugin. Bytecode is written, as after
an installation, and the cache of discovery is warm.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Mapping, Sequence

import pkl

from .pairing import table

if sys.platform != "win32":
    import resource

ROUNDS = 15
CASES: Mapping[str, Sequence[str]] = {
    "python -c 'import click'": ("-c", "import click"),
    "pkl --version": ("-m", "pkl", "--version"),
    "pkl --help": ("-m", "pkl", "--help"),
    "pkl list": ("-m", "pkl", "list"),
    "pkl list --json": ("-m", "pkl", "list", "--json"),
    "pkl graph": ("-m", "pkl", "graph"),
}
LIMIT = "python -c 'import click'"
TARGETS = {"pkl --version": 1.5, "pkl list": 2.5}


def environment(site: Path, count: int) -> None:
    """Lays out the distributions; every plugin requires the one before it."""
    for n in range(count):
        info = site / f"dist_{n}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{n}\nVersion: 1.0\n\n")
        (info / "RECORD").write_text("")
        if n % 10 == 0:
            (info / "entry_points.txt").write_text(f"[pkl.plugins]\nplug-{n} = plug_{n}\n")
            package = site / f"plug_{n}"
            package.mkdir()
            (package / "plugin.py").write_text("")
            needs = f'requires = ["plug-{n - 10}>=1,<2"]\n' if n else ""
            (package / "plugin.toml").write_text(f'name = "plug-{n}"\n{needs}')
        elif n % 10 < 4:
            (info / "entry_points.txt").write_text(f"[console_scripts]\nrun{n} = m{n}:main\n")


def cpu_seconds(arguments: Sequence[str], environ: Mapping[str, str]) -> float:
    """The CPU time that one process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], env=dict(environ), stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(count: int) -> None:
    """Measures every case and prints the table."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        environment(root / "site", count)
        # A copy, so that its bytecode can be written whoever owns the tree.
        shutil.copytree(Path(pkl.__file__).parent, root / "code" / "pkl")
        time.sleep(2.5)  # A directory that has just changed is not cached.
        environ = {name: text for name, text in os.environ.items() if name[:6] != "PYTHON"}
        environ["PYTHONPATH"] = os.pathsep.join((str(root / "site"), str(root / "code")))
        environ["PKL_HOME"] = str(root / "home")
        best: Dict[str, float] = dict.fromkeys(CASES, float("inf"))
        for _ in range(ROUNDS):
            for name, arguments in CASES.items():
                best[name] = min(best[name], cpu_seconds(arguments, environ))
        table(f"CPU time with {count} distributions", best, LIMIT, TARGETS)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
