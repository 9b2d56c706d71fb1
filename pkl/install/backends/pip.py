"""pip as an installer: it is nearly everywhere, and slow."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, List, Sequence, Tuple

from ...errors import MissingTool, NoSolution
from .asking import Asking, Installer, pins_of, release_of
from .backend import Query, Resolved
from .proof_text import pip_proof

__all__ = ["MINIMUM", "Pip"]

MINIMUM = (22, 2)
"""The oldest pip that can say what it would install, and reads indexes in JSON."""

_ALWAYS = ("--isolated", "--no-input", "--disable-pip-version-check", "--no-color")
_VARIABLES = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}


class Pip(Installer):
    """pip of the interpreter that runs pkl, told of nothing but what it is asked.

    Args:
        command: How it is started.
        version: Its version.
        transport: What fetches pages of indexes; by default one for the network.
        timeout: How long it may take, in seconds.
    """

    name = "pip"
    variables = _VARIABLES

    def resolve(self, query: Query) -> Tuple[Resolved, ...]:
        """Versions of distributions that fit together; see ``Backend``.

        pip knows no preferences: what is preferred is asked for first as if it were required,
        and if that cannot be had, not at all.

        Raises:
            MissingTool: This pip is too old to say what it would install.
        """
        if release_of(self.version) < MINIMUM:
            raise MissingTool(
                f"pip {self.version} cannot say what it would install; that takes pip "
                f"{'.'.join(map(str, MINIMUM))} or later, or uv",
                hint=f"{sys.executable} -m pip install --upgrade pip",
            )
        if query.preferred:
            constraints = (*query.constraints, *query.preferred)
            try:
                return self._asked(query._replace(constraints=constraints))
            except NoSolution:
                pass
        return self._asked(query)

    def _asked(self, query: Query) -> Tuple[Resolved, ...]:
        with Asking(self, query, pip_proof) as asking:
            report = asking.path("report.json")
            constraints = asking.write("constraints.txt", (*query.constraints, *pins_of(query)))
            command = [*self.command, "install", *_ALWAYS, "--dry-run", "--ignore-installed"]
            command += ["--report", report, "--index-url", asking.index, "--retries", "0"]
            command += ["--constraint", constraints, "--progress-bar", "off"]
            if not query.allow_builds:
                command += ["--only-binary", ":all:"]
            if query.prereleases:
                command.append("--pre")
            asking.run([*command, *query.requirements])
            try:
                with open(report, encoding="utf-8") as file:
                    chosen = _chosen(json.load(file))
            except (OSError, ValueError, RecursionError) as e:
                raise self.failed(f"gave an answer that cannot be used: {e}", None) from e
            return asking.resolved(chosen)

    def _placing(self, wheels: Sequence[str], target: str) -> List[str]:
        command = [*self.command, "install", *_ALWAYS, "--no-index", "--no-deps"]
        command += ["--only-binary", ":all:", "--no-compile", "--no-warn-script-location"]
        return [*command, "--progress-bar", "off", "--target", target, *wheels]


def _chosen(report: Any) -> List[Tuple[str, str]]:
    """Names and versions of an installation report (version 1)."""
    if not isinstance(report, dict) or not isinstance(report.get("install"), list):
        raise ValueError("the report has no list of what would be installed")
    found = []
    for each in report["install"]:
        said = each.get("metadata") if isinstance(each, dict) else None
        name = said.get("name") if isinstance(said, dict) else None
        version = said.get("version") if isinstance(said, dict) else None
        if not isinstance(name, str) or not isinstance(version, str):
            raise ValueError("the report has a row without a name or a version")
        found.append((name, version))
    return found
