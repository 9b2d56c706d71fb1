"""Loading a generation: everything is imported, or nothing has changed."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, List, Optional, Protocol

from ..errors import ModuleReplacedWarning, PluginLoadError
from .extensions import refuse_loaded
from .finder import install_finder
from .importlib_bootstrap import own_builtins, without_importing
from .modules import GenerationModules, Owner, is_initializing, is_marked, wait_for
from .moving import bring_in, displaced_foreign, forget_displaced, take_out, undo
from .names import NAMES
from .target import Target, missing_attribute, missing_module, target_of

if TYPE_CHECKING:
    from ..model.candidate import Candidate

__all__ = ["GenerationLoader", "LoadedModules"]


class LoadablePlugin(Protocol):
    """What the loader has to know of a plugin."""

    @property
    def name(self) -> str:
        """Its canonical name."""

    @property
    def candidate(self) -> "Candidate":
        """Where its code is."""

    @property
    def host(self) -> Any:
        """The host it belongs to: any object that can be referred to weakly."""


class LoadableGeneration(Protocol):
    """What the loader has to know of a generation; its modules carry the object itself."""

    @property
    def number(self) -> int:
        """Which load of the plugin's code this is, from 1."""


class LoadedModules:
    """The modules of one generation that has been loaded.

    Attributes:
        module: The entry-point module; None after ``drop``.
        api: The package, or the entry-point module if it has no ``__init__``; None after ``drop``.
    """

    __slots__ = ("_modules", "api", "module")

    def __init__(self, modules: GenerationModules, module: Any, api: Any) -> None:
        self.module = module
        self.api = api
        self._modules: Optional[GenerationModules] = modules

    def modules(self) -> List[Any]:
        """Every module of the generation, also those imported later; none after ``drop``."""
        modules = self._modules
        return [] if modules is None else list(modules.created.values())

    def drop(self) -> None:
        """Takes the generation's modules out of ``sys.modules``, also those imported later.

        Code of it that still runs may go on: it finds the modules that it has, and a
        ``PluginNotRunning`` where it asks for others. Never raises; again is a no-op. Safe from
        any thread.
        """
        modules, self._modules = self._modules, None
        self.module = self.api = None
        if modules is not None:
            take_out(modules)


class GenerationLoader:
    """Imports the code of plugins from directories, installed distributions and zips.

    Each load is a generation: modules of its own, made afresh from what the files hold now,
    beside those of other generations. One loader may serve several hosts; hosts with a loader
    each share the process's names all the same. ``load`` may be called from several threads at
    once for different plugins or hosts. No lock of pkl is held while code of a plugin runs or
    an import waits.

    Args:
        write_bytecode: Whether first generations may write ``.pyc`` files for sources that have
            been at rest, as Python's own imports do. Off by default: a plugin's directory is
            left as it is.
    """

    def __init__(self, *, write_bytecode: bool = False) -> None:
        self._write_bytecode = write_bytecode

    def load(self, plugin: LoadablePlugin, generation: LoadableGeneration) -> LoadedModules:
        """Imports the plugin's package and then its entry-point module.

        Args:
            plugin: Whose code to load.
            generation: What its modules carry as ``__pkl_generation__``.

        Raises:
            PluginLoadError: The candidate names no module, or none that can be loaded.
            RestartRequired: The code has C extension modules that this process loaded before.
            BaseException: Whatever the code raised, as it was raised. In each case no module of
                this generation stays in ``sys.modules``, and those it displaced are back.
        """
        candidate = plugin.candidate
        owner = Owner(
            plugin.name,
            candidate.version,
            candidate.distribution,
            generation,
            generation.number,
        )
        install_finder()
        target = target_of(candidate, owner)
        others = _others(target, owner)
        refuse_loaded(owner, target.places, others)
        modules = GenerationModules(target.root, owner, target.search, self._write_bytecode)
        modules.builtins = own_builtins(modules)
        try:
            bring_in(modules, plugin.host, others)
            loaded = _import(modules, target, candidate, owner)
            _warn(modules, candidate, owner)
        except BaseException as e:
            undo(modules)
            # Not "from": the exception is handed on as it is, but for pkl's frames.
            raise e.with_traceback(without_importing(e.__traceback__))  # noqa: B904
        forget_displaced(modules)
        return loaded


def _import(
    modules: GenerationModules, target: Target, candidate: "Candidate", owner: Owner
) -> LoadedModules:
    root = modules.birth
    package = module = import_module(root)
    if target.entry != target.root:
        entry = root + target.entry[len(target.root) :]
        try:
            module = import_module(entry)
        except ModuleNotFoundError as e:
            if e.name is None or e.name == root or not f"{entry}.".startswith(f"{e.name}."):
                raise
            raise missing_module(candidate, owner, target) from None
    value = module
    for name in target.attribute.split(".") if target.attribute else ():
        if not hasattr(value, name):
            raise missing_attribute(candidate, owner, target, target.attribute)
        value = getattr(value, name)
    modules.settle()
    has_code = getattr(package, "__file__", None) is not None
    api = package if target.package_is_api and has_code else module
    return LoadedModules(modules, module, api)


def _others(target: Target, owner: Owner) -> List[str]:
    """Names at and below the root under which others may have modules.

    Modules that somebody is importing at this moment are waited for.

    Raises:
        PluginLoadError: The waiting would not end, because this very thread imports them.
    """
    root = target.root
    if target.local and root not in sys.modules:
        # Looking through all of sys.modules for each plugin directory would be quadratic.
        return []
    below = f"{root}."
    names = [name for name in list(sys.modules) if name == root or name.startswith(below)]
    others = []
    for name in names:
        module = sys.modules.get(name)
        # A None there is somebody's way to forbid the import, and what another plugin's root is
        # below this one is that plugin's.
        if module is None or NAMES.root_of(name) not in (None, root):
            continue
        others.append(name)
        if not is_marked(module):
            wait_for(module)
            if is_initializing(module):
                raise PluginLoadError(
                    f"plugin {owner.plugin!r} {owner.version} cannot be loaded while the "
                    f"application is importing its module {name!r}",
                    plugin=owner.plugin,
                    version=owner.version,
                    distribution=owner.distribution,
                    hint="start the host after that import, not during it",
                )
    return others


def _warn(modules: GenerationModules, candidate: "Candidate", owner: Owner) -> None:
    names = displaced_foreign(modules)
    if not names:
        return
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    warnings.warn(
        f"module {names[0]!r}{more}, which the application had imported, is replaced by "
        f"generation {owner.number} of plugin {owner.plugin!r} {owner.version} "
        f"({candidate.source}); what the application holds of its copy are different objects. "
        f"Import it through pkl.plugins, or after the plugin was loaded",
        ModuleReplacedWarning,
        stacklevel=3,
    )
