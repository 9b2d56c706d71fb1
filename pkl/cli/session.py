"""One run of the command: what the global options ask, and where its words go.

Standard output gets the result and nothing else; warnings, hints and errors go to standard
error. Whatever a plugin wrote is made printable on the way.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional

import click

if TYPE_CHECKING:
    from ..errors import PklError
    from ..render.terminal import Terminal

__all__ = ["Session", "plain", "shown"]


class Session:
    """The global options, and the ways to say something.

    Attributes:
        app: ``--app``, or None.
        host: ``--host``, or None.
        group: ``--group``, or None.
        paths: ``--path``, each as it was given.
        directory: ``-C``; empty for the current one.
        json: Whether the result is one JSON object.
        color: ``auto``, ``always`` or ``never``.
        verbosity: 0, more for each ``-v``, less for each ``-q``.
        debug: Whether errors come with their traceback.
        offline: Whether the network is off limits.
        no_input: Whether nothing may be asked.
    """

    def __init__(self) -> None:
        self.app: Optional[str] = None
        self.host: Optional[str] = None
        self.group: Optional[str] = None
        self.paths: List[str] = []
        self.directory = ""
        self.json = False
        self.color = "auto"
        self.verbosity = 0
        self.debug = False
        self.offline = False
        self.no_input = False
        self._terminals: Dict[str, "Terminal"] = {}
        self._answered = False

    @property
    def out(self) -> "Terminal":
        """What standard output can show."""
        return self._terminal("stdout")

    @property
    def err(self) -> "Terminal":
        """What standard error can show."""
        return self._terminal("stderr")

    def _terminal(self, name: str) -> "Terminal":
        found = self._terminals.get(name)
        if found is None:
            from ..render.terminal import Terminal

            found = Terminal.of(getattr(sys, name), color=self.color)
            self._terminals[name] = found
        return found

    def write(self, text: str) -> None:
        """Writes a part of the result, made for ``out``; a closed pipe is no error."""
        try:
            click.echo(text, nl=False, color=self.out.color)
        except BrokenPipeError:
            self.hang_up()

    def write_bytes(self, data: bytes) -> None:
        """Writes a result that is a file by itself, whatever the terminal's encoding."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            self.hang_up()

    def document(self, schema: str, fields: Mapping[str, Any]) -> None:
        """Writes the one JSON object of a verb.

        Args:
            schema: Such as ``pkl.list/1``.
            fields: What else it holds.
        """
        from ..render.as_json import dumps

        self._answered = True
        self.write(dumps({"schema": schema, **fields}) + "\n")

    def say(self, text: str) -> None:
        """Writes lines for people to standard error, whatever was asked."""
        shown = "\n".join(self.err.clean(line) for line in text.split("\n"))
        try:
            click.echo(shown, err=True, color=self.err.color)
        except (OSError, ValueError):
            self.verbosity = -9  # Nobody reads it; the result may still be wanted.

    def note(self, text: str) -> None:
        """Says something that may be left out: not with ``-q``, nor beside JSON."""
        if self.verbosity >= 0 and not self.json:
            self.say(text)

    def warn(self, text: str, hint: str = "") -> None:
        """Says what went wrong without stopping the verb."""
        if self.verbosity < -1:
            return
        self._headline("warning", "wait", text)
        if hint:
            self._detail("hint", hint)

    def fail_with(self, error: "PklError") -> None:
        """Says an error of pkl: what, why, what to do next; as an object with ``--json``."""
        details: Dict[str, Any] = {}
        for key in ("plugin", "version", "distribution", "file"):
            value = getattr(error, key, None)
            if value is not None:
                details[key] = value
        details.update(error.details)
        headline, _, rest = error.message.partition("\n")
        for cause in (error.__cause__, *_gathered(error)):
            # What to do next is for the error itself to say, and not for its cause.
            text = getattr(cause, "message", str(cause))
            if cause is not None and text not in error.message:
                rest += f"\n{type(cause).__name__}: {text}"
        if error.code == "E_NO_SOLUTION":
            rest = "\n".join((rest, *details.get("proof", ())))
        self.fail(error.code, headline, error.hint, rest.strip("\n"), details)

    def fail(
        self,
        code: str,
        message: str,
        hint: str = "",
        why: str = "",
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Says why the verb failed; in JSON if that was asked for and nothing was printed yet.

        Args:
            code: A stable identifier such as ``E_USAGE``.
            message: What happened, in one line.
            hint: What to type next.
            why: Further lines.
            details: Further fields, for ``--json``.
        """
        if self.json and not self._answered:
            whole = f"{message}\n{why}" if why else message
            self.document(
                "pkl.error/1",
                {"code": code, "message": whole, "hint": hint, "details": plain(details or {})},
            )
            return
        self._headline(f"error[{code}]", "fail", message)
        for line in why.split("\n") if why else ():
            self._detail("why", line.strip()) if line == why else self.say(f"  {line.rstrip()}")
        if hint:
            self._detail("hint", hint)

    def _headline(self, word: str, role: str, text: str) -> None:
        clean, paint = self.err.clean, self.err.paint
        first, *rest = text.split("\n")
        self._echo(f"{paint(word, role)}: {clean(first)}")
        for line in rest:
            self._echo(f"  {clean(line)}")

    def _detail(self, word: str, text: str) -> None:
        clean, paint = self.err.clean, self.err.paint
        first, *rest = text.split("\n")
        self._echo(f"  {paint(word, 'muted')}: {clean(first)}")
        for line in rest:
            self._echo(f"    {clean(line)}")

    def _echo(self, line: str) -> None:
        try:
            click.echo(line, err=True, color=self.err.color)
        except (OSError, ValueError):
            self.verbosity = -9

    def hang_up(self) -> None:
        """Nobody reads standard output any more: the rest of it goes nowhere, in silence."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        except (OSError, ValueError, AttributeError):
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - stays open


def _gathered(error: BaseException) -> Iterator[BaseException]:
    """What an exception group holds, groups inside of it opened."""
    for each in getattr(error, "exceptions", ()):
        if hasattr(each, "exceptions"):
            yield from _gathered(each)
        else:
            yield each


def plain(value: Any) -> Any:
    """The value as JSON can hold it; what it cannot becomes text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    return str(value)


def shown(value: Any) -> str:
    """A value of a manifest's table in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(shown, value)) if isinstance(value, (list, tuple)) else str(value)
