"""Puts a solution in place: fetched and audited first, then made a generation in one step."""

from __future__ import annotations

import os
import sys
import time
from typing import Callable, NamedTuple, Optional, Tuple

from ..errors import GenerationDamaged, PklError
from ..paths import user_data_dir
from .backends.backend import Backend
from .environment.generation import GenerationRecord
from .environment.generations import Generations
from .local_wheels import sweep_wheels
from .placing import Placing
from .solution import Solution
from .solve.project import project_paths
from .wanted import HostSide
from .wheels.fetching import Fetcher
from .wheels.top_levels import names_of_environment

__all__ = ["Applied", "Base", "MovedOn", "apply", "base_of"]


class Base(NamedTuple):
    """What a change starts from.

    Attributes:
        number: The generation that counts; None if there is none, or none is named.
        record: What is there: of a damaged generation, the last one before it that is sound.
        problem: Why it is not the one that counts; None if it is.
    """

    number: Optional[int]
    record: Optional[GenerationRecord]
    problem: Optional[PklError] = None


class MovedOn(Exception):
    """Another process has installed something since this was planned; plan again."""


class Applied(NamedTuple):
    """What was put in place.

    Attributes:
        record: The new generation.
        notes: What of the wheels is not installed, in lines for people.
    """

    record: GenerationRecord
    notes: Tuple[str, ...] = ()


def base_of(generations: Generations) -> Base:
    """What a change to a host's plugins starts from; damage is no obstacle.

    Args:
        generations: Those of the host.
    """
    number: Optional[int] = None
    try:
        number = generations.current_number()
        return Base(number, generations.current())
    except GenerationDamaged as problem:
        return Base(number, generations.instead(), problem)


def apply(
    solution: Solution,
    *,
    host: HostSide,
    generations: Generations,
    fetcher: Fetcher,
    backend: Callable[[], Backend],
    by: str,
    base: Base,
    lock: str = "",
) -> Applied:
    """Makes a solution the generation that counts; whatever fails, the one before still does.

    What is new is fetched and audited before anything is locked. What stays is copied from the
    generation before, so that it needs no network.

    Args:
        solution: What is to be in place.
        host: The host.
        generations: Its generations.
        fetcher: What brings wheels.
        backend: What finds the installer that unpacks them; called only if something is new.
        by: The command, which is noted.
        base: What ``solution`` was planned on.
        lock: The digest of the lock that ``solution`` is from.

    Raises:
        MovedOn: Another process has changed what ``base`` is.
        WheelRefused: A wheel is not what was announced, or would do more than it may.
        RegistryError: A wheel cannot be had.
        MissingTool: There is something to unpack, and no installer.
        BackendFailed: The installer failed.
        GenerationUnwritable: The system refused something.
        LockTimeout: Another process is changing the generations all the while.
    """
    before = base.record
    source = generations.places.site(before.number) if before is not None else ""
    placing = Placing.of(
        solution.chosen,
        before.distributions if before is not None else (),
        source,
        fetcher=fetcher,
        environment=names_of_environment(exclude_dirs=(generations_directory(),)),
        group=host.group,
    )
    paths = tuple(
        path for each in solution.chosen if each.editable for path in project_paths(each.editable)
    )
    with generations.changing():
        if base_of(generations).number != base.number:
            raise MovedOn()
        record = generations.build(
            solution,
            lambda site: placing.fill(site, backend),
            by=by,
            python=".".join(map(str, sys.version_info[:3])),
            paths=paths,
            lock=lock,
        )
        roots = [root for each in generations.all() for root in each.roots]
        sweep_wheels(generations.places, roots, time.time())
    return Applied(record, placing.notes)


def generations_directory() -> str:
    """What holds the generations of all hosts; nothing below it is the host's environment."""
    return os.path.join(user_data_dir(), "hosts")
