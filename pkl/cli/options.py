"""The global options, accepted before and after the verb, and the class of all verbs."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Tuple

import click
from click.core import ParameterSource

from ..version import VERSION
from .session import Session

COLOR_MODES = ("auto", "always", "never")
_PREFIX = "session_"
"""Before the names of global options, which no option of a verb may have."""

__all__ = ["Verb", "global_options", "print_version"]


def print_version(ctx: click.Context, _param: click.Parameter, given: bool) -> None:
    """The callback of ``--version``."""
    if given and not ctx.resilient_parsing:
        click.echo(f"pkl {VERSION}")
        ctx.exit()


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Notes a global option in the session, if it was really given."""
    session = ctx.find_object(Session)
    given = ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    if session is None or not given:
        return
    name = (param.name or "")[len(_PREFIX) :]
    take = _TAKES.get(name)
    if take is not None:
        take(session, name, value)
    else:
        setattr(session, name, value)


def _louder(session: Session, name: str, value: int) -> None:
    session.verbosity += value if name == "verbose" else -value


def _add_paths(session: Session, name: str, value: Tuple[str, ...]) -> None:
    session.paths.extend(value)


def _change_directory(session: Session, name: str, value: str) -> None:
    session.directory = os.path.join(session.directory, value)


_TAKES: Dict[str, Callable[[Session, str, Any], None]] = {
    "verbose": _louder,
    "quiet": _louder,
    "paths": _add_paths,
    "directory": _change_directory,
}


def global_options(*, hidden: bool) -> List[click.Parameter]:
    """New instances of all global options; each stores into the session.

    Args:
        hidden: Leave them out of the help page, as the verbs do.
    """

    def option(name: str, *flags: str, help: str, **more: Any) -> click.Option:
        return click.Option(
            [_PREFIX + name, *flags],
            help=help,
            expose_value=False,
            callback=_take,
            hidden=hidden,
            **more,
        )

    return [
        option(
            "app",
            "--app",
            metavar="MODULE:ATTR",
            help="Import this application and ask its host. PKL_APP may say so, too.",
        ),
        option(
            "host",
            "--host",
            metavar="NAME",
            help="A host that has started here before, as it described itself then.",
        ),
        option(
            "group",
            "--group",
            metavar="GROUP",
            help="The entry-point group; any project's will do.",
        ),
        option(
            "paths",
            "--path",
            metavar="DIR",
            multiple=True,
            help="A plugin directory, or a directory of them; may be repeated.",
        ),
        option("directory", "-C", metavar="DIR", help="Do as if started in DIR."),
        option("json", "--json", is_flag=True, help="Print one JSON object instead of text."),
        option(
            "color",
            "--color",
            type=click.Choice(COLOR_MODES),
            help="When to use colours; auto also heeds NO_COLOR and FORCE_COLOR.",
        ),
        option("verbose", "-v", "--verbose", count=True, help="Say more; may be repeated."),
        option("quiet", "-q", "--quiet", count=True, help="Say less."),
        option("debug", "--debug", is_flag=True, help="Show the traceback of an error."),
        option("offline", "--offline", is_flag=True, help="Use no network."),
        option("no_input", "--no-input", is_flag=True, help="Never ask."),
    ]


class Verb(click.Command):
    """A verb: takes the global options too, and runs in the directory of ``-C``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("epilog", "The global options of pkl --help are accepted here too.")
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(hidden=True))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb's function in the directory asked for."""
        session = ctx.find_object(Session)
        if session is None or not session.directory:
            return super().invoke(ctx)
        before = os.getcwd()
        try:
            os.chdir(session.directory)
        except OSError as e:
            raise click.UsageError(f"-C {session.directory}: {e.strerror or e}", ctx) from None
        try:
            return super().invoke(ctx)
        finally:
            os.chdir(before)
