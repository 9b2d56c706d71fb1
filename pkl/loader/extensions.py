"""C extension modules: those of a plugin's own can be loaded once in a process."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from typing import TYPE_CHECKING, Any, Dict, Iterable, Optional, Sequence
from weakref import ref

from ..errors import RestartRequired

if TYPE_CHECKING:
    from .modules import GenerationModules, Owner

__all__ = ["ExtensionLoader", "refuse_loaded"]

_loaded: Dict[str, str] = {}
"""File of every extension module that a generation has loaded, and the plugin it was of."""


def refuse_loaded(owner: "Owner", places: Iterable[str], names: Sequence[str]) -> None:
    """Refuses to load code whose own extension modules this process has loaded before.

    A second load from the same file would silently run the old machine code, or end in a crash.

    Args:
        owner: Who wants to load it.
        places: Its files, and its directories.
        names: Modules of it that the application may have imported.

    Raises:
        RestartRequired: The text names the file.
    """
    for place in places:
        below = os.path.join(place, "")
        for file in _loaded:
            if file == place or file.startswith(below):
                raise _restart(owner, file)
    for name in names:
        loader = getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None)
        if isinstance(loader, ExtensionFileLoader):
            raise _restart(owner, str(loader.path), "the application imported it already")


def _restart(owner: "Owner", file: str, why: str = "") -> RestartRequired:
    before = why or f"an earlier load of plugin {_loaded[file]!r} imported it"
    return RestartRequired(
        f"plugin {owner.plugin!r} {owner.version} has a C extension module of its own that can be "
        f"loaded only once in a process, and {before}: {file}",
        plugin=owner.plugin,
        version=owner.version,
        distribution=owner.distribution,
        file=file,
        hint="restart the process",
    )


class ExtensionLoader(ExtensionFileLoader):
    """Loads a C extension module as part of a generation, the first time only."""

    def __init__(self, name: str, path: str, modules: "ref[GenerationModules]") -> None:
        super().__init__(name, path)
        self._modules = modules

    def create_module(self, spec: ModuleSpec) -> Any:
        """Makes the module and marks it.

        Raises:
            RestartRequired: This process has loaded the file before.
        """
        modules = self._modules()
        if modules is None:
            raise ImportError(f"{spec.name!r} belongs to a plugin that is gone", name=spec.name)
        if self.path in _loaded:
            raise _restart(modules.owner, self.path)
        module: Optional[Any] = super().create_module(spec)
        _loaded[self.path] = modules.owner.plugin
        modules.adopt(spec.name, module)
        return module

    def exec_module(self, module: Any) -> None:
        """Runs the module's own initialisation."""
        modules = self._modules()
        if modules is not None:
            modules.run(module, super().exec_module)
