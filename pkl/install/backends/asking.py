"""What asking uv and pip have in common: the index they see, and what becomes of failures."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from types import TracebackType
from typing import Callable, ClassVar, List, Mapping, Optional, Sequence, Tuple, Type

from ...errors import BackendFailed, NoSolution, RequirementError
from ...model.requirement import is_version
from ...names import printable
from ...registry.transport import Transport
from ..wheels.fetching import Fetcher
from .backend import Query, Resolved
from .index_view import IndexView
from .processes import PATIENCE, Ran, TookTooLong, run

__all__ = ["Asking", "Installer", "Proof", "pins_of", "release_of"]

Proof = Callable[[str], Optional[Tuple[str, ...]]]
"""Takes what an installer wrote, and gives the lines of its proof; None if it proves nothing."""

_SAFE = re.compile(r"[A-Za-z0-9][^@\r\n\0\\]*")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def release_of(version: str) -> Tuple[int, ...]:
    """The numbers of a version, for comparing with a minimum: ``(26, 0, 1)``."""
    match = _NUMBERS.match(version)
    return tuple(map(int, match[0].split("."))) if match else ()


def pins_of(query: Query) -> Tuple[str, ...]:
    """What the environment has, as constraints: they are what a proof names."""
    return tuple(f"{e.name}=={e.version}" for e in query.installed if is_version(e.version))


class Installer:
    """An installer that is a program; with ``resolve`` it is a ``Backend``.

    Args:
        command: How it is started.
        version: Its version.
        transport: What fetches pages of indexes; by default one for the network.
        timeout: How long it may take, in seconds.
    """

    name = ""
    variables: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        command: Sequence[str],
        version: str,
        *,
        transport: Optional[Transport] = None,
        timeout: float = PATIENCE,
    ) -> None:
        self.command = tuple(command)
        self.version = version
        self.transport = transport or Transport()
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<{self.name} {self.version}>"

    def place(self, wheels: Sequence[str], target: str) -> None:
        """Unpacks wheels into a directory; see ``Backend``.

        Args:
            wheels: Their paths; they have been audited.
            target: The directory.

        Raises:
            BackendFailed: It failed; the error holds the end of what it wrote.
        """
        if not wheels:
            return
        paths = [os.path.abspath(each) for each in wheels]
        scratch = tempfile.mkdtemp(prefix="pkl-install-")
        try:
            ran = self.run(self._placing(paths, os.path.abspath(target)), scratch)
            if ran.status != 0:
                raise self.failed("did not unpack the wheels", ran)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _placing(self, wheels: Sequence[str], target: str) -> List[str]:
        """The command that unpacks wheels."""
        raise NotImplementedError

    def run(self, command: Sequence[str], scratch: str) -> Ran:
        """Runs the installer, apart from the user.

        Raises:
            BackendFailed: It cannot be started, or does not end.
        """
        try:
            return run(command, scratch, more=dict(self.variables), timeout=self._timeout)
        except TookTooLong:
            why = f"did not end within {self._timeout:g} s, and was ended"
        except OSError as e:
            why = f"cannot be started ({e.strerror or e})"
        raise self.failed(why, None)

    def failed(self, why: str, ran: Optional[Ran]) -> BackendFailed:
        """The error of an installer that failed.

        Args:
            why: What it did or did not, as in ``did not unpack the wheels``.
            ran: What became of it, if it ran.
        """
        said = [printable(line) for line in ran.end()] if ran is not None else []
        status = f" (exit status {ran.status})" if ran is not None else ""
        lines = [f"{self.name} {self.version} {why}{status}", *(f"  {each}" for each in said[-5:])]
        return BackendFailed(
            "\n".join(lines),
            backend=self.name,
            output=said,
            hint="pkl doctor says which installer is used; nothing was changed",
        )


class Asking:
    """One question to an installer, with a directory and an index of its own; a context manager.

    Args:
        installer: Who is asked.
        query: What is asked.
        proof: Reads the proof out of what the installer writes.

    Raises:
        RequirementError: A requirement or a constraint names a URL, or is not one line.
        PathError: A wheel of this machine cannot be read.
    """

    def __init__(self, installer: Installer, query: Query, proof: Proof) -> None:
        for text in (*query.requirements, *query.constraints, *query.preferred):
            _check(text)
        self._installer = installer
        self._query = query
        self._proof = proof
        self._scratch = ""
        self._view = IndexView(
            query,
            ".".join(map(str, sys.version_info[:3])),
            installer.transport,
            Fetcher(query.offline, transport=installer.transport),
        )

    def __enter__(self) -> "Asking":
        self._scratch = tempfile.mkdtemp(prefix="pkl-install-")
        self._view.__enter__()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._view.__exit__(kind, error, trace)
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def index(self) -> str:
        """The URL of the one index there is."""
        return self._view.url

    def path(self, name: str) -> str:
        """The path of a file in the directory."""
        return os.path.join(self._scratch, name)

    def write(self, name: str, lines: Sequence[str]) -> str:
        """Writes a file of these lines; gives its path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
        return path

    def run(self, command: Sequence[str]) -> None:
        """Has the installer look for an answer.

        Raises:
            NoSolution: There is none.
            RegistryError: An index could not be asked; what came of the rest does not count.
            BackendFailed: It failed in another way.
        """
        ran = self._installer.run(command, self._scratch)
        if self._view.problems:
            raise self._view.problems[0]
        if ran.status == 0:
            return
        proof = self._proof(f"{ran.err}\n{ran.out}")
        if proof is None:
            raise self._installer.failed("found no answer", ran)
        wanted = sorted(self._query.requirements)
        few = ", ".join(wanted[:5]) + (f" and {len(wanted) - 5} more" if len(wanted) > 5 else "")
        raise NoSolution(
            f"no versions fit together for {few}",
            proof=(*(line.replace(self._scratch, "") for line in proof), *self._view.notes),
            backend=self._installer.name,
        )

    def resolved(self, chosen: Sequence[Tuple[str, str]]) -> Tuple[Resolved, ...]:
        """What the index says of what was chosen, sorted by name.

        Args:
            chosen: Names and versions.

        Raises:
            BackendFailed: Something was chosen that is in no index.
            RegistryError: What it requires cannot be told.
        """
        try:
            return tuple(sorted(self._view.resolved(*each) for each in chosen))
        except ValueError as e:
            raise self._installer.failed(f"gave an answer that cannot be used: {e}", None) from e


def _check(text: str) -> None:
    if _SAFE.fullmatch(text) is None:
        raise RequirementError(
            f"{text!a} cannot be given to an installer: it names a URL or a path, or is not one"
            " line",
            hint="require a name with version bounds, as in liby>=2,<3",
        )
