"""What uv and pip do for us: find versions that fit together, and unpack wheels; nothing else."""

from __future__ import annotations

from typing import NamedTuple, Optional, Protocol, Sequence, Tuple

__all__ = ["Backend", "Query", "Resolved"]


class Query(NamedTuple):
    """One question to an installer, at the level of distributions.

    Attributes:
        requirements: What must be there (PEP 508), ranges of distributions, not pins.
        constraints: Versions that nothing may move: those of the host's environment, and
            versions that were ruled out (PEP 508 without extras).
        indexes: The simple indexes to look into (PEP 503), the first that has a name serves it.
        wheels: Wheels on this machine that take part, absolute paths.
        preferred: ``name==version``, taken where nothing speaks against it.
        uploaded_before: Nothing younger, in seconds since 1970; None for any age.
        prereleases: Whether pre-releases may be chosen where there is something else.
        allow_builds: Whether a source distribution may be built, which runs its code.
        offline: Whether the network may not be used.
    """

    requirements: Tuple[str, ...]
    constraints: Tuple[str, ...] = ()
    indexes: Tuple[str, ...] = ()
    wheels: Tuple[str, ...] = ()
    preferred: Tuple[str, ...] = ()
    uploaded_before: Optional[int] = None
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
    """

    name: str
    version: str
    url: str = ""
    sha256: str = ""


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
