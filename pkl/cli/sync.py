"""``pkl sync``: what is installed for a host becomes what its lock says."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import click

from ..errors import RegistryUnreachable
from ..install.changes import InstallPlan, plan_of
from ..install.consent.holding import Held, Settled, held_back, parse_consents, settle
from ..install.deciding import inspecting
from ..install.locks.lock import Lock
from ..install.locks.lock_fitting import solution_of
from ..install.locks.lock_solving import LockTerms, changed_projects, with_projects
from ..install.locks.lock_trust import Checked, check_registries, refuse_revoked
from ..install.locks.locking import Relocked, stale, why_stale, with_lock_consents
from ..install.operation import Base
from ..install.solution import Chosen, Solution
from ..store.state import HostState
from .install_options import agreement_options, solve_options
from .installing import Installer, Manner
from .locking import LockFile, lock_terms
from .options import Verb
from .session import Session

__all__ = ["command"]


@click.command("sync", cls=Verb)
@click.option("--locked", is_flag=True, help="Never write the lock; fail if it is stale.")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would be.")
@click.option("--lock", "file", metavar="FILE", help="The lock, if it is another file.")
@solve_options
@agreement_options
@click.pass_obj
def command(
    session: Session,
    locked: bool,
    check: bool,
    file: Optional[str],
    pre: bool,
    min_age: Optional[str],
    consents: Tuple[str, ...],
    backend: Optional[str],
    full: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Install what the lock says, and nothing else, for one host.

    Without a lock, or if it is stale, it is made first, unless --locked is given. Every wheel
    is held against its digest in the lock. What is installed and not in the lock goes.
    """
    manner = Manner(dry_run or check, yes, backend or "")
    installer = Installer(session, "sync", "--locked" if locked else "", manner)
    sync = _Sync(installer, LockFile(installer, file), parse_consents(consents))
    sync.settle_lock(lock_terms(installer, pre, min_age, full), never=locked or check)
    if check:
        return sync.check()
    status = installer.carry_out(sync.make, already=sync.already)
    if status == 0:
        sync.write()
    return status


class _Sync:
    """One run of the verb."""

    def __init__(self, installer: Installer, place: LockFile, accepted: Tuple[str, ...]) -> None:
        self._installer = installer
        self._session = installer.session
        self._place = place
        self._accepted = accepted
        self._made: Optional[Relocked] = None
        self._checked: Optional[Checked] = None

    # The lock.

    def settle_lock(self, terms: LockTerms, *, never: bool) -> None:
        """Reads the lock, or makes it anew where it is stale; nothing is written yet.

        Args:
            terms: Which versions a new lock may take.
            never: Whether it must do as it is.

        Raises:
            LockStale: It will not do as it is, and must.
            LockInvalid: It cannot be used.
        """
        place = self._place
        lock = place.read()
        reasons: Tuple[str, ...] = ("it is not there",)
        if lock is not None:
            reasons = (
                *why_stale(lock, self._installer.host, place.stated),
                *changed_projects(lock),
            )
        if reasons and never:
            raise stale(place.path, reasons, shown=place.shown)
        if reasons:
            why = "".join(f"\n  {each}" for each in reasons) if lock is not None else ""
            what = "is stale, and is made anew" if lock is not None else "is made first"
            self._session.note(f"the lock {place.shown} {what}{why}")
            self._made = place.remade(lock, self._installer.base(), terms)
            lock = self._made.lock
            if not self._session.json:
                place.say(self._made.changes)
        assert lock is not None
        self._lock: Lock = lock
        self._installer.lock = lock.digest
        self._installer.before_applying = self._before_applying

    def _before_applying(self) -> None:
        self.write()
        subject = self._installer.subject
        if self._consenting(subject.state) != subject.state:
            since = subject.store.now()
            subject.store.change(
                subject.host, lambda state: with_lock_consents(state, self._lock, since=since)
            )

    def write(self) -> None:
        """Writes the lock, if it was made anew and is not written yet."""
        if self._made is not None and self._made.changed and not self._installer.manner.dry_run:
            self._place.write(self._made)
            self._session.note(f"wrote {self._place.shown}")
        self._made = None

    def _consenting(self, state: HostState) -> HostState:
        return with_lock_consents(state, self._lock)

    # What is to be installed.

    def make(self, base: Base) -> Settled:
        """What of the lock may be put in place."""
        installer = self._installer
        lock = self._lock
        solution = with_projects(lock, solution_of(lock, installer.host))
        if self._checked is None:
            catalog = installer.catalog(needed=False)
            clients = catalog.clients if catalog is not None else ()
            self._checked = check_registries(lock, clients)
            for remark in self._checked.remarks:
                self._session.warn(remark)
        refuse_revoked(solution.chosen, self._checked)
        before = base.record.distributions if base.record is not None else ()
        self._refuse_missing(solution, before)

        def solve(held: Tuple[Held, ...]) -> Solution:
            return held_back(solution, held) if held else solution

        try:
            return settle(
                before,
                solve,
                self._consenting(installer.subject.state),
                accepted=(*self._accepted, *installer.consented),
                inspect=inspecting(installer.fetcher, installer.host.group),
            )
        finally:
            installer.progress.done()

    def _refuse_missing(self, solution: Solution, before: Tuple[Chosen, ...]) -> None:
        """Names every wheel that would have to be fetched, where the network is off limits."""
        if not self._session.offline:
            return
        there = {each.wheel.sha256 for each in before if each.wheel is not None}
        missing = [
            each.wheel
            for each in solution.chosen
            if each.wheel is not None
            and each.wheel.sha256 not in there
            and not self._installer.fetcher.is_here(each)
        ]
        if missing:
            count = "1 wheel is" if len(missing) == 1 else f"{len(missing)} wheels are"
            lines = "".join(f"\n  {each.file} ({each.url})" for each in missing)
            raise RegistryUnreachable(
                f"{count} not here, and --offline forbids to fetch them{lines}",
                url=missing[0].url,
                hint="run it once without --offline, or put them where the lock says",
                missing=[each.file for each in missing],
            )

    def already(self, plan: InstallPlan) -> List[str]:
        """What to say if there is nothing to do."""
        return [f"{self._installer.subject.host} has what {self._place.shown} says"]

    def check(self) -> int:
        """Says what would be changed; 1 if anything would."""
        installer = self._installer
        base = installer.base()
        plan = plan_of(base.record, self.make(base), base=base.number)
        differs = bool(plan.parts or plan.held or base.problem is not None)
        if self._session.json:
            facts: Dict[str, object] = {**installer.subject.scope.facts, **plan.as_dict()}
            facts.update(file=self._place.path, in_sync=not differs)
            self._session.document("pkl.sync/1", facts)
            return int(differs)
        arrow = "→" if self._session.out.unicode else "->"
        for line in plan.lines(arrow) if differs else self.already(plan):
            self._session.write(f"{self._session.out.clean(line)}\n")
        return int(differs)
