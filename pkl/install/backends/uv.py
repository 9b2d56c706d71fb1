"""uv as an installer: quick, and it says why versions do not fit."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from typing import List, Sequence, Tuple

from ...paths import user_cache_dir
from ...store.disk import make_directory
from .asking import Asking, Installer, pins_of
from .backend import Query, Resolved
from .processes import Ran
from .proof_text import uv_proof

__all__ = ["MINIMUM", "Uv"]

MINIMUM = (0, 4, 25)
"""The oldest uv that knows the options that are used."""

_ALWAYS = ("--no-config", "--no-progress", "--color", "never")
_INTERPRETERS = "interpreter-"
"""What the directories of uv's cache begin with in which it keeps what it knows of Pythons."""
_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")


class Uv(Installer):
    """uv, told of nothing but what it is asked.

    Args:
        command: How it is started.
        version: Its version.
        transport: What fetches pages of indexes; by default one for the network.
        timeout: How long it may take, in seconds.
    """

    name = "uv"

    def resolve(self, query: Query) -> Tuple[Resolved, ...]:
        """Versions of distributions that fit together; see ``Backend``."""
        with Asking(self, query, uv_proof) as asking:
            answer = asking.write("answer.txt", query.preferred)
            constraints = asking.write("constraints.txt", (*query.constraints, *pins_of(query)))
            wanted = asking.write("requirements.in", query.requirements)
            command = [*self.command, "pip", "compile", *_ALWAYS]
            command += ["--python", sys.executable, "--no-python-downloads"]
            command += ["--default-index", asking.index, "--keyring-provider", "disabled"]
            command += ["--no-header", "--no-annotate", "--no-sources"]
            command += ["--constraint", constraints, "--output-file", answer]
            if not query.allow_builds:
                command.append("--no-build")
            if query.prereleases:
                command += ["--prerelease", "allow"]
            asking.run([*command, wanted])
            with open(answer, encoding="utf-8") as file:
                text = file.read()
            try:
                chosen = _chosen(text)
            except ValueError as e:
                raise self.failed(f"gave an answer that cannot be used: {e}", None) from e
            return asking.resolved(chosen)

    def run(self, command: Sequence[str], scratch: str) -> Ran:
        """Runs uv with a cache of its own, of which only what it learnt of Python is kept.

        Pages and wheels come from an index that is gone afterwards, and pkl keeps them itself;
        but asking an interpreter what it is takes longer than all the rest.
        """
        cache = os.path.join(scratch, "cache")
        kept = os.path.join(user_cache_dir(), "uv")
        with suppress(OSError):
            os.makedirs(cache)
            for name in _interpreters(kept):
                os.symlink(os.path.join(kept, name), os.path.join(cache, name))
        try:
            return super().run([*command, "--cache-dir", cache], scratch)
        finally:
            with suppress(OSError):
                for name in _interpreters(cache):
                    if not os.path.islink(os.path.join(cache, name)):
                        _keep(os.path.join(cache, name), kept)

    def _placing(self, wheels: Sequence[str], target: str) -> List[str]:
        command = [*self.command, "pip", "install", *_ALWAYS, "--offline", "--no-index"]
        command += ["--python", sys.executable, "--no-python-downloads", "--no-deps"]
        command += ["--no-build", "--link-mode", "copy", "--target", target]
        return [*command, *wheels]


def _interpreters(cache: str) -> List[str]:
    try:
        return [name for name in os.listdir(cache) if name.startswith(_INTERPRETERS)]
    except OSError:
        return []


def _keep(learnt: str, kept: str) -> None:
    """Puts a directory of the cache where the next run finds it, in one step."""
    make_directory(kept)
    part = os.path.join(kept, f".{os.urandom(6).hex()}.part")
    try:
        shutil.copytree(learnt, part)
        os.rename(part, os.path.join(kept, os.path.basename(learnt)))
    except OSError:
        shutil.rmtree(part, ignore_errors=True)


def _chosen(text: str) -> List[Tuple[str, str]]:
    """Names and versions of what uv wrote."""
    found = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#-":
            continue
        match = _LINE.match(stripped)
        if match is None:
            raise ValueError(f"a line is no name==version: {stripped!a}")
        found.append((match["name"], match["version"]))
    return found
