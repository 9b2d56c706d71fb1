"""A registry that is served on this machine, built from real wheels."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List, Optional

from pkl.discovery.wheel import read_wheel
from pkl.model.known_registry import KnownRegistry
from pkl.registry.builder import Builder, Built
from pkl.registry.serving import RegistryServer
from pkl.registry.signing import SshKeygen
from pkl.store import RegistryBook
from tests.install.making import GROUP, library_wheel, plugin_wheel, wheel_of
from tests.registry.making import NOW

__all__ = ["Shop", "serving"]


class Shop:
    """A registry of which wheels are made one by one.

    Attributes:
        wheels: The folder of what was made.
        root: The folder of the registry.
        now: What time it is for the next ``publish``, in seconds since 1970: what is new then
            was uploaded then.
        keygen: What signs.
        asked: What was asked of the server, a line for each request.
    """

    def __init__(self, folder: Path, name: str = "main") -> None:
        self.name = name
        self.wheels = folder / f"{name}-wheels"
        self.root = folder / f"{name}-registry"
        self.now = NOW
        self.keygen = SshKeygen()
        self.asked: List[str] = []
        self.server: Optional[RegistryServer] = None
        self.wheels.mkdir(parents=True)

    def plugin(self, name: str, version: str = "1.0", **more: Any) -> Path:
        """Makes a wheel of the plugin; the arguments are those of ``plugin_wheel``."""
        return plugin_wheel(self.wheels, name, version, **more)

    def library(self, name: str, version: str = "1.0", *requires: str, **more: Any) -> Path:
        """Makes a wheel of a library with these ``Requires-Dist``."""
        return library_wheel(self.wheels, name, version, requires, **more)

    def other(self, name: str, version: str = "1.0", **more: Any) -> Path:
        """Makes any wheel; the arguments are those of ``wheel_of``."""
        return wheel_of(self.wheels, name, version, **more)

    def publish(self, key: Optional[str] = None, group: str = GROUP, **more: Any) -> Built:
        """Builds the registry of all that was made."""
        groups = (group,)
        builder = Builder(
            str(self.root),
            groups,
            lambda path: read_wheel(path, groups),
            lambda: self.now,
            self.keygen,
        )
        return builder.build(str(self.wheels), key=key, **more)

    @property
    def url(self) -> str:
        """Where it is: on the server if that runs, else the folder."""
        return self.server.url if self.server is not None else self.root.as_uri()

    @property
    def simple(self) -> str:
        """Its package index."""
        return f"{self.url}/simple"

    def known(self, **facts: Any) -> KnownRegistry:
        """Makes it known to this user, under its name; ``facts`` are of ``KnownRegistry``."""
        made = KnownRegistry(self.name, self.url, **facts)
        RegistryBook().change(lambda now: (*(each for each in now if each.name != self.name), made))
        return made


@contextmanager
def serving(shop: Shop) -> Iterator[Shop]:
    """The shop on a server of this machine until the block is left."""
    shop.root.mkdir(parents=True, exist_ok=True)
    with RegistryServer(str(shop.root), say=shop.asked.append) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        shop.server = server
        try:
            yield shop
        finally:
            shop.server = None
            server.shutdown()
            thread.join(60)
