"""Which host, group and directories a verb is about, what is found there, and the plan for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Tuple

from ..discovery import DEFAULT_GROUP, discover
from ..discovery.environment import absolute
from ..errors import ApplicationError, PluginNotFound
from ..model.candidate import Discovery
from ..model.manifest import MANIFEST_FILES
from ..names import canonical, did_you_mean
from ..resolver import resolve
from .lines import line_of_requirement
from .project import Project, read_project

if TYPE_CHECKING:
    from ..host import PluginHost
    from ..model.plan import Plan
    from ..model.state import Desired
    from .session import Session

__all__ = ["Scope"]


class Scope:
    """What the global options and the current directory choose.

    Attributes:
        host: The host's name, or None.
        version: The host's version, or None.
        group: The entry-point group.
        paths: The plugin directories, absolute.
        foreign: Whether the group is another ecosystem's.
        application: The host of the application that was imported, or None.
        file: The file that ``[tool.pkl]`` was read from, or None.
    """

    def __init__(self, session: "Session", *, refresh: bool = False) -> None:
        """Reads the options and the directory's files; imports nothing but an explicit app.

        Args:
            session: The options.
            refresh: Read every source anew.

        Raises:
            UsageError: ``[tool.pkl]`` makes no sense.
        """
        project = read_project("")
        self.application = _application(session)
        own = project.group
        self.host, self.version, self.file = project.name, project.version, project.file
        if self.application is not None:
            own = self.application.group
            self.host, self.version = self.application.name, self.application.version
        self.group = session.group or own or DEFAULT_GROUP
        other = session.group is not None and session.group not in (own, DEFAULT_GROUP)
        self.foreign = other and not session.paths
        self.paths = self._paths(session, project, session.group in (None, own))
        self._refresh = refresh
        self._found: Optional[Discovery] = None
        self._plan: Optional["Plan"] = None

    def _paths(self, session: "Session", project: Project, own: bool) -> Tuple[str, ...]:
        given: Sequence[str] = session.paths
        if not given and own:
            given = project.paths if self.application is None else self.application.paths
        return tuple(absolute(each) for each in given)

    @property
    def found(self) -> Discovery:
        """What the sources hold; nothing of it is imported."""
        if self._found is None:
            self._found = self._discover()
        return self._found

    def _discover(self) -> Discovery:
        app = self.application
        if app is not None and self._is_own(app):
            return app.discover(refresh=self._refresh)
        found = self._look(self.foreign)
        if self.foreign and _may_be_adopted(found):
            own = self._look(False)
            if any(map(_is_adopted, own.candidates)):
                self.foreign = False
                return own
        return found

    def _is_own(self, app: "PluginHost") -> bool:
        """Whether the application's own group and directories are looked at."""
        return (app.group, app.paths) == (self.group, self.paths)

    def _look(self, foreign: bool) -> Discovery:
        return discover(group=self.group, paths=self.paths, refresh=self._refresh, foreign=foreign)

    @property
    def desired(self) -> Mapping[str, "Desired"]:
        """What people want of each plugin, as far as anybody said."""
        return self.application.desired if self.application is not None else {}

    @property
    def plan(self) -> "Plan":
        """The plan for everything that is wanted."""
        if self._plan is None:
            self._plan = self.resolve()
        return self._plan

    def resolve(self, names: Sequence[str] = (), **terms: Any) -> "Plan":
        """A plan for these plugins and what they need, or for all.

        Args:
            names: Names of plugins that are there; none for all.
            terms: Further keyword arguments of ``pkl.resolver.resolve``.
        """
        app = self.application
        if app is not None and not terms and self._is_own(app):
            return app.resolve(*names)
        terms.setdefault("host_version", self.version)
        if self.foreign:
            # Only there do edges pass through distributions that have no part in the group.
            from ..discovery import installed_requirements

            terms.setdefault("distributions", installed_requirements())
        return resolve(
            self.found.candidates,
            roots=list(names) or None,
            desired=self.desired,
            foreign=self.foreign,
            line_of=line_of_requirement,
            **terms,
        )

    def named(self, name: str) -> str:
        """The name as the plan has it.

        Args:
            name: What was typed: a name in any spelling, or ``distribution:name``.

        Raises:
            PluginNotFound: There is no such plugin.
        """
        ids = {c.id for c in self.found.candidates} if self.foreign else set()
        names = {c.name for c in self.found.candidates}
        folded = name if self.foreign else canonical(name)
        if folded in names or folded in ids:
            return folded
        meant = did_you_mean(name, [*names, *ids])
        guess = f"; did you mean {meant!r}?" if meant else ""
        raise PluginNotFound(
            f"no plugin {folded!r} in {self.where}{guess}",
            plugin=folded,
            hint="pkl list shows what there is",
            did_you_mean=meant,
        )

    @property
    def where(self) -> str:
        """Where was looked, for messages."""
        text = f"the entry-point group {self.group!r}"
        return f"{text} and {', '.join(self.paths)}" if self.paths else text

    @property
    def facts(self) -> Mapping[str, Any]:
        """The fields that say in JSON what a verb was about."""
        return {"host": self.host, "group": self.group}


def _application(session: "Session") -> Optional["PluginHost"]:
    """The application's host; a warning and None if it cannot be had."""
    app = session.app or os.environ.get("PKL_APP")
    if not app or (session.app is None and session.group is not None):
        return None
    from .application import look_at

    try:
        return look_at(app)
    except ApplicationError as error:
        session.warn(f"{error.message}\nwhat is known without it follows", error.hint)
        return None


def _may_be_adopted(found: Discovery) -> bool:
    return any(
        os.path.isfile(os.path.join(each.location, name))
        for each in found.candidates
        if each.location is not None and os.path.isdir(each.location)
        for name in MANIFEST_FILES
    )


def _is_adopted(candidate: Any) -> bool:
    """Whether a candidate shows that its group is some host's own.

    Another project's plugin may have a ``plugin.json`` for reasons of its own.
    """
    file = candidate.manifest_file
    if file is None:
        return False
    faulty = candidate.fault is not None and candidate.fault.code == "manifest"
    return not faulty or os.path.basename(file) == "plugin.toml"
