"""The group of all verbs: loads each when it is used, and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from typing import Any, List, Mapping, NoReturn, Optional, Sequence, Tuple

import click

from ..version import VERSION
from .lazy_group import LazyGroup
from .options import global_options, print_version
from .session import Session

__all__ = ["VERBS", "App", "app", "execute"]

VERBS: Mapping[str, Tuple[str, str]] = {
    "list": ("list", "What there is, what runs, and why the rest does not."),
    "info": ("info", "Everything that is known of one plugin."),
    "graph": ("graph", "The dependency graph: as text, a picture, or data."),
    "why": ("why", "Who pulls a plugin in, or why it does not run."),
    "resolve": ("resolve", "What would be started, in which order, and what would not."),
    "check": ("check", "Find what is wrong with plugins, a plugin project, or a wheel."),
    "doctor": ("doctor", "Find what is wrong with this environment, and how to repair it."),
    "discover": ("discover", "What each source holds, or every entry-point group there is."),
    "install": ("install", "Install plugins, and what they need, for one host."),
    "uninstall": ("uninstall", "Uninstall plugins, and the libraries that only they needed."),
    "upgrade": ("upgrade", "Take the newest versions of what is installed."),
    "rollback": ("rollback", "Go back to what was installed before."),
    "lock": ("lock", "Write which versions the plugins of one host have."),
    "sync": ("sync", "Install what the lock says, and nothing else, for one host."),
    "enable": ("enable", "Let plugins start again that were disabled or masked."),
    "disable": ("disable", "Leave plugins out of every later start."),
    "mask": ("mask", "Let nothing start plugins, whatever requires them."),
    "reset": ("reset", "Let plugins out of quarantine."),
    "config": ("config", "The settings of a plugin: where each is from, and changing them."),
    "permissions": ("permissions", "What a plugin asks to be allowed, and what of it was granted."),
    "search": ("search", "Find plugins in the registries that are known here."),
    "registry": ("registry.group", "The registries that plugins are found in, and making them."),
    "run": ("run", "Start a host with its plugins, and stop it in order."),
    "version": ("version", "The versions of pkl and of what it runs on."),
}
"""Each verb with its module and what ``pkl --help`` says of it, so that help imports no verb."""

BUG = 70
INTERRUPTED = 130


class App(LazyGroup):
    """The command group ``pkl``."""

    verbs = VERBS
    home = "pkl.cli"

    def main(self, args: Any = None, *_: Any, **__: Any) -> NoReturn:
        """Runs a command line and exits; what ``click.testing.CliRunner`` calls."""
        sys.exit(execute(args))


@click.group(
    "pkl",
    cls=App,
    params=[
        *global_options(hidden=False),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=print_version,
            help="Print the version and exit.",
        ),
    ],
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """A plugin kernel: look at plugins without importing them, and run hosts.

    Without --app, --group or --path, the host is the one that [tool.pkl] in pyproject.toml or
    pkl.toml describes, else the entry-point group pkl.plugins.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def execute(argv: Optional[Sequence[str]] = None) -> int:
    """Runs one command line; every error becomes a message and an exit status here.

    Args:
        argv: The arguments without the program's name; by default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    session = Session()
    try:
        return _flushed(session, _run(session, arguments))
    except BrokenPipeError:
        session.hang_up()
        return 0
    except (KeyboardInterrupt, click.Abort):
        session.say("interrupted")
        return INTERRUPTED
    except Exception as error:
        if "--json" in arguments:  # a usage error may come before the option was read
            session.json = True
        return _flushed(session, _failed(session, error))


def _run(session: Session, arguments: List[str]) -> int:
    try:
        with app.make_context("pkl", arguments, obj=session) as ctx:
            status = app.invoke(ctx)
    except click.exceptions.Exit as left:
        return left.exit_code
    return status if isinstance(status, int) else 0


def _failed(session: Session, error: Exception) -> int:
    from ..errors import PklError

    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        hint = f"{ctx.command_path} --help" if ctx is not None else "pkl --help"
        session.fail("E_USAGE", error.format_message(), hint=hint)
        status = error.exit_code if isinstance(error, click.UsageError) else 2
    elif isinstance(error, PklError):
        session.fail_with(error)
        status = error.exit_status
    else:
        session.fail("E_BUG", *_as_bug(error))
        status = BUG
    if session.debug:
        import traceback

        lines = traceback.format_exception(type(error), error, error.__traceback__)
        session.say("".join(lines).rstrip("\n"))
    return status


def _as_bug(error: Exception) -> Tuple[str, str, str]:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename
        where = f"raised in {os.path.basename(file)}, line {trace.tb_lineno}"
    return (
        f"a bug in pkl {VERSION}: {type(error).__name__}: {error}",
        "run it again with --debug, and report the traceback with the output of: pkl version",
        where,
    )


def _flushed(session: Session, status: int) -> int:
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        session.hang_up()
    return status
