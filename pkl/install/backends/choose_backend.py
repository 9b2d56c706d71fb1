"""Which installer is used: uv where there is one, else pip."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ...discovery.environment import search_path
from ...discovery.scan import scan
from ...errors import MissingTool, UsageError
from .asking import release_of
from .backend import Backend
from .pip import MINIMUM as PIP_MINIMUM
from .pip import Pip
from .processes import TookTooLong, run
from .uv import MINIMUM as UV_MINIMUM
from .uv import Uv

__all__ = ["FoundInstaller", "find_backend", "installers"]

_SECONDS = 20.0
_HINT = "install uv (https://docs.astral.sh/uv/), or pip: {} -m ensurepip --upgrade"


class FoundInstaller(NamedTuple):
    """An installer that is here.

    Attributes:
        name: ``uv`` or ``pip``.
        version: Its version; empty if it does not say.
        command: How it is started.
        problem: Why it cannot be used; empty if it can.
    """

    name: str
    version: str
    command: Tuple[str, ...]
    problem: str = ""


def find_backend(prefer: Optional[str] = None) -> Backend:
    """The installer to use: uv, or pip where there is no uv or only one that is too old.

    Args:
        prefer: ``uv`` or ``pip``, if no other will do.

    Raises:
        MissingTool: There is none; the text says what was found instead.
        UsageError: There is no installer of the preferred name.
    """
    if prefer not in (None, "uv", "pip"):
        raise UsageError(f"there is no installer {prefer!r}", hint="uv and pip are known")
    passed: List[str] = []
    for each in _looked_for(prefer):
        if not each.problem:
            kind = Uv if each.name == "uv" else Pip
            return kind(each.command, each.version)
        passed.append(f"{each.name} {each.version}".strip() + f" {each.problem}")
    who = prefer or "uv or pip"
    found = f" ({'; '.join(passed)})" if passed else ""
    raise MissingTool(
        f"installing needs {who}, and there is none for {sys.executable}{found}",
        hint=_HINT.format(sys.executable),
    )


def installers() -> Tuple[FoundInstaller, ...]:
    """Every installer that is here, the one that is used first; also those that cannot be used."""
    return tuple(sorted(_looked_for(None), key=lambda each: bool(each.problem)))


def _looked_for(prefer: Optional[str]) -> Iterator[FoundInstaller]:
    """The installers, in the order in which they are preferred."""
    if prefer != "pip":
        yield from _uvs()
    if prefer != "uv":
        yield from _pips()


def _uvs() -> Iterator[FoundInstaller]:
    """uv beside the interpreter, on the PATH, and as a module."""
    suffix = ".exe" if os.name == "nt" else ""
    beside = os.path.join(os.path.dirname(sys.executable), f"uv{suffix}")
    found = shutil.which("uv")
    if found is not None and os.name == "nt" and _is_here(found):
        found = None  # Windows looks into the current directory first, whoever filled it.
    paths = [beside if os.access(beside, os.X_OK) else None, found]
    commands: List[Tuple[str, ...]] = [(os.path.abspath(each),) for each in paths if each]
    if importlib.util.find_spec("uv") is not None:
        commands.append((sys.executable, "-I", "-m", "uv"))
    for command in dict.fromkeys(commands):
        version = _version(command)
        problem = ""
        if not version:
            problem = "cannot be run"
        elif release_of(version) < UV_MINIMUM:
            problem = f"is older than {'.'.join(map(str, UV_MINIMUM))}"
        yield FoundInstaller("uv", version, command, problem)


def _is_here(path: str) -> bool:
    """Whether a program lies in the current directory."""
    return os.path.dirname(os.path.abspath(path)) == os.getcwd()


def _version(command: Tuple[str, ...]) -> str:
    """What ``uv --version`` says: ``uv 0.13.9 (a build of it)``."""
    scratch = tempfile.mkdtemp(prefix="pkl-install-")
    try:
        ran = run([*command, "--version"], scratch, timeout=_SECONDS)
    except (OSError, TookTooLong):
        return ""
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    words = ran.out.split()
    return words[1] if ran.status == 0 and len(words) > 1 and words[0] == "uv" else ""


def _pips() -> Iterator[FoundInstaller]:
    """pip of the interpreter; its version is read, since starting it takes long."""
    for path, stamp in search_path():
        info = scan(path, entry_points=False).infos.get("pip") if stamp is not None else None
        if info is not None:
            version = info.rpartition(".")[0].rpartition("-")[2]
            problem = ""
            if release_of(version) < PIP_MINIMUM:
                problem = f"is older than {'.'.join(map(str, PIP_MINIMUM))}"
            yield FoundInstaller("pip", version, (sys.executable, "-I", "-m", "pip"), problem)
            return
