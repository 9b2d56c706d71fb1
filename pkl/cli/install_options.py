"""The options that the verbs share which change what is installed."""

from __future__ import annotations

import time
from typing import Any, Callable, Collection, Optional, Sequence, Tuple, TypeVar

import click

from ..install.consent.age import MinAge
from ..install.consent.holding import parse_consents
from ..install.deciding import Terms
from .project import read_project
from .session import Session

__all__ = ["age_of", "agreement_options", "solve_options", "terms_of", "version_options"]

_F = TypeVar("_F", bound=Callable[..., Any])


def agreement_options(function: _F) -> _F:
    """``--dry-run`` and ``-y``."""
    function = click.option("--dry-run", is_flag=True, help="Only show the plan.")(function)
    return click.option("-y", "--yes", is_flag=True, help="Ask nothing; the plan is agreed to.")(
        function
    )


def solve_options(function: _F) -> _F:
    """What versions may be taken, what is consented to, and what finds and unpacks them."""
    return version_options(
        click.option(
            "--consent",
            "consents",
            metavar="NAME==VERSION",
            multiple=True,
            help="Consent to what this update asks for; may be repeated.",
        )(function)
    )


def version_options(function: _F) -> _F:
    """What versions may be taken, and what finds and unpacks them."""
    for option in (
        click.option("--pre", is_flag=True, help="Take pre-releases, too."),
        click.option("--min-age", metavar="AGE", help="Take no version younger: 3d, 12h, 2w."),
        click.option(
            "--backend",
            type=click.Choice(("uv", "pip")),
            help="The installer; by default uv where it is there, else pip.",
        ),
        click.option("--full", is_flag=True, help="Show the whole proof if there is no solution."),
    ):
        function = option(function)
    return function


def terms_of(
    session: Session,
    *,
    pre: bool,
    min_age: Optional[str],
    consents: Sequence[str],
    full: bool,
    upgrade: Collection[str] = (),
    everything: bool = False,
) -> Terms:
    """What the options say, for a solve.

    Raises:
        UsageError: An age or a consent makes no sense.
    """
    accepted: Tuple[str, ...] = parse_consents(consents)
    return Terms(
        upgrade=upgrade,
        everything=everything,
        accepted=accepted,
        min_age=age_of(session, min_age),
        prereleases=pre,
        offline=session.offline,
        full=full,
    )


def age_of(session: Session, min_age: Optional[str]) -> Optional[MinAge]:
    """The age that a version must have: that of the option, else that of the project.

    Raises:
        UsageError: It makes no sense.
    """
    if min_age is not None or session.host is not None:
        return MinAge.of(min_age, time.time)
    project = read_project("")
    return MinAge.of(project.min_age, time.time, f"min-age in {project.file}")
