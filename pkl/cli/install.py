"""``pkl install``: plugins of registries, wheels and projects, for one host."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import click

from ..errors import UsageError
from ..install.changes import InstallPlan
from ..install.consent.holding import Settled
from ..install.operation import Base
from ..install.roots import Asked, asked_before, asked_for, merged
from ..install.wanted import Root, RootKind
from ..model.requirement import parse_requirement
from ..model.state import Desired
from .install_options import agreement_options, solve_options, terms_of
from .installing import Installer, Manner
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("install", cls=Verb)
@click.argument("words", nargs=-1, metavar="[NAME[>=VERSION] | WHEEL | DIR]...")
@click.option(
    "-e", "--editable", metavar="DIR", multiple=True, help="A project to use in place; repeatable."
)
@click.option("--registry", metavar="NAME", default="", help="The registry they must come from.")
@click.option("--upgrade", is_flag=True, help="Take the newest of them, also if one is there.")
@click.option("--allow-build", is_flag=True, help="Build projects, which runs their code.")
@click.option("--no-enable", is_flag=True, help="Install what is new, but leave it disabled.")
@solve_options
@agreement_options
@click.pass_obj
def command(
    session: Session,
    words: Tuple[str, ...],
    editable: Tuple[str, ...],
    registry: str,
    upgrade: bool,
    allow_build: bool,
    no_enable: bool,
    pre: bool,
    min_age: Optional[str],
    consents: Tuple[str, ...],
    backend: Optional[str],
    full: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Install plugins, and what they need, for one host.

    A name comes from the registries that are known; a wheel or a plugin directory is taken as
    it is. Everything is shown first. Nothing of a plugin is run, and no library of the host is
    moved; running hosts go on with what they started with.
    """
    if not words and not editable:
        raise UsageError("there is nothing to install", hint="pkl install NAME, or -e DIR")
    shown = " ".join((*words, *(f"-e {each}" for each in editable)))
    manner = Manner(dry_run, yes, backend or "", not no_enable)
    installer = Installer(session, "install", shown, manner)
    asked = asked_for(
        words,
        editable=editable,
        group=installer.host.group,
        places=installer.generations.places,
        registry=registry,
        keep=not dry_run,
        allow_build=allow_build,
        offline=session.offline,
    )
    names = [each.name for each in asked.roots]

    def make(base: Base) -> Settled:
        before = base.record.roots if base.record is not None else ()
        roots = merged(before, asked.roots)
        anew = [each.name for each in roots if each not in before]
        given = asked.given
        if base.record is not None:
            given += asked_before(base.record, installer.host.group, anew).given
        terms = terms_of(
            session,
            pre=pre,
            min_age=min_age,
            consents=consents,
            full=full,
            upgrade=names if upgrade else _from_elsewhere(before, roots),
        )
        by_name = any(each.kind is RootKind.REGISTRY for each in asked.roots)
        return installer.decided(Asked(roots, given), base, terms, registry=by_name)

    return installer.carry_out(make, already=lambda plan: _already(installer, plan, names, upgrade))


def _from_elsewhere(before: Sequence[Root], roots: Sequence[Root]) -> List[str]:
    """What comes from another place than so far, so that its version need not stay."""
    places = {each.name: (each.kind, each.path, each.registry) for each in before}
    return [
        each.name
        for each in roots
        if places.get(each.name, (RootKind.REGISTRY, "", ""))
        != (each.kind, each.path, each.registry)
    ]


def _already(
    installer: Installer, plan: InstallPlan, names: Sequence[str], upgrade: bool
) -> List[str]:
    """What to say of what is there."""
    bounds = {each.name: each for each in plan.solution.roots if each.kind is RootKind.REGISTRY}
    there = {each.name: each for each in plan.kept}
    found = []
    for name in dict.fromkeys(names):
        part = there.get(name)
        if part is not None:
            text = f"{name} {part.after} is installed already"
        else:
            step = plan.solution.plan.step(name)
            source = f": {step.candidate.source} has it" if step is not None else ""
            text = f"{name} {step.version if step is not None else ''} is there already{source}"
        root = bounds.get(name)
        if upgrade and root is not None and parse_requirement(root.requirement).specifier:
            text += f'; {root.requirement} still holds (pkl install "{name}>=0" lifts that)'
        desired = installer.subject.state.desired.get(name, Desired.ENABLED)
        if desired is not Desired.ENABLED:
            text += f", and is {desired} (pkl enable {name})"
        found.append(text)
    return found
