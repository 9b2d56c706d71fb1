"""The demo: builds the example plugins, installs them into a fresh environment, and runs a desk.

One of them is not installed by pip, but by ``pkl install`` from a registry that the demo makes.

``python pkl_plugins_examples/demo.py [--dir DIR]``. It needs a Python >= 3.9 with pip and nothing
else, changes nothing outside of DIR (``.demo`` beside this folder), and may be run again. It exits
with 0 if everything that the demo shows did happen, else with 1 and a line that says what did not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List, Sequence

EXAMPLES = Path(__file__).resolve().parent
ROOT = EXAMPLES.parent
BUILD_TOOLS = ("hatchling>=1.25", "setuptools>=77")
FROM_REGISTRY = "pkl_example_reminders"
"""The distribution that comes from a registry."""
HOST = 'name = "desk"\nversion = "2.1"\ngroup = "desk.plugins"\n'
"""What says to the command ``pkl`` which host it is about."""
MISLEADING = (
    *("PIP_PREFIX", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_ROOT", "PIP_TARGET", "PIP_USER"),
    "VIRTUAL_ENV",
)


class Failed(Exception):
    """A step went wrong; the text says which and why."""


def environment(home: Path) -> Dict[str, str]:
    """The environment without what would send pip or Python elsewhere than to the demo's folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in MISLEADING and not name.startswith(("PYTHON", "PKL_", "DESK_"))
    }
    kept.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PYTHONUNBUFFERED="1")
    return {**kept, "PKL_HOME": str(home / "pkl-home"), "DESK_HOME": str(home / "desk-home")}


def run(what: str, command: Sequence[str], home: Path) -> None:
    """Runs a command quietly, and shows what it said only if it failed.

    Raises:
        Failed: It exited with another status than 0.
    """
    ran = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment(home),
    )
    if ran.returncode:
        raise Failed(f"{what} failed with status {ran.returncode}:\n{ran.stdout.strip()}")


def make_environment(folder: Path, home: Path) -> List[str]:
    """Makes a fresh virtual environment; returns the command that is pip for it."""
    python = str(python_of(folder))
    try:
        run("python -m venv", [sys.executable, "-m", "venv", "--clear", str(folder)], home)
    except Failed:
        # Some systems ship a Python without ensurepip, whose pip can install elsewhere.
        bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)]
        run("python -m venv --without-pip", bare, home)
        elsewhere = [sys.executable, "-m", "pip", "--python", python]
        # ``pkl install`` needs one that is there.
        run("pip install of pip", [*elsewhere, "install", "-q", "pip"], home)
    return [python, "-m", "pip"]


def python_of(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(home: Path) -> Path:
    """Builds wheels of pkl and of every example and installs them; returns the Python to use.

    Raises:
        Failed: A step went wrong.
    """
    step(1, f"environments in {home}")
    pip = make_environment(home / "env", home)
    build = make_environment(home / "build", home)

    step(2, "tools to build with: " + ", ".join(BUILD_TOOLS))
    run("pip install of the build tools", [*build, "install", "-q", *BUILD_TOOLS], home)

    # Copies, because setuptools leaves its build folder in the source that it builds.
    sources = home / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    folders = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
    rubbish = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*")
    for folder in folders:
        shutil.copytree(folder, sources / folder.name, ignore=rubbish)
    step(3, "wheels of pkl, " + ", ".join(folder.name for folder in folders))
    wheels = home / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    projects = [str(ROOT), *(str(sources / folder.name) for folder in folders)]
    run("pip wheel", [*build, "wheel", "-q", *options, *projects], home)

    # One of them is left to ``pkl install``, which the scenario shows.
    shelf = home / "shelf"
    shutil.rmtree(shelf, ignore_errors=True)
    shelf.mkdir()
    for wheel in wheels.glob(f"{FROM_REGISTRY}-*.whl"):
        wheel.rename(shelf / wheel.name)

    # Files, not names: what an index may have under these names is not asked for.
    built = sorted(str(wheel) for wheel in wheels.glob("*.whl"))
    step(4, f"pip install of these {len(built)} wheels and of what they require")
    run("pip install of the wheels", [*pip, "install", "-q", *built], home)
    run("pip check", [*pip, "check"], home)
    return python_of(home / "env")


def step(number: int, what: str) -> None:
    """Says what comes next."""
    print(f"[{number}/4] {what}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Installs, then runs the folder ``scenario`` with what was installed.

    Returns:
        0 if all went as it should, else 1.
    """
    parser = argparse.ArgumentParser(description="Shows pkl with ten plugins of a ticket desk.")
    parser.add_argument("--dir", type=Path, default=ROOT / ".demo", help="where to install")
    home: Path = parser.parse_args(arguments).dir.resolve()
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"pkl demo on Python {version}", flush=True)
    home.mkdir(parents=True, exist_ok=True)
    for kept in ("pkl-home", "desk-home", "registry"):
        shutil.rmtree(home / kept, ignore_errors=True)
    (home / "pkl.toml").write_text(HOST, encoding="utf-8")
    began = time.monotonic()
    try:
        python = install(home)
    except Failed as failed:
        print(f"\ndemo failed: {failed}", file=sys.stderr)
        return 1
    print(f"installed in {time.monotonic() - began:.0f} s\n", flush=True)
    scenario = [str(python), "-I", str(EXAMPLES / "scenario")]
    status = subprocess.run(
        scenario, stdin=subprocess.DEVNULL, env=environment(home), cwd=home
    ).returncode
    if not status:
        print(f"\nThe environment stays in {home / 'env'}; its command `desk` opens the desk.")
    return 1 if status else 0


if __name__ == "__main__":
    if sys.version_info < (3, 9):  # noqa: UP036 (it says so instead of failing on syntax)
        sys.exit("pkl needs Python 3.9 or newer; this is " + sys.version.split()[0])
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
