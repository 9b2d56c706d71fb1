"""Runs the tests of pkl: ``python tests/run.py [ENV ...] [-- PYTEST ARGUMENTS]``.

It needs a Python >= 3.9 with pip and nothing else. The first run makes an environment under
``.tox`` and installs tox there; tox makes one more for each ENV of ``tox.ini``. Without ENV the
tests run on every Python from 3.9 to 3.13 that this machine has, wherever it keeps them; those it
lacks are named as skipped. The last line counts the tests of all environments together.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
NEEDS = {f"py{version.replace('.', '')}": version for version in VERSIONS}
NEEDS["minimum-versions"] = "3.9"
WHO = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
FOLDERS = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "~/.local/bin",
    "~/.local/share/uv/python/*/bin",
    "/opt/hostedtoolcache/Python/*/*/bin",
)
OUTCOME = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|error)")
SUMMARY = re.compile(r"^=*\s*\d+ [a-z]+(, \d+ [a-z]+)* in [\d.]+s")


def environment() -> Dict[str, str]:
    """The environment without what would make Python or pytest behave as if at its user's desk."""
    ours = ("PYTHON", "PYTEST_", "PKL_", "TOX_", "VIRTUAL_ENV")
    kept = ("PYTHONUNBUFFERED", "PKL_EXAMPLES")
    return {k: v for k, v in os.environ.items() if k in kept or not k.startswith(ours)}


def pyenv_roots() -> List[str]:
    """The folders in which pyenv may keep its Pythons."""
    roots = [os.environ.get("PYENV_ROOT", ""), os.path.expanduser("~/.pyenv")]
    pyenv = shutil.which("pyenv")
    if pyenv:
        ran = subprocess.run([pyenv, "root"], stdout=subprocess.PIPE, text=True)
        roots.append(ran.stdout.strip())
    return [root for root in dict.fromkeys(roots) if root]


def find_python(version: str) -> Optional[str]:
    """A Python of that version which really starts, or None; the one running now comes first."""
    name = f"python{version}"
    ours = "{}.{}".format(*sys.version_info[:2])
    candidates = [sys.executable] if ours == version else []
    candidates.append(shutil.which(name) or "")
    for root in pyenv_roots():
        candidates += sorted(glob.glob(os.path.join(root, "versions", "*", "bin", name)))
    for folder in FOLDERS:
        candidates += sorted(glob.glob(os.path.join(os.path.expanduser(folder), name)))
    return next((path for path in candidates if path and answers(path, version)), None)


def answers(path: str, version: str) -> bool:
    """Whether this executable starts and is that version (a pyenv shim may be neither)."""
    try:
        ran = subprocess.run(
            [path, "-I", "-c", WHO],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0 and ran.stdout.split()[:1] == [version]


def tox_python() -> str:
    """The Python of an environment that has tox, made on the first run."""
    home = ROOT / ".tox" / ".run-{}.{}".format(*sys.version_info[:2])
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / "ready"
    if not ready.exists():
        print(f"installing tox into {home}", flush=True)
        pip = [str(python), "-m", "pip"]
        if subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)]).returncode:
            # Debian's Python comes without ensurepip, but its pip installs into other environments.
            bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)]
            subprocess.run(bare, check=True)
            pip = [sys.executable, "-m", "pip", "--python", str(python)]
        subprocess.run(
            [*pip, "install", "-qq", "--disable-pip-version-check", "tox>=4.23"],
            check=True,
            env=environment(),
        )
        ready.touch()
    return str(python)


def run(names: Sequence[str], arguments: Sequence[str]) -> int:
    """Runs these environments of tox.ini and counts what pytest reports.

    Returns:
        0 if every environment that this machine can run succeeded, else 1.
    """
    started = time.monotonic()
    pythons = {v: find_python(v) for v in VERSIONS if v in {NEEDS.get(name) for name in names}}
    able = [name for name in names if name not in NEEDS or pythons[NEEDS[name]]]
    skipped = [
        f"skipped: {name}, no Python {NEEDS[name]} on this machine"
        for name in names
        if name not in able
    ]
    print(*skipped, sep="\n", end="\n" if skipped else "", flush=True)
    found = [path for path in pythons.values() if path]
    # An environment that tox would skip after all is a failure: this machine has its Python.
    command = [tox_python(), "-m", "tox", "run", "--skip-missing-interpreters", "false"]
    command += ["--discover", *found] if found else []
    command += ["-e", ",".join(able), *(["--", *arguments] if arguments else [])]
    counts: Counter[str] = Counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as tox:
        assert tox.stdout is not None
        for line in tox.stdout:
            print(line, end="", flush=True)
            if SUMMARY.match(line):
                for number, outcome in OUTCOME.findall(line):
                    counts[outcome] += int(number)
    print(*skipped, sep="\n", end="\n" if skipped else "")
    if counts:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        print(f"==== {outcomes} in {time.monotonic() - started:.2f}s ====", flush=True)
    return 1 if tox.returncode else 0


def main(arguments: Sequence[str]) -> int:
    """Splits the command line at ``--`` and runs the environments before it."""
    given = list(arguments)
    if given[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    cut = given.index("--") if "--" in given else len(given)
    return run(given[:cut] or [f"py{v.replace('.', '')}" for v in VERSIONS], given[cut + 1 :])


if __name__ == "__main__":
    if sys.version_info < (3, 9):  # noqa: UP036 (it says so instead of failing on syntax)
        sys.exit("pkl needs Python 3.9 or newer; this is " + sys.version.split()[0])
    sys.exit(main(sys.argv[1:]))
