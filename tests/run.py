"""Runs the tests of pkl: ``python tests/run.py [-j N] [ENV ...] [-- PYTEST ARGUMENTS]``.

It needs a Python >= 3.9 with pip and nothing else. The first run makes an environment under
``.tox`` and installs tox there; tox makes one more for each ENV of ``tox.ini``. Without ENV the
tests run on every Python from 3.9 to 3.13 that this machine has, wherever it keeps them; those it
lacks are named as skipped. N environments run at a time (by default one for each processor, at
most four), and each prints as if it ran alone. The end says again what failed, in which
environment; the last line counts the tests of all environments together.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

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
SUMMARY = re.compile(r"^=*\s*(\d+ [a-z]+(, \d+ [a-z]+)*|no tests ran) in [\d.]+s")
SECTION = re.compile(r"^=+ ([A-Za-z][A-Za-z ]*) =+$")
TOLD = {"ERRORS", "FAILURES", "short test summary info"}
UNTOLD = ("SKIPPED", "XFAIL", "XPASS", "PASSED")
ACCOUNT = 120
"""How many lines the account of what failed may have in all."""


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


class Ended(NamedTuple):
    """How an environment ended: its exit status and the seconds that it took."""

    status: int
    seconds: float


def execute(command: Sequence[str], lines: "SimpleQueue[Optional[str]]") -> Ended:
    """Runs a command, hands its lines on as they come, and None when there are no more.

    Tests that run at the same time have a folder each for what they write, which is gone when
    they end: pytest would sweep the one folder that it keeps for all.
    """
    started = time.monotonic()
    folder = tempfile.mkdtemp(prefix="pkl-")
    try:
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment(), "PYTEST_DEBUG_TEMPROOT": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)
        return Ended(process.returncode, time.monotonic() - started)
    finally:
        lines.put(None)
        shutil.rmtree(folder, ignore_errors=True)


def build_wheel() -> str:
    """The wheel that all environments install.

    One tox would build it once; several at a time would build it in each other's way.
    """
    folder = ROOT / ".tox" / ".run-wheel"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [tox_python(), "-m", "pip", "wheel", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "-w", str(folder), str(ROOT)], check=True, env=environment())
    (wheel,) = folder.glob("*.whl")
    return str(wheel)


def account(lines: Sequence[str], limit: int) -> List[str]:
    """What an environment that failed said about it, in at most so many lines and one.

    That is the failures and errors of pytest and its short summary, without what only was skipped;
    where pytest reports none, the last lines. Of a longer account the beginning and the end stay.
    """
    told: List[str] = []
    telling = False
    for line in lines:
        section = SECTION.match(line)
        if section:
            telling = section[1] in TOLD
        if telling and not line.startswith(UNTOLD):
            told.append(line)
        if SUMMARY.match(line):
            telling = False
    if not any(SECTION.match(line) and "summary" not in line for line in told):
        return list(lines[-limit:])
    if len(told) <= limit:
        return told
    head, tail = limit // 2, limit - limit // 2
    return [*told[:head], f"... {len(told) - limit} lines left out", *told[-tail:]]


def run(names: Sequence[str], arguments: Sequence[str], jobs: int) -> int:
    """Runs these environments of tox.ini, some at a time, and counts what pytest reports.

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
    tox = [tox_python(), "-m", "tox", "run", "--skip-missing-interpreters", "false"]
    tox += ["--installpkg", build_wheel()] if len(able) > 1 else []
    tox += ["--discover", *found] if found else []
    after = ["--", *arguments] if arguments else []
    counts: Counter[str] = Counter()
    ended: Dict[str, Ended] = {}
    failed: List[Tuple[str, List[str]]] = []
    for name, lines, end in at_a_time({name: [*tox, "-e", name, *after] for name in able}, jobs):
        ended[name] = end
        if end.status:
            failed.append((name, lines))
        for line in filter(SUMMARY.match, lines):
            for number, outcome in OUTCOME.findall(line):
                counts[outcome] += int(number)
    for name, lines in failed:
        print(f"\n==== {name} failed ====", *account(lines, ACCOUNT // len(failed)), sep="\n")
    for name, end in ended.items():
        print(f"{name}: {'failed' if end.status else 'passed'} in {end.seconds:.0f} s")
    print(*skipped, sep="\n", end="\n" if skipped else "")
    if counts:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        print(f"==== {outcomes} in {time.monotonic() - started:.2f}s ====", flush=True)
    return 1 if failed else 0


def at_a_time(commands: Dict[str, List[str]], jobs: int) -> Iterator[Tuple[str, List[str], Ended]]:
    """Runs commands so many at a time, and prints each one's lines together and in their order.

    The first that has not ended prints as it goes; what runs beside it is printed after it.

    Yields:
        Each name with the lines that its command printed and how it ended.
    """
    pool = ThreadPoolExecutor(jobs)
    try:
        running = []
        for name, command in commands.items():
            queue: SimpleQueue[Optional[str]] = SimpleQueue()
            running.append((name, queue, pool.submit(execute, command, queue)))
        for name, queue, future in running:
            lines = []
            for line in iter(queue.get, None):
                print(line, end="", flush=True)
                lines.append(line.rstrip("\n"))
            yield name, lines, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def processors() -> int:
    """How many processors this process may use, at most four: more environments need memory."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        usable = os.cpu_count() or 1
    return min(usable, 4)


def main(arguments: Sequence[str]) -> int:
    """Splits the command line at ``--`` and runs the environments before it."""
    given = list(arguments)
    cut = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(
        usage="python tests/run.py [-j N] [ENV ...] [-- PYTEST ARGUMENTS]",
        description=__doc__.partition("\n\n")[2],
    )
    parser.add_argument("-j", dest="jobs", type=int, default=processors(), metavar="N")
    parser.add_argument("names", nargs="*", metavar="ENV")
    options = parser.parse_args(given[:cut])
    if options.jobs < 1:
        parser.error("argument -j: at least one environment runs at a time")
    names = options.names or [f"py{v.replace('.', '')}" for v in VERSIONS]
    return run(names, given[cut + 1 :], options.jobs)


if __name__ == "__main__":
    if sys.version_info < (3, 9):  # noqa: UP036 (it says so instead of failing on syntax)
        sys.exit("pkl needs Python 3.9 or newer; this is " + sys.version.split()[0])
    sys.exit(main(sys.argv[1:]))
