"""What uv and pip do for us: find versions that fit together, and unpack wheels; nothing else."""

from __future__ import annotations

from typing import NamedTuple, Optional, Protocol, Sequence, Tuple

from ..solution import WheelRef
from ..wanted import Pinned

__all__ = ["Backend", "Query", "Resolved"]


class Query(NamedTuple):
    """One question to an installer, at the level of distributions.

    Attributes:
        requirements: What must be there (PEP 508), ranges of distributions, not pins.
        constraints: What versions may be chosen, of whatever comes in: versions that were ruled
            out, for example (PEP 508 without extras).
        installed: What the host's environment has, which nothing may move. Each is taken as it
            is: it meets what it meets, no index is asked for it, and the answer has it without
            a URL. What it requires itself is the environment's affair.
        indexes: The simple indexes to look into (PEP 503), the first that has a name serves it.
        wheels: Wheels on this machine that take part, absolute paths.
        preferred: ``name==version``, taken where nothing speaks against it.
        uploaded_before: Nothing younger, in seconds since 1970; None for any age.
        standing: ``name==version`` of what is in place already, which is never too young.
        prereleases: Whether pre-releases may be chosen where there is something else.
        allow_builds: Whether a source distribution may be built, which runs its code.
        offline: Whether the network may not be used.
    """

    requirements: Tuple[str, ...]
    constraints: Tuple[str, ...] = ()
    installed: Tuple[Pinned, ...] = ()
    indexes: Tuple[str, ...] = ()
    wheels: Tuple[str, ...] = ()
    preferred: Tuple[str, ...] = ()
    uploaded_before: Optional[int] = None
    standing: Tuple[str, ...] = ()
    prereleases: bool = False
    allow_builds: bool = False
    offline: bool = False


class Resolved(NamedTuple):
    """One distribution of an answer; those that the environment has are among them, too.

    Attributes:
        name: Its canonical name (PEP 503).
        version: Its version.
        url: The file that was chosen; empty where the environment has it already.
        sha256: The digest that the index states, in hex; empty where it states none.
        source: The index of the query that serves the name; empty of a wheel on this machine.
        wheels: Every wheel of that version that the index lists with its digest, whatever it is
            for.
        requires: Its ``Requires-Dist``, verbatim.
    """

    name: str
    version: str
    url: str = ""
    sha256: str = ""
    source: str = ""
    wheels: Tuple[WheelRef, ...] = ()
    requires: Tuple[str, ...] = ()


class Backend(Protocol):
    """An installer, isolated from the user's configuration; it never runs code of a wheel.

    Each method starts one process, and may be called from any thread.
    """

    name: str
    """``uv`` or ``pip``."""
    version: str
    """Its version, for messages."""

    def resolve(self, query: Query) -> Tuple[Resolved, ...]:
        """Versions of distributions that fit together.

        Raises:
            NoSolution: There are none; ``proof`` is what the installer says of it.
            BackendFailed: It failed in another way; the error holds the end of its output.
            RegistryUnreachable: An index cannot be reached.
        """
        ...

    def place(self, wheels: Sequence[str], target: str) -> None:
        """Unpacks wheels into a directory, as they are: no dependencies, no bytecode.

        Args:
            wheels: Absolute paths; they have been audited.
            target: An empty directory.

        Raises:
            BackendFailed: It failed; the error holds the end of its output.
        """
        ...
