"""Which host, group and directories a verb is about, what is found there, and the plan for it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Sequence, Tuple, Union

from ..discovery import DEFAULT_GROUP, discover
from ..discovery.environment import absolute
from ..discovery.lines import line_of_requirement
from ..errors import ApplicationError, PluginNotFound, UsageError
from ..model.candidate import Candidate, Discovery
from ..model.manifest import MANIFEST_FILES
from ..names import canonical, did_you_mean
from ..resolver import resolve
from .project import Project, read_project

if TYPE_CHECKING:
    from ..host import PluginHost
    from ..model.contributions import Points
    from ..model.plan import Plan
    from ..model.state import Desired
    from ..store import HostFacts, HostState
    from .session import Session

__all__ = ["Scope"]


class Scope:
    """What the global options and the current directory choose.

    Attributes:
        host: The host's name, or None.
        version: The host's version, or None.
        group: The entry-point group.
        paths: The plugin directories of the host, absolute.
        named_paths: Those of ``--path``, absolute; they outrank what is installed.
        foreign: Whether the group is another ecosystem's.
        application: The host of the application that was imported, or None.
    """

    def __init__(
        self, session: "Session", *, refresh: bool = False, warn_of_state: bool = True
    ) -> None:
        """Reads the options and the directory's files; imports nothing but an explicit app.

        Args:
            session: The options.
            refresh: Read every source anew.
            warn_of_state: Say what is wrong with the host's state; not where the verb itself
                does.

        Raises:
            UsageError: ``[tool.pkl]`` makes no sense, or ``--app`` and ``--host`` are given.
            HostNotFound: ``--host`` names one that nobody knows.
            StateCorrupt: What ``--host`` recorded is damaged.
            StateUnavailable: What ``--host`` recorded cannot be read.
        """
        self._session = session
        self._warn_of_state = warn_of_state
        self.application: Optional["PluginHost"] = None
        told: Union[Project, "HostFacts", "PluginHost"] = self._told()
        self._tells = told
        own = told.group or DEFAULT_GROUP
        self.group = session.group or own
        mine = self.group == own
        self.host: Optional[str] = told.name if mine else None
        self.version: Optional[str] = told.version if mine else None
        self.paths = tuple(absolute(each) for each in told.paths) if mine else ()
        self.named_paths = tuple(absolute(each) for each in session.paths)
        # Directories hold plugins of pkl, so who names one means a group of pkl's.
        self.foreign = not mine and self.group != DEFAULT_GROUP and not self.named_paths
        self._refresh = refresh
        self._found: Optional[Discovery] = None
        self._plan: Optional["Plan"] = None
        self._state: Optional["HostState"] = None
        self._installed: Optional[Tuple[str, ...]] = None
        self._points: Optional["Points"] = None
        self._points_read = not mine

    def _told(self) -> Union[Project, "HostFacts", "PluginHost"]:
        """What the application, the host's last start or the directory's files say of the host."""
        session = self._session
        if session.host is not None:
            if session.app is not None:
                raise UsageError("--app brings its own host", hint="leave --host out")
            from .recorded import host_called

            return host_called(session.host)
        project = read_project("")
        app = session.app or os.environ.get("PKL_APP")
        if not app or (session.app is None and session.group is not None):
            return project
        from .application import look_at

        try:
            self.application = look_at(app)
            return self.application
        except ApplicationError as error:
            session.warn(f"{error.message}\nwhat is known without it follows", error.hint)
            from .recorded import last_facts

            return last_facts(project.name) or project

    @property
    def state(self) -> Optional["HostState"]:
        """What is kept of the host on disk; None of a host without a name."""
        if self._state is None and self.host is not None:
            from ..store import StateStore

            self._state, _, problem = StateStore().read(self.host)
            if problem is not None and self._warn_of_state:
                self._session.warn(problem.message, problem.hint)
        return self._state

    @property
    def installed(self) -> Tuple[str, ...]:
        """What the host would append to ``sys.path``: the plugins that pkl installed for it."""
        if self._installed is None:
            if self.host is None:
                return ()
            from ..install.environment.standing import standing

            _, self._installed, problem = standing(self.host)
            if problem is not None and self._warn_of_state:
                self._session.warn(problem.message, problem.hint)
        return self._installed

    @property
    def points(self) -> Optional["Points"]:
        """What plugins of this host may contribute to; None if nobody says."""
        if not self._points_read:
            from .points import points_of

            self._points_read = True
            self._points = points_of(self._session, self._tells)
        return self._points

    @property
    def found(self) -> Discovery:
        """What the sources hold; nothing of it is imported."""
        if self._found is None:
            self._found = self._discover()
        return self._found

    def _discover(self) -> Discovery:
        app = self.application
        if app is not None and self._is_own(app):
            state = app.state  # read first, so that what it finds is marked for its own plan
            return self._marked(app.discover(refresh=self._refresh), state)
        found = self._look(self.foreign)
        if self.foreign and _may_be_adopted(found):
            own = self._look(False)
            if any(map(_is_adopted, own.candidates)):
                self.foreign = False
                return own
        return self._marked(found, self.state)

    def _marked(self, found: Discovery, state: Optional["HostState"]) -> Discovery:
        """What was found, with its reason on what the host would refuse to start."""
        return self._held_to_points(self._held(found, state))

    def _held_to_points(self, found: Discovery) -> Discovery:
        # Most plugins contribute nothing, and schemas take time to read.
        if not any(each.metadata.contributes for each in found.candidates) or not self.points:
            return found
        return replace(found, candidates=tuple(map(self.points.marked, found.candidates)))

    def _held(self, found: Discovery, state: Optional["HostState"]) -> Discovery:
        if state is None:
            return found
        from ..store import RegistryBook, held

        candidates = found.candidates
        if state.quarantined:
            candidates = tuple(held(each, state.quarantined) for each in candidates)
        registries = [each for each in RegistryBook().read().registries if each.revoked]
        if registries:
            from ..registry.revocation import Revoked

            candidates = tuple(map(Revoked(registries).marked, candidates))
        return replace(found, candidates=candidates)

    def _is_own(self, app: "PluginHost") -> bool:
        """Whether what is looked at is the application's own, with nothing added."""
        return app.group == self.group and not self.named_paths

    def _look(self, foreign: bool) -> Discovery:
        return discover(
            group=self.group,
            paths=self.paths,
            named_paths=self.named_paths,
            added=self.installed,
            refresh=self._refresh,
            foreign=foreign,
        )

    @property
    def desired(self) -> Mapping[str, "Desired"]:
        """What people want of each plugin, as far as anybody said."""
        app = self.application
        if app is not None and self._is_own(app):
            return app.desired
        return self.state.desired if self.state is not None else {}

    @property
    def plan(self) -> "Plan":
        """The plan for everything that is wanted."""
        if self._plan is None:
            self._plan = self.resolve()
        return self._plan

    def resolve(
        self, names: Sequence[str] = (), offered: Sequence[Candidate] = (), **terms: Any
    ) -> "Plan":
        """A plan for these plugins and what they need, or for all.

        Args:
            names: Names or ids of plugins that are there; none for all.
            offered: What registries offer beside what is there.
            terms: Further keyword arguments of ``pkl.resolver.resolve``.
        """
        app = self.application
        if app is not None and not terms and not offered and self._is_own(app):
            _ = self.found  # looked for before, so that the plan is of the same candidates
            return app.resolve(*names)
        if self.state is not None:
            terms.setdefault("locked", self.state.pins)
        candidates = (*self.found.candidates, *offered)
        return self._resolve(candidates, names, desired=self.desired, **terms)

    def predicted(self, state: "HostState") -> "Plan":
        """The plan for everything wanted, if this is what is kept of the host."""
        from ..store import held

        candidates = [held(each, state.quarantined) for each in self.found.candidates]
        return self._resolve(candidates, (), desired=state.desired, locked=state.pins)

    def _resolve(
        self, candidates: Sequence[Candidate], names: Sequence[str], **terms: Any
    ) -> "Plan":
        terms.setdefault("host_version", self.version)
        if self.foreign:
            # Only there do edges pass through distributions that have no part in the group.
            from ..discovery import installed_requirements

            terms.setdefault("distributions", installed_requirements())
        return resolve(
            candidates,
            roots=list(names) or None,
            foreign=self.foreign,
            line_of=line_of_requirement,
            **terms,
        )

    def named(self, name: str) -> Tuple[Candidate, ...]:
        """The candidates that are meant, several if more than one source offers the name.

        Args:
            name: What was typed: a name in any spelling, or ``distribution:name``.

        Raises:
            PluginNotFound: There is no such plugin.
        """
        found = self._called(name)
        if found:
            return found
        raise self._unknown(name, ())

    def known(self, name: str) -> str:
        """The canonical name of a plugin that is there, or of which something is kept.

        Raises:
            PluginNotFound: There is no such plugin.
        """
        folded = canonical(name)
        kept = self.state.plugins if self.state is not None else {}
        if folded in kept or self._called(name) or folded in self._lost():
            return folded
        raise self._unknown(name, kept)

    def _lost(self) -> Iterable[str]:
        """What is installed for the host and cannot be found, because a generation is damaged."""
        if self.host is None:
            return ()
        from ..install.environment.standing import standing

        if standing(self.host).problem is None:
            return ()
        from ..install.environment.generations import Generations

        generations = Generations(self.host)
        sites = [generations.places.site(number) for number in generations.numbers()]
        found = discover(group=self.group, sys_path=sites, cache=False)
        return {each.name for each in found.candidates}

    def _called(self, name: str) -> Tuple[Candidate, ...]:
        folded = name if self.foreign else canonical(name)
        return tuple(c for c in self.found.candidates if folded in (c.name, self.node(c)))

    def _unknown(self, name: str, others: Iterable[str]) -> PluginNotFound:
        candidates = self.found.candidates
        folded = name if self.foreign else canonical(name)
        known = [*(c.name for c in candidates), *map(self.node, candidates), *others]
        meant = did_you_mean(name, known)
        guess = f"; did you mean {meant!r}?" if meant else ""
        return PluginNotFound(
            f"no plugin {folded!r} in {self.where}{guess}",
            plugin=folded,
            hint="pkl list shows what there is",
            did_you_mean=meant,
        )

    def node(self, candidate: Candidate) -> str:
        """The id of a candidate's node in the graph; it also names it to the resolver."""
        return candidate.id if self.foreign else candidate.name

    @property
    def where(self) -> str:
        """Where was looked, for messages."""
        text = f"the entry-point group {self.group!r}"
        directories = ", ".join((*self.paths, *self.named_paths))
        return f"{text} and {directories}" if directories else text

    @property
    def facts(self) -> Mapping[str, Any]:
        """The fields that say in JSON what a verb was about."""
        return {"host": self.host, "group": self.group}


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
