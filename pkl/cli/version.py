"""``pkl version``: the versions of pkl and of what it runs on."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Dict, Optional

import click

from ..version import VERSION
from .options import Verb
from .session import Session

__all__ = ["command"]

_LIBRARIES = ("click", "packaging", "importlib-metadata", "platformdirs")


@click.command("version", cls=Verb)
@click.pass_obj
def command(session: Session) -> int:
    """The versions of pkl and of what it runs on.

    Put it into a bug report.
    """
    libraries: Dict[str, Optional[str]] = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = None
    python = platform.python_version()
    implementation = platform.python_implementation()
    if session.json:
        session.document(
            "pkl.version/1",
            {
                "version": VERSION,
                "python": python,
                "implementation": implementation,
                "platform": platform.platform(),
                "executable": sys.executable,
                "libraries": libraries,
            },
        )
        return 0
    lines = [f"pkl {VERSION}", f"{implementation} {python} on {platform.platform()}"]
    lines += [f"{name} {found or 'not installed'}" for name, found in libraries.items()]
    session.write("".join(f"{session.out.clean(line)}\n" for line in lines))
    return 0
