"""Installs the distributions of ``pkl_plugins_examples`` and runs the tests of each.

Run it with a Python that has pkl and pytest: ``python tests/run_examples.py [PYTEST ARGUMENTS]``.
Each distribution is tested from its own folder, as its author would, but against what pip
installed; the folders are copies, because setuptools leaves its build in the source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Sequence

EXAMPLES = Path(__file__).resolve().parent.parent / "pkl_plugins_examples"


def distributions() -> List[Path]:
    """The folders of the examples that have their own ``pyproject.toml``."""
    return sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))


def main(arguments: Sequence[str]) -> int:
    """Tests every distribution, also after one has failed.

    Returns:
        0 if all of them have tests and pass them, else 1.
    """
    found = distributions()
    if not found:
        print(f"there is no distribution in {EXAMPLES}")
        return 1
    with tempfile.TemporaryDirectory() as copies:
        rubbish = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*")
        folders = [
            Path(shutil.copytree(folder, Path(copies, folder.name), ignore=rubbish))
            for folder in found
        ]
        return run_tests(folders, arguments)


def run_tests(folders: Sequence[Path], arguments: Sequence[str]) -> int:
    """Installs these distributions and runs the tests of each."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    # One command, so that they satisfy each other's requirements; the backends are installed.
    subprocess.run(
        [*pip, "--no-build-isolation", "--force-reinstall", "--no-deps", *map(str, folders)],
        check=True,
    )
    failed = []
    for folder in folders:
        print(f"\n{folder.name}", flush=True)
        pytest = [sys.executable, "-I", "-m", "pytest", "--rootdir", str(folder)]
        if subprocess.run([*pytest, str(folder / "tests"), *arguments], cwd=folder).returncode:
            failed.append(folder.name)
    print("failed: " + ", ".join(failed) if failed else f"{len(folders)} distributions pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
