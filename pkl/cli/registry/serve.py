"""``pkl registry serve``: serves a registry on this machine."""

from __future__ import annotations

import sys
from typing import Callable

import click

from ...registry.folder import RegistryFolder
from ...registry.serving import RegistryServer
from ..options import Verb
from ..session import Session

__all__ = ["command"]


@click.command("serve", cls=Verb)
@click.argument("directory")
@click.option(
    "--address", default="127.0.0.1", metavar="HOST", help="The address: one of this machine alone."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="The port; without it any that is free.",
)
@click.pass_obj
def command(session: Session, directory: str, address: str, port: int) -> int:
    """Serve a registry on this machine, until interrupted.

    For one's own use and for trying things out; for others, any web server can serve the folder,
    over https.
    """
    RegistryFolder(directory).existing_index()
    try:
        server = RegistryServer(directory, address, port, say=_say(session))
    except OSError as e:
        raise click.UsageError(f"port {port} cannot be had: {e.strerror or e}") from None
    with server:
        if session.json:
            session.document("pkl.registry.serve/1", {"url": server.url, "registry": server.root})
        else:
            session.write(f"{server.url}\n")
            session.note(f"pip install --index-url {server.url}/simple NAME")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            session.note("stopped")
    return 0


def _say(session: Session) -> Callable[[str], None]:
    def say(line: str) -> None:
        if session.verbosity > 0:
            session.say(line)

    return say
