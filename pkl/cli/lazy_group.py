"""A group of verbs, each imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar, List, Mapping, Optional, Tuple

import click

from ..names import did_you_mean

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A command group that knows what its verbs are called without importing them.

    Attributes:
        verbs: Each verb with its module and what the help page says of it.
        home: The package that the modules are in.
    """

    verbs: ClassVar[Mapping[str, Tuple[str, str]]] = {}
    home: ClassVar[str] = ""

    def list_commands(self, ctx: click.Context) -> List[str]:
        """The verbs in the order of the help page."""
        return [name for name in self.verbs if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        """The verb, imported now."""
        if cmd_name not in self.verbs:
            return None
        module = import_module(f".{self.verbs[cmd_name][0]}", self.home)
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: List[str]
    ) -> Tuple[Optional[str], Optional[click.Command], List[str]]:
        """As click does it, with the nearest verb for a misspelt one."""
        if args and args[0] not in self.verbs and not args[0].startswith("-"):
            meant = did_you_mean(args[0], self.verbs)
            guess = f"; did you mean {meant!r}?" if meant else ""
            raise click.UsageError(f"there is no verb {args[0]!r}{guess}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs; imports none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, what) for name, (_, what) in self.verbs.items()])
