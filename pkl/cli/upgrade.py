"""``pkl upgrade``: the newest versions of what is installed."""

from __future__ import annotations

from typing import List, Optional, Tuple

import click

from ..errors import NotPermitted, PluginNotFound
from ..install.changes import InstallPlan
from ..install.consent.holding import Settled
from ..install.operation import Base
from ..install.roots import Asked, asked_before
from ..install.solution import Solution
from ..model.candidate import Candidate
from ..names import canonical, did_you_mean
from .install_options import agreement_options, solve_options, terms_of
from .installing import Installer, Manner
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("upgrade", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@solve_options
@agreement_options
@click.pass_obj
def command(
    session: Session,
    names: Tuple[str, ...],
    pre: bool,
    min_age: Optional[str],
    consents: Tuple[str, ...],
    backend: Optional[str],
    full: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Take the newest versions of what is installed.

    Without a name, of all plugins and their libraries. What was asked for when they were
    installed still holds. An update that asks for more than was consented to is held: the rest
    is done, and it exits with 8.
    """
    installer = Installer(session, "upgrade", " ".join(names), Manner(dry_run, yes, backend or ""))

    def make(base: Base) -> Settled:
        record = base.record
        if record is None and not names:
            return Settled(Solution((), ()))
        installed = record.plugins if record is not None else {}
        wanted: List[str] = []
        for name in map(canonical, names):
            if name not in installed:
                for each in installer.host.found:
                    if each.name == name:
                        raise _of_another(each)
                meant = did_you_mean(name, list(installed))
                guess = f"; did you mean {meant!r}?" if meant else ""
                raise PluginNotFound(
                    f"pkl has not installed {name!r} for {installer.subject.host}{guess}",
                    plugin=name,
                    hint=f"pkl install {name}",
                    did_you_mean=meant,
                )
            wanted += [name, installed[name].name]
        assert record is not None
        terms = terms_of(
            session,
            pre=pre,
            min_age=min_age,
            consents=consents,
            full=full,
            upgrade=wanted,
            everything=not names,
        )
        asked: Asked = asked_before(record, installer.host.group)
        return installer.decided(asked, base, terms, registry=False)

    return installer.carry_out(make, already=_already)


def _already(plan: InstallPlan) -> List[str]:
    plugins = [each for each in plan.kept if not each.library]
    if not plugins:
        return ["nothing is installed"]
    return ["everything is at its newest version that fits"] if not plan.held else []


def _of_another(candidate: Candidate) -> NotPermitted:
    name = candidate.distribution
    if name is None:
        hint = f"change it in {candidate.location or candidate.target}"
    else:
        hint = f"python -m pip install --upgrade {name}"
    return NotPermitted(
        f"{candidate.name} was not installed by pkl, and only who has installed it upgrades it: "
        f"{candidate.source} has it",
        plugin=candidate.name,
        version=candidate.version,
        distribution=name,
        hint=hint,
    )
