"""What ``pkl lock`` and ``pkl sync`` have in common: which lock, and how it would be made now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Tuple

from ..errors import LockInvalid, UsageError
from ..install.environment.places import host_directory
from ..install.locks.lock import LOCK_FILE, Lock, path_below
from ..install.locks.lock_reading import read_lock
from ..install.locks.lock_solving import LockTerms, solve_for_lock
from ..install.locks.locking import (
    Relocked,
    consents_for,
    locked_registries,
    preferred_versions,
    relocked,
    roots_of,
    write_lock,
)
from ..store import RegistryBook
from ..store.disk import make_directory
from .install_options import age_of
from .project import read_project

if TYPE_CHECKING:
    from ..install.locks.lock_changes import Difference
    from ..install.operation import Base
    from .installing import Installer

__all__ = ["LockFile", "lock_terms"]


class LockFile:
    """The lock that a verb is about.

    Attributes:
        path: The file, absolute; it need not exist.
        stated: ``plugins`` of ``[tool.pkl]``; None if it states none.
    """

    def __init__(self, installer: "Installer", given: Optional[str]) -> None:
        """Finds out which file it is; nothing is read of it.

        Args:
            installer: The host.
            given: ``--lock``, or None.

        Raises:
            UsageError: pip and uv would not take a lock of that name.
        """
        self._installer = installer
        session = installer.session
        self.stated: Optional[Tuple[str, ...]] = None
        directory = os.getcwd()
        if session.host is not None:
            directory = host_directory(installer.subject.host)
        else:
            self.stated = read_project("").plugins
        self.path = os.path.join(directory, LOCK_FILE) if given is None else _checked(given)

    @property
    def shown(self) -> str:
        """The file as it is shown: as seen from here, where it lies below."""
        return path_below(os.getcwd(), self.path) or self.path

    def read(self) -> Optional[Lock]:
        """What it says; None if it is not there.

        Raises:
            LockInvalid: It cannot be used.
        """
        return read_lock(self.path)

    def read_or_warn(self) -> Optional[Lock]:
        """What it says; None if it is not there, or cannot be used, which is said."""
        try:
            return self.read()
        except LockInvalid as problem:
            self._installer.session.warn(f"{problem.message}\nit is made anew")
            return None

    def remade(
        self,
        old: Optional[Lock],
        base: "Base",
        terms: LockTerms,
        upgrade: Optional[Iterable[str]] = None,
    ) -> Relocked:
        """The lock as it would be if it were made now; nothing is written.

        Args:
            old: What it says.
            base: What is installed.
            terms: Which versions may be taken.
            upgrade: What need not stay as it is locked; empty for all; None for none.

        Raises:
            PklError: As ``roots_of``, ``preferred_versions``, ``solve_for_lock`` and
                ``relocked`` say.
        """
        installer = self._installer
        record = base.record
        roots = roots_of(self.stated, record.roots if record is not None else None, old)
        there = record.distributions if record is not None else ()
        kept = preferred_versions(old, there, upgrade)
        installer.progress.step("looking for versions that fit together")
        try:
            catalog = installer.catalog(needed=False)
            solution = solve_for_lock(
                roots,
                old=old,
                kept=kept,
                host=installer.host,
                desired=installer.subject.state.desired,
                catalog=catalog,
                backend=installer.backend,
                terms=terms,
            )
        finally:
            installer.progress.done()
        for remark in (*catalog.remarks, *catalog.notes) if catalog is not None else ():
            installer.session.warn(remark)
        for note in solution.notes:
            installer.session.note(note)
        return relocked(
            old,
            solution,
            path=self.path,
            host=installer.host,
            registries=locked_registries(RegistryBook().read().registries),
            consents=consents_for(solution.chosen, installer.subject.state, old),
        )

    def write(self, made: Relocked) -> None:
        """Writes it.

        Raises:
            StateUnavailable: It cannot be written; it is as it was.
        """
        if self._installer.session.host is not None:
            make_directory(os.path.dirname(self.path))
        write_lock(self.path, made.text)

    def say(self, changes: "Iterable[Difference]") -> None:
        """Writes what would change, a line for each."""
        session = self._installer.session
        out = session.out
        roles = {"+": "ok", "~": "wait", "-": "fail"}
        for line in self.lines(changes):
            session.write(f"{out.paint(out.clean(line), roles[line[0]])}\n")

    def lines(self, changes: "Iterable[Difference]") -> List[str]:
        """What would change, for people."""
        arrow = "→" if self._installer.session.out.unicode else "->"
        return [each.text(arrow) for each in changes]

    def facts(self, made: Relocked) -> Dict[str, Any]:
        """What the JSON of both verbs has of a lock that was made."""
        return {
            "file": self.path,
            "changed": made.changed,
            "changes": [each.as_dict() for each in made.changes],
            "packages": [
                {
                    "name": each.name,
                    "version": each.version,
                    "plugins": [plugin.name for plugin in each.plugins],
                    "registry": each.registry or None,
                    "editable": each.editable or None,
                }
                for each in made.lock.packages
            ],
        }


def lock_terms(installer: "Installer", pre: bool, min_age: Optional[str], full: bool) -> LockTerms:
    """What the options say of the versions of a lock.

    Raises:
        UsageError: The age makes no sense.
    """
    age = age_of(installer.session, min_age)
    before = age.uploaded_before if age is not None else None
    return LockTerms(before, pre, installer.session.offline, full)


def _checked(given: str) -> str:
    name = os.path.basename(given)
    middle = name[len("pylock.") : -len(".toml")]
    named = name.startswith("pylock.") and name.endswith(".toml") and "." not in middle and middle
    if name != "pylock.toml" and not named:
        raise UsageError(
            f"--lock {given}: pip and uv take no lock of that name (PEP 751)",
            hint=f"call it pylock.toml or pylock.NAME.toml, such as {LOCK_FILE}",
        )
    return os.path.abspath(given)
