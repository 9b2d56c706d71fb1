"""What the verbs that change what is installed have in common: plan, show, ask, put in place."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import click

from ..errors import UsageError
from ..install.backends.choose_backend import find_backend
from ..install.backends.host_side import host_side
from ..install.changes import InstallPlan, plan_of
from ..install.consent.consenting import keep_consents
from ..install.consent.holding import Held, Settled
from ..install.deciding import Terms, decide
from ..install.environment.generations import Generations
from ..install.environment.places import host_directory
from ..install.locks.lock import LOCK_FILE
from ..install.operation import (
    Applied,
    Base,
    MovedOn,
    apply,
    base_of,
    generations_directory,
)
from ..install.wheels.fetching import Fetcher
from ..model.state import Desired
from ..registry.catalog import Catalog
from ..store import RegistryBook
from .catalog import catalog_of
from .changing import Subject, say_what_then
from .progress import ProgressBar
from .scope import Scope

if TYPE_CHECKING:
    from ..install.backends.backend import Backend
    from ..install.roots import Asked
    from ..install.wanted import HostSide
    from ..store import Change
    from .session import Session

__all__ = ["Installer", "Manner"]

PATIENCE = 60.0
"""Seconds to wait for another process that is installing."""


class Manner(NamedTuple):
    """How a verb goes about it.

    Attributes:
        dry_run: Whether it only says what it would do.
        yes: Whether it asks nobody.
        backend: The installer that is meant: ``uv`` or ``pip``; empty for what is there.
        enable: Whether what is new may start; else it is disabled.
    """

    dry_run: bool = False
    yes: bool = False
    backend: str = ""
    enable: bool = True


class Installer:
    """One verb that changes what is installed for a host.

    Attributes:
        session: The options.
        verb: Its name.
        by: What is noted as the command.
        manner: How it goes about it.
        subject: The host.
        generations: What is installed for it.
        progress: What says how far it is.
        fetcher: What brings wheels.
        lock: The digest of the lock that is put in place; empty if it is none.
        before_applying: Called once the plan is agreed to, before anything is put in place.
    """

    def __init__(self, session: "Session", verb: str, words: str, manner: Manner) -> None:
        """Looks at the host; nothing is changed.

        Args:
            session: The options.
            verb: The verb.
            words: Its arguments, which are noted.
            manner: How it goes about it.

        Raises:
            UsageError: The host has no name.
        """
        self.session = session
        self.verb = verb
        self.by = f"pkl {verb} {words}".rstrip()
        self.manner = manner
        # What is wrong with the generation is said by the verb itself.
        self.subject = Subject(Scope(session, warn_of_state=False))
        self.generations = Generations(self.subject.host, timeout=PATIENCE)
        self.progress = ProgressBar(session)
        self.fetcher = Fetcher(session.offline, self.progress.fetched)
        self.lock = ""
        self.before_applying: Callable[[], None] = _nothing_before
        self._backend: Optional["Backend"] = None
        self._host: Optional["HostSide"] = None
        self._answered: Dict[str, bool] = {}

    @property
    def host(self) -> "HostSide":
        """What has to be respected of the host."""
        if self._host is None:
            scope = self.subject.scope
            self._host = host_side(
                self.subject.host,
                scope.version,
                scope.group,
                paths=(*scope.paths, *scope.named_paths),
                exclude_dirs=(generations_directory(),),
            )
        return self._host

    @property
    def backend(self) -> "Backend":
        """The installer; looked for when it is first needed.

        Raises:
            MissingTool: There is none.
        """
        if self._backend is None:
            self._backend = find_backend(self.manner.backend or None)
        return self._backend

    def catalog(self, *, needed: bool) -> Optional[Catalog]:
        """The registries that are known; None if none is, and none is needed.

        Raises:
            RegistryAbsent: None is known, and one is needed.
        """
        if not needed and not RegistryBook().read().registries:
            return None
        return catalog_of(self.session)

    def decided(self, asked: "Asked", base: Base, terms: Terms, *, registry: bool) -> Settled:
        """What may be put in place of what was asked for.

        Args:
            asked: All that is to be there.
            base: What is there.
            terms: What was said beside.
            registry: Whether a registry must be known.

        Raises:
            PklError: As ``decide`` and ``find_backend`` say.
        """
        self.progress.step("looking for versions that fit together")
        try:
            catalog = self.catalog(needed=registry)
            found = decide(
                asked,
                base.record,
                host=self.host,
                state=self.subject.state,
                catalog=catalog,
                backend=self.backend,
                fetcher=self.fetcher,
                terms=replace(terms, accepted=(*terms.accepted, *self.consented)),
            )
        finally:
            self.progress.done()
        for remark in (*catalog.remarks, *catalog.notes) if catalog is not None else ():
            self.session.warn(remark)
        return found

    def carry_out(
        self, make: Callable[[Base], Settled], *, already: Callable[[InstallPlan], List[str]]
    ) -> int:
        """Plans, shows the plan, asks, and puts it in place.

        Args:
            make: What is to be in place, for what is there; called again if that has changed.
            already: What to say if there is nothing to do.

        Raises:
            UsageError: Somebody has to be asked, and nobody can be.
            UpdateHeld: The rest is in place, and an update is held.
            PklError: What ``make`` and ``apply`` raise.
        """
        while True:
            base = self.base()
            settled = make(base)
            if self._let_in(settled.held):
                continue
            plan = plan_of(
                base.record, settled, base=base.number, running=self.generations.in_use()
            )
            if plan.empty and base.problem is None:
                return self._nothing(plan, already)
            if not self.session.json:
                self._show(plan)
            if self.manner.dry_run:
                self._answer(plan, None)
                settled.refuse()
                return 0
            if not self.agreed(plan.lines()):
                return 1
            try:
                applied = self._applied(settled, base)
            except MovedOn:
                self.session.note("another process has installed something; planning again")
                continue
            change = self._keep(plan)
            self._answer(plan, applied)
            say_what_then(self.session, change, False)
            settled.refuse()
            return 0

    def base(self) -> Base:
        """What is there; says what is wrong with it."""
        base = base_of(self.generations)
        if base.problem is not None:
            first = base.problem.message.split("\n")[0]
            what = f"generation {base.record.number}" if base.record is not None else "nothing"
            self.session.warn(f"{first}\nthe plan starts from {what} instead")
        return base

    @property
    def consented(self) -> Tuple[str, ...]:
        """What somebody has consented to when asked, as ``--consent`` takes it."""
        return tuple(consent for consent, yes in self._answered.items() if yes)

    def _let_in(self, held: Sequence[Held]) -> bool:
        """Asks, where somebody can be asked, for a consent to each held update, once; whether
        there is one more by now."""
        if self.manner.yes or self.manner.dry_run or not self._may_ask():
            return False
        before = len(self.consented)
        for each in held:
            if each.consent not in self._answered:
                text = self.session.err.clean(each.text("→" if self.session.err.unicode else "->"))
                question = f"{text}\nlet it?"
                self._answered[each.consent] = click.confirm(question, default=False, err=True)
        return len(self.consented) > before

    def _may_ask(self) -> bool:
        return not self.session.no_input and not self.session.json and _can_ask()

    def agreed(self, plan: List[str]) -> bool:
        """Whether it may be done: it was said, or somebody says so now.

        Raises:
            UsageError: Nobody can be asked.
        """
        if self.manner.yes:
            return True
        if not self._may_ask():
            shown = "\n".join(plan)
            raise UsageError(
                f"pkl {self.verb} would change what is installed, and nobody can be asked"
                + (f"\n{shown}" if self.session.json else ""),
                hint="-y agrees to it; --dry-run only shows it",
            )
        if click.confirm("go ahead?", default=True, err=True):
            return True
        self.session.note("nothing was changed")
        return False

    def _applied(self, settled: Settled, base: Base) -> Applied:
        self.before_applying()
        self.progress.step("installing")
        try:
            return apply(
                settled.solution,
                host=self.host,
                generations=self.generations,
                fetcher=self.fetcher,
                backend=lambda: self.backend,
                by=self.by,
                base=base,
                lock=self.lock,
            )
        finally:
            self.progress.done()

    def _keep(self, plan: InstallPlan) -> "Optional[Change]":
        """Keeps consents and what is held; what is new is disabled if that was asked for."""
        store, host = self.subject.store, self.subject.host
        change = keep_consents(store, host, plan.settled, by=self.by)
        new = [each.name for each in plan.added if not each.library]
        if not self.manner.enable and new:
            change = store.set_desired(host, dict.fromkeys(new, Desired.DISABLED), by=self.by)
        return change

    # Saying what is done.

    def _show(self, plan: InstallPlan) -> None:
        out = self.session.out
        arrow = "→" if out.unicode else "->"
        roles = {"+": "ok", "~": "wait", "-": "fail", "H": "wait"}
        for line in plan.lines(arrow):
            self.session.write(f"{out.paint(out.clean(line), roles.get(line[0], 'muted'))}\n")
        for note in plan.notes:
            self.session.note(note)

    def _nothing(self, plan: InstallPlan, already: Callable[[InstallPlan], List[str]]) -> int:
        if self.session.json:
            self._answer(plan, None)
        else:
            for line in (*already(plan), *plan.lines("→" if self.session.out.unicode else "->")):
                self.session.write(f"{self.session.out.clean(line)}\n")
            for note in plan.notes:
                self.session.note(note)
        if not self.manner.dry_run and (plan.held or plan.settled.consented):
            self._keep(plan)
        plan.settled.refuse()
        return 0

    def _answer(self, plan: InstallPlan, applied: Optional[Applied]) -> None:
        number = applied.record.number if applied is not None else plan.base
        if self.session.json:
            fields: Dict[str, Any] = {
                **self.subject.scope.facts,
                "dry_run": self.manner.dry_run,
                "done": applied is not None,
                "generation": number,
                "previous": plan.base,
                **plan.as_dict(),
            }
            if applied is not None:
                fields["notes"] = [*fields["notes"], *applied.notes]
            self.session.document(f"pkl.{self.verb}/1", fields)
            return
        if applied is None:
            return
        for note in applied.notes:
            self.session.note(note)
        undo = f"; {self.command('rollback')} undoes it" if plan.base is not None else ""
        self.session.note(
            f"generation {number} is what {self.subject.host} starts with from now on{undo}"
        )
        self.say_running(plan.running)
        self.say_lock()

    def say_lock(self) -> None:
        """Says that a lock of the host knows nothing of what was just put in place."""
        session = self.session
        directory = host_directory(self.subject.host) if session.host is not None else os.getcwd()
        if self.verb != "sync" and os.path.exists(os.path.join(directory, LOCK_FILE)):
            lock, sync = self.command("lock"), self.command("sync")
            session.note(f"{LOCK_FILE} is as it was: {lock} writes it anew, {sync} goes by it")

    def command(self, verb: str) -> str:
        """What to type to use a verb for this host."""
        host = self.session.host
        return f"pkl {verb}" if host is None else f"pkl {verb} --host {host}"

    def say_running(self, running: "Tuple[Tuple[int, Tuple[int, ...]], ...]") -> None:
        """Says which processes go on with an earlier generation."""
        for number, pids in running:
            who = "process" if len(pids) == 1 else "processes"
            self.session.note(
                f"{who} {', '.join(map(str, pids))} of {self.subject.host} "
                f"keep{'s' if len(pids) == 1 else ''} generation {number} until the next start"
            )


def _nothing_before() -> None:
    """What is done before most changes."""


def _can_ask() -> bool:
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
