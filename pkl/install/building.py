"""Builds a wheel of a project, where somebody has said that its code may run for that."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import List

from ..errors import BackendFailed, MissingTool
from .backends.choose_backend import FoundInstaller, installers
from .backends.processes import TookTooLong, run
from .environment.places import Places
from .local_wheels import keep_wheel

__all__ = ["build_wheel"]


def build_wheel(directory: str, places: Places, *, offline: bool = False) -> str:
    """Builds a wheel of a project as its author would, and keeps it; its path.

    This runs the project's code, and that of what builds it, with the user's own settings.

    Args:
        directory: The directory of its ``pyproject.toml``, absolute.
        places: Where the host's generations are.
        offline: Whether the network may not be used.

    Raises:
        MissingTool: There is neither uv nor pip.
        BackendFailed: It cannot be built; the error holds the end of what was written.
        GenerationUnwritable: The wheel cannot be kept.
    """
    builder = next((each for each in installers() if not each.problem), None)
    if builder is None:
        raise MissingTool(
            "building a wheel needs uv or pip, and there is neither",
            hint=f"{sys.executable} -m ensurepip --upgrade, or build the wheel elsewhere",
        )
    scratch = tempfile.mkdtemp(prefix="pkl-build-")
    try:
        out = os.path.join(scratch, "wheel")
        os.mkdir(out)
        try:
            ran = run(_command(builder, directory, out, offline), scratch, more=dict(os.environ))
        except (OSError, TookTooLong) as e:
            raise _failed(builder, directory, [str(e) or type(e).__name__]) from e
        made = sorted(each for each in os.listdir(out) if each.endswith(".whl"))
        if ran.status != 0 or len(made) != 1:
            raise _failed(builder, directory, ran.end())
        return keep_wheel(os.path.join(out, made[0]), places)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _command(builder: FoundInstaller, directory: str, out: str, offline: bool) -> List[str]:
    if builder.name == "uv":
        command = [*builder.command, "build", "--wheel", "--python", sys.executable]
        return [*command, "--out-dir", out, *(["--offline"] if offline else []), directory]
    command = [*builder.command, "wheel", "--no-deps", "--no-input", "--wheel-dir", out]
    return [*command, *(["--no-index"] if offline else []), directory]


def _failed(builder: FoundInstaller, directory: str, lines: List[str]) -> BackendFailed:
    text = "".join(f"\n  {line}" for line in lines)
    return BackendFailed(
        f"{builder.name} {builder.version} could not build a wheel of {directory}{text}",
        file=directory,
        hint="correct what it says; nothing was installed",
        output=lines,
    )
