"""``pkl config``: the settings of a plugin, where each is from, and changing them."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import click

from ..discovery.settings_schema import read_schema
from ..errors import MissingExtra, PklError, SettingsError, UsageError
from ..model.candidate import Candidate
from ..model.settings import (
    Layer,
    at,
    dotted,
    layers_of,
    masked,
    merged,
    settings_of,
    source_of,
    states,
    typed_at,
)
from ..names import did_you_mean
from ..render.as_json import dumps
from ..render.table import Cell, Column, table
from .changing import Subject, say_what_then
from .editing import edit
from .options import Verb
from .scope import Scope
from .session import Session

__all__ = ["command"]

_COLUMNS = (Column("KEY"), Column("VALUE"), Column("FROM"))
_UNKNOWN = {"additionalProperties": {"writeOnly": True}}
"""The schema where there is none to be read: anything may be a secret."""
_NO_VARIABLES: Mapping[str, str] = {}
_WORDS = {"get": (0, 1), "set": (2, 2), "unset": (1, 1), "edit": (0, 0)}
"""How many words may follow each action."""

Settings = Mapping[str, Any]


@click.command("config", cls=Verb)
@click.argument("name")
@click.argument("action", type=click.Choice(list(_WORDS)), default="get")
@click.argument("words", nargs=-1, metavar="[KEY [VALUE]]")
@click.pass_obj
def command(session: Session, name: str, action: str, words: Tuple[str, ...]) -> int:
    """The settings of a plugin: where each is from, and changing them.

    get [KEY] shows them, set KEY VALUE and unset KEY change one, edit opens all that was set here
    in $VISUAL or $EDITOR. A KEY is dotted, as in server.port. A VALUE is read as JSON unless the
    schema asks for text; - reads it from standard input, which keeps a secret off the command
    line.
    """
    least, most = _WORDS[action]
    if not least <= len(words) <= most:
        wanted = {"get": "[KEY]", "set": "KEY VALUE", "unset": "KEY", "edit": "nothing"}[action]
        raise UsageError(f"pkl config {name} {action} takes {wanted}", hint="pkl config --help")
    view = _View(session, name, changing=action != "get")
    if action == "get":
        return view.get(tuple(words[0].split(".")) if words else ())
    if action == "edit":
        edit(session, view.key, view.kept, view.replace)
        return 0
    path = words[0].split(".")
    if not all(path):
        raise UsageError(f"{words[0]!r} is no key", hint="write it as in server.port")
    if action == "unset":
        return view.change(lambda now: view.without(now, path), taking_away=True)
    text = words[1] if words[1] != "-" else sys.stdin.read().rstrip("\r\n")
    value = typed_at(text, path, view.schema)
    return view.change(lambda now: _with(now, path, value))


class _View:
    """The settings of one plugin of one host.

    Attributes:
        key: The plugin's canonical name.
        kept: What is kept of them.
        schema: Their schema, or None.
        told: By what secrets are known: the schema, or one by which anything may be a secret.
    """

    def __init__(self, session: Session, name: str, *, changing: bool) -> None:
        self.session = session
        self.subject = subject = Subject(Scope(session, warn_of_state=not changing))
        self.key = subject.scope.known(name)
        self.kept: Settings = subject.state.record(self.key).settings
        self.candidate = _candidate(subject, self.key)
        self.schema, self.file = (None, "")
        self.told = self.schema if self.candidate is not None else _UNKNOWN
        if self.candidate is not None:
            self._read_schema(self.candidate, changing)

    def _read_schema(self, candidate: Candidate, changing: bool) -> None:
        try:
            self.schema, self.file = read_schema(candidate)
        except SettingsError as e:
            if changing:
                raise
            self.session.warn(e.message, f"it is for the author of {self.key} to correct")
            self.told = _UNKNOWN
        else:
            self.told = self.schema

    def layers(self, kept: Settings, environ: Mapping[str, str]) -> List[Layer]:
        """The sources that are known without the application."""
        if self.candidate is None:
            return [Layer("pkl config", kept)] if kept else []
        return layers_of(self.candidate, self.schema, {}, kept, environ)

    def shown(self, values: Any) -> Any:
        """The values with secrets masked."""
        return masked(values, self.told)

    def check(self, kept: Settings, before: Settings, taking_away: bool) -> None:
        """Refuses settings that break the schema; what is missing the host may know.

        Where those before broke it already, what was wrong then is only told: whoever mends one
        of several faults has to begin somewhere.

        Raises:
            SettingsError: They do.
            MissingExtra: What checks them is not installed.
        """
        error = self._fault(kept)
        if error is None:
            return
        was = None if error.file else self._fault(before)
        if was is None or not (taking_away or set(_rules(error)) <= set(_rules(was))):
            raise error
        self.session.warn(error.message, error.hint)

    def _fault(
        self, kept: Settings, environ: Mapping[str, str] = _NO_VARIABLES
    ) -> Optional[SettingsError]:
        """What is wrong with settings, or None."""
        try:
            layers = self.layers(kept, environ)
            settings_of(self.key, layers, self.schema, self.file, partial=True)
        except SettingsError as e:
            return e
        return None

    def get(self, path: Tuple[str, ...]) -> int:
        """Shows all settings, or one."""
        layers = self.layers(self.kept, os.environ)
        values = merged(layers)
        if path and not states(values, path):
            keys = [dotted(each) for each, _ in _leaves(values)]
            meant = did_you_mean(dotted(path), keys)
            guess = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"{self.key} has no setting {dotted(path)!r}{guess}",
                hint=f"pkl config {self.key} shows all",
            )
        error: Optional[PklError] = None
        try:
            error = self._fault(self.kept, os.environ)
        except MissingExtra as e:
            error = e
        if error is not None:
            self.session.warn(error.message, error.hint)
            if error.file:  # the schema is none, so what it says of secrets may be wrong as well
                self.told = _UNKNOWN
        self.write(layers, path)
        return 0

    def write(self, layers: Sequence[Layer], path: Tuple[str, ...]) -> None:
        """Writes settings with their sources."""
        values = self.shown(merged(layers))
        rows = [(each, value, source_of(layers, each)) for each, value in _leaves(values)]
        if self.session.json:
            fields = {
                **self.subject.facts,
                "name": self.key,
                "version": self.subject.version(self.key),
                "settings": values,
                "kept": self.shown(self.kept),
                "sources": {dotted(each): source for each, _, source in rows},
            }
            self.session.document("pkl.config/1", fields)
        elif path:
            value = at(values, path)
            self.session.write(f"{self.session.out.clean(_word(value))}\n")
        elif rows:
            body = [(Cell(dotted(each), "bold"), _word(v), source) for each, v, source in rows]
            self.session.write(table(_COLUMNS, body, terminal=self.session.out))
        else:
            self.session.note(f"{self.key} has no settings")

    def change(self, edit: Callable[[Settings], Settings], *, taking_away: bool = False) -> int:
        """Changes what is kept if the schema admits it, and shows the settings."""

        def checked(now: Settings) -> Settings:
            after = edit(now)
            self.check(after, now, taking_away)
            return after

        change = self.subject.store.change_settings(self.subject.host, self.key, checked)
        before, self.kept = self.kept, change.state.record(self.key).settings
        self.write(self.layers(self.kept, os.environ), ())
        say_what_then(self.session, change, before != self.kept)
        return 0

    def replace(self, after: Settings) -> None:
        """Keeps these settings, unless somebody else has changed them meanwhile.

        Raises:
            UsageError: Somebody has.
        """
        before = self.kept

        def unless_changed(now: Settings) -> Settings:
            if now != before:
                raise UsageError(
                    f"the settings of {self.key} were changed by another while they were edited",
                    hint=f"look at them with pkl config {self.key}, then edit them again",
                )
            return after

        self.change(unless_changed)

    def without(self, now: Settings, path: Sequence[str]) -> Settings:
        """The settings without one.

        Raises:
            UsageError: It is not set here.
        """
        if not states(now, tuple(path)):
            meant = did_you_mean(".".join(path), [dotted(each) for each, _ in _leaves(now)])
            guess = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"{'.'.join(path)!r} of {self.key} was not set with pkl config{guess}",
                hint=f"pkl config {self.key} shows where each setting is from",
            )
        return _without(now, path)


def _candidate(subject: Subject, key: str) -> Optional[Candidate]:
    step = subject.scope.plan.step(key)
    found = [c for c in subject.scope.found.candidates if c.name == key]
    return step.candidate if step is not None else found[0] if found else None


def _rules(error: SettingsError) -> List[Tuple[str, str]]:
    """Where settings break a schema, and how."""
    return [(fault.path, fault.rule) for fault in error.faults]


def _leaves(values: Any, path: Tuple[Any, ...] = ()) -> Iterator[Tuple[Tuple[Any, ...], Any]]:
    """Every value that is no object, or an empty one, with its path, sorted."""
    if isinstance(values, Mapping) and (values or not path):
        for key in sorted(values):
            yield from _leaves(values[key], (*path, key))
    else:
        yield path, values


def _word(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(dumps(value).split())


def _with(now: Any, path: Sequence[str], value: Any) -> Dict[str, Any]:
    found = dict(now) if isinstance(now, Mapping) else {}
    inner = path[1:]
    found[path[0]] = _with(found.get(path[0]), inner, value) if inner else value
    return found


def _without(now: Settings, path: Sequence[str]) -> Dict[str, Any]:
    found = dict(now)
    if len(path) == 1:
        del found[path[0]]
        return found
    rest = _without(found[path[0]], path[1:])
    found[path[0]] = rest
    if not rest:
        del found[path[0]]
    return found
