"""``pkl rollback``: an earlier generation counts again."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import click

from ..install.changes import plan_of
from ..install.consent.holding import Settled
from ..install.operation import base_of
from ..install.solution import Solution
from .install_options import agreement_options
from .installing import Installer, Manner
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("rollback", cls=Verb)
@click.argument("number", required=False, type=click.IntRange(min=1), metavar="[GENERATION]")
@click.option("--list", "listing", is_flag=True, help="Only list the generations there are.")
@agreement_options
@click.pass_obj
def command(
    session: Session, number: Optional[int], listing: bool, dry_run: bool, yes: bool
) -> int:
    """Go back to what was installed before.

    With a number, to the generation of that number. Nothing is fetched or unpacked, so it needs
    no network and no installer. Consents, settings and what people want of plugins stay as they
    are.
    """
    words = str(number) if number is not None else ""
    installer = Installer(session, "rollback", words, Manner(dry_run, yes))
    generations = installer.generations
    if listing:
        return _list(installer)
    base = base_of(generations)
    if base.problem is not None:
        session.warn(base.problem.message.split("\n")[0])
    target = generations.record(number) if number is not None else generations.before()
    settled = Settled(Solution(target.roots, target.distributions))
    plan = plan_of(base.record, settled, base=base.number, running=generations.in_use())
    fields: Dict[str, Any] = {
        **installer.subject.scope.facts,
        "dry_run": dry_run,
        "done": False,
        "generation": target.number,
        "previous": base.number,
        **plan.as_dict(),
    }
    same = base.number == target.number and base.problem is None
    out = session.out
    if not session.json:
        for line in plan.lines("→" if out.unicode else "->"):
            session.write(f"{out.clean(line)}\n")
        if same:
            session.write(f"generation {target.number} is what counts already\n")
    if not dry_run and not same:
        if not installer.agreed(plan.lines()):
            return 1
        with generations.changing():
            generations.flip(target.number, installer.by)
        fields["done"] = True
    if session.json:
        session.document("pkl.rollback/1", fields)
    elif fields["done"]:
        session.note(
            f"generation {target.number} is what {installer.subject.host} starts with from now on"
        )
        installer.say_running(tuple(each for each in plan.running if each[0] != target.number))
        installer.say_lock()
    return 0


def _list(installer: Installer) -> int:
    session, generations = installer.session, installer.generations
    base = base_of(generations)
    running = generations.in_use()
    rows: List[Dict[str, Any]] = []
    for record in generations.all():
        plugins = [f"{p.name} {p.version}" for c in record.distributions for p in c.plugins]
        rows.append(
            {
                "generation": record.number,
                "current": record.number == base.number,
                "made": record.made,
                "by": record.by,
                "plugins": sorted(plugins),
                "processes": list(running.get(record.number, ())),
            }
        )
    if session.json:
        session.document("pkl.rollback/1", {**installer.subject.scope.facts, "generations": rows})
        return 0
    out = session.out
    for row in rows:
        mark = "*" if row["current"] else " "
        used = f", in use by {', '.join(map(str, row['processes']))}" if row["processes"] else ""
        text = f"{mark} {row['generation']}  {row['made']}  {row['by']}{used}"
        session.write(f"{out.clean(text)}\n")
        session.write(f"     {out.clean(', '.join(row['plugins']) or 'nothing')}\n")
    for problem in generations.problems():
        session.warn(problem.message.split("\n")[0])
    return 0
