"""``pkl registry``: loads each of its verbs when it is used."""

from __future__ import annotations

from typing import Mapping, Tuple

import click

from ..lazy_group import LazyGroup
from ..options import global_options

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Tuple[str, str]] = {
    "add": ("add", "Add a registry, or change what is held of it."),
    "list": ("list", "The registries that are known here."),
    "remove": ("remove", "Forget registries."),
    "search": ("search", "Find plugins in them; the same as pkl search."),
    "show": ("show", "Every version of a plugin, and which of them fit here."),
    "build": ("build", "Make a registry from a folder of wheels."),
    "sign": ("sign", "Sign the index of a registry."),
    "verify": ("verify", "Check a whole registry: digests, wheels, signature, expiry."),
    "mirror": ("mirror", "Copy a registry into a folder, signature and all."),
    "keys": ("keys", "The keys that must sign a registry: list, pin, rotate."),
    "revoke": ("revoke", "Say that a version must not run, and why."),
    "serve": ("serve", "Serve a registry on this machine."),
}
"""Each verb with its module and what the help page says of it."""


class RegistryGroup(LazyGroup):
    """The command group ``pkl registry``."""

    verbs = VERBS
    home = "pkl.cli.registry"


@click.group(
    "registry",
    cls=RegistryGroup,
    params=global_options(hidden=True),
    invoke_without_command=True,
    epilog="The global options of pkl --help are accepted here too.",
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The registries that plugins are found in, and making them.

    A registry is a folder of files, on the web or on this machine.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
