"""``pkl uninstall``: plugins that pkl has installed, and what only they needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

import click

from ..discovery import installed
from ..errors import InUse, NotPermitted, PluginNotFound
from ..install.consent.holding import Settled
from ..install.environment.generation import GenerationRecord
from ..install.operation import Base
from ..install.removing import Dependant, dependants_of, without
from ..model.candidate import Candidate
from ..model.manifest import PluginMetadata
from ..names import canonical, did_you_mean
from .install_options import agreement_options
from .installing import Installer, Manner
from .options import Verb
from .session import Session

if TYPE_CHECKING:
    from .scope import Scope

__all__ = ["command"]


@click.command("uninstall", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--cascade", is_flag=True, help="Uninstall what needs them, too.")
@agreement_options
@click.pass_obj
def command(
    session: Session, names: Tuple[str, ...], cascade: bool, dry_run: bool, yes: bool
) -> int:
    """Uninstall plugins, and the libraries that only they needed.

    If others need one, that is refused with 7 and they are listed, unless they are uninstalled
    with it. What pip or another installer put there is left to that. Their settings stay.
    """
    installer = Installer(session, "uninstall", " ".join(names), Manner(dry_run, yes))

    def make(base: Base) -> Settled:
        targets = [_target(installer.subject.scope, base.record, name) for name in names]
        assert base.record is not None
        targets = _with_siblings(base.record, targets)
        users = _users(installer.subject.scope, base.record, targets)
        foreign = [each for each in users if each.name not in base.record.plugins]
        if users and (foreign or not cascade):
            raise _in_use(targets, users, foreign)
        gone = [*targets, *(each.name for each in users)]
        return Settled(without(base.record, gone))

    return installer.carry_out(make, already=lambda _: [])


def _target(scope: "Scope", record: Optional[GenerationRecord], name: str) -> str:
    """The canonical name of a plugin that pkl has installed.

    Raises:
        NotPermitted: It is there, and another has installed it.
        PluginNotFound: There is no such plugin.
    """
    folded = canonical(name)
    installed = record.plugins if record is not None else {}
    if folded in installed:
        return folded
    found = [each for each in scope.found.candidates if each.name == folded]
    if found:
        raise _of_another(found[0])
    meant = did_you_mean(folded, list(installed))
    guess = f"; did you mean {meant!r}?" if meant else ""
    listed = ", ".join(installed) or "nothing"
    raise PluginNotFound(
        f"no plugin {folded!r} is installed for {scope.host}{guess}",
        plugin=folded,
        hint=f"what pkl has installed: {listed}",
        did_you_mean=meant,
    )


def _with_siblings(record: GenerationRecord, targets: Sequence[str]) -> List[str]:
    """The plugins, and those that lie in one distribution with them and go with it."""
    plugins = record.plugins
    carriers = {plugins[name].name for name in targets}
    siblings = [name for name, each in plugins.items() if each.name in carriers]
    return [*targets, *(name for name in siblings if name not in targets)]


def _of_another(candidate: Candidate) -> NotPermitted:
    if candidate.distribution is None:
        where = candidate.location or candidate.target
        return NotPermitted(
            f"{candidate.name} is no plugin that pkl has installed: it lies in {where}",
            plugin=candidate.name,
            version=candidate.version,
            file=where,
            hint=f"pkl disable {candidate.name} leaves it out; or delete the directory",
        )
    who = _installer_of(candidate)
    tool = {"pip": "python -m pip uninstall", "uv": "uv pip uninstall"}.get(who)
    tool = tool or "python -m pip uninstall"
    return NotPermitted(
        f"{candidate.name} was not installed by pkl, but by {who or 'another installer'}, "
        f"with {candidate.source}",
        plugin=candidate.name,
        version=candidate.version,
        distribution=candidate.distribution,
        hint=f"{tool} {candidate.distribution}; or leave it out with: pkl disable {candidate.name}",
    )


def _installer_of(candidate: Candidate) -> str:
    """Who put a distribution there, as it is noted beside it (PEP 627); empty if it is not."""
    known = installed().get(canonical(candidate.distribution or ""))
    if known is None:
        return ""
    try:
        with open(os.path.join(known.location, "INSTALLER"), encoding="utf-8") as file:
            return file.read(100).strip()
    except (OSError, ValueError):
        return ""


def _users(
    scope: "Scope", record: GenerationRecord, targets: Sequence[str]
) -> Tuple[Dependant, ...]:
    """What would miss them: of what is installed, and of what else the host finds."""
    plugins: List[PluginMetadata] = [p for each in record.distributions for p in each.plugins]
    known = {each.name for each in plugins}
    plugins += [c.metadata for c in scope.found.candidates if c.name not in known]
    return dependants_of(targets, plugins)


def _in_use(
    targets: Sequence[str], users: Sequence[Dependant], foreign: Sequence[Dependant]
) -> InUse:
    plural = "is" if len(targets) == 1 else "are"
    count = "1 plugin" if len(users) == 1 else f"{len(users)} plugins"
    lines = [f"{', '.join(targets)} {plural} needed by {count}"]
    lines += [f"{each.name} {each.version} requires {each.requirement}" for each in users]
    hint = f"pkl uninstall {' '.join(targets)} --cascade uninstalls these, too"
    if foreign:
        names = ", ".join(each.name for each in foreign)
        hint = f"{names} was not installed by pkl: remove it first, or pkl disable it"
    return InUse(
        "\n".join(lines),
        plugin=targets[0] if len(targets) == 1 else None,
        hint=hint,
        dependants=[each.name for each in users],
    )
