"""Just enough of a host, a plugin and a generation for the loader."""

from __future__ import annotations

import gc
import os
import sys
import textwrap
from typing import Any, Dict, Iterator, List, Mapping, Optional

from pkl.loader import GenerationLoader, LoadedModules
from pkl.loader.finder import install_finder
from pkl.loader.moving import take_out
from pkl.loader.names import NAMES
from pkl.model.candidate import Candidate, Origin
from pkl.model.manifest import PluginMetadata

Files = Mapping[str, str]


class FakeHost:
    """A host: something that can be referred to weakly."""


class FakePlugin:
    """A plugin as the loader sees it."""

    def __init__(self, candidate: Candidate, host: FakeHost) -> None:
        self.name = candidate.name
        self.candidate = candidate
        self.host = host
        self.loads = 0


class FakeGeneration:
    """A generation as the loader sees it."""

    def __init__(self, number: int) -> None:
        self.number = number


def write(directory: Any, files: Files) -> str:
    """Writes files below a directory and makes them old enough not to be racy."""
    for name, text in files.items():
        path = os.path.join(str(directory), *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        rest(path)
    return str(directory)


def rest(path: str, seconds: float = 1000.0) -> None:
    """Sets a file's times back."""
    when = os.stat(path).st_mtime_ns - int(seconds * 1e9)
    os.utime(path, ns=(when, when))


class World:
    """A temporary directory on ``sys.path``, a loader, and everything loaded through it."""

    def __init__(self, path: Any, loader: Optional[GenerationLoader] = None) -> None:
        self.path = str(path)
        self.loader = loader or GenerationLoader()
        self.host = FakeHost()
        self.loaded: List[LoadedModules] = []

    def directory(
        self,
        name: str,
        files: Files,
        *,
        host: Optional[FakeHost] = None,
        entrypoint: Optional[str] = None,
        folder: Optional[str] = None,
    ) -> FakePlugin:
        """A plugin directory."""
        location = write(os.path.join(self.path, "plugins", folder or name), files)
        data: Dict[str, Any] = {"name": name}
        if entrypoint is not None:
            data["entrypoint"] = entrypoint
        candidate = Candidate(
            name, PluginMetadata(data), Origin.DIRECTORY, location=location, target=location
        )
        return FakePlugin(candidate, host or self.host)

    def installed(
        self,
        name: str,
        target: str,
        files: Optional[Files] = None,
        *,
        manifest: bool = False,
        host: Optional[FakeHost] = None,
        entrypoint: str = "plugin",
    ) -> FakePlugin:
        """A plugin of a distribution, its files on ``sys.path``."""
        write(self.path, files or {})
        package = target.partition(":")[0].replace(".", "/")
        candidate = Candidate(
            name,
            PluginMetadata({"name": name, "version": "1.2", "entrypoint": entrypoint}),
            Origin.ENTRY_POINT,
            location=os.path.join(self.path, package),
            target=target,
            distribution=f"dist-{name}",
            distribution_version="1.2",
            manifest_file=os.path.join(self.path, package, "plugin.toml") if manifest else None,
            group="pkl.plugins",
        )
        return FakePlugin(candidate, host or self.host)

    def load(self, plugin: FakePlugin, number: Optional[int] = None) -> LoadedModules:
        """Loads the plugin's next generation."""
        plugin.loads = number if number is not None else plugin.loads + 1
        loaded = self.loader.load(plugin, FakeGeneration(plugin.loads))
        self.loaded.append(loaded)
        return loaded

    def edit(self, plugin: FakePlugin, files: Files) -> None:
        """Changes files of a plugin directory."""
        assert plugin.candidate.location is not None
        write(plugin.candidate.location, files)


def isolated(path: Any) -> Iterator[World]:
    """A world whose traces are gone afterwards, and that has left none in the loader's table."""
    install_finder()
    before = dict(sys.modules)
    search = list(sys.path)
    meta = list(sys.meta_path)
    sys.path.insert(0, str(path))
    world = World(path)
    try:
        yield world
        for loaded in reversed(world.loaded):
            loaded.drop()
        left = [modules for claim in NAMES.claims.values() for modules in claim.living]
        for modules in left:
            take_out(modules)
        assert not left
        assert not NAMES.roots
        assert not NAMES.claims
        assert not [n for n in sys.modules if n not in before and "__pkl_" in n]
    finally:
        sys.path[:] = search
        sys.meta_path[:] = meta
        for name in list(sys.modules):
            if name not in before:
                del sys.modules[name]
        world.loaded.clear()
        gc.collect()
