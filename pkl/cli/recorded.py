"""What a host recorded of itself when it last started, so that ``--host NAME`` can look at it."""

from __future__ import annotations

from typing import Optional, Union

from ..errors import HostNotFound
from ..names import did_you_mean
from ..store import HostFacts, StateStore
from .project import Project, read_project

__all__ = ["host_called", "last_facts"]


def host_called(name: str) -> Union[HostFacts, Project]:
    """What the host of that name said of itself; else what the directory says, if it is its own.

    Raises:
        HostNotFound: It has never started here, and the directory is not about it.
        StateCorrupt: Its state file is damaged so that nothing of this can be understood.
        StateUnavailable: Its state file cannot be read.
        UsageError: ``[tool.pkl]`` makes no sense.
    """
    store = StateStore()
    reading = store.read(name)
    if reading.state.facts is not None:
        return reading.state.facts
    project = read_project("")
    if project.name is not None and store.path_of(project.name) == reading.path:
        return project
    if reading.problem is not None:
        raise reading.problem
    known = [each for each, kept in store.hosts().items() if kept.state.facts is not None]
    meant = did_you_mean(name, known)
    guess = f"; did you mean {meant!r}?" if meant else ""
    listed = f"known here: {', '.join(known)}" if known else "no host is known here yet"
    raise HostNotFound(
        f"no host {name!r} has ever started here{guess}",
        hint=f"start it once, or describe it under [tool.pkl] ({listed})",
        host=name,
        did_you_mean=meant,
    )


def last_facts(name: Optional[str]) -> Optional[HostFacts]:
    """What the host of that name recorded when it last started, or None."""
    return StateStore().read(name).state.facts if name is not None else None
