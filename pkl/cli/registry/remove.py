"""``pkl registry remove``: forgets registries."""

from __future__ import annotations

from typing import Tuple

import click

from ...errors import RegistryAbsent
from ...model.known_registry import KnownRegistry
from ...names import canonical, did_you_mean
from ...store import RegistryBook
from ..catalog import say_problem
from ..options import Verb
from ..session import Session

__all__ = ["command"]


@click.command("remove", cls=Verb)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_obj
def command(session: Session, names: Tuple[str, ...]) -> int:
    """Forget registries, with the keys that are pinned for them.

    What is installed stays. If one of them is not known, none is removed.
    """
    wanted = list(dict.fromkeys(map(canonical, names)))

    def without(now: Tuple[KnownRegistry, ...]) -> Tuple[KnownRegistry, ...]:
        known = [each.name for each in now]
        for name in wanted:
            if name not in known:
                meant = did_you_mean(name, known)
                guess = f"; did you mean {meant!r}?" if meant else ""
                raise RegistryAbsent(
                    f"no registry {name!r} is known here{guess}",
                    hint="pkl registry list shows those that are",
                    did_you_mean=meant,
                )
        return tuple(each for each in now if each.name not in wanted)

    book = RegistryBook()
    say_problem(session, book.change(without))
    if session.json:
        session.document("pkl.registry.remove/1", {"removed": wanted, "file": book.path})
    else:
        session.write("".join(f"registry {name} is not known any more\n" for name in wanted))
    return 0
