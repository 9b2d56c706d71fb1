"""``pkl.plugins.x``: one proxy for each name, resolved at each access in the current host."""

from __future__ import annotations

import sys
import warnings
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ..errors import PluginNotRunning, UndeclaredImport, UndeclaredImportWarning
from ..model.state import PluginState
from ..names import canonical, did_you_mean, identifier
from .context import Subject, _current, current_kernel
from .core import PLUGINS
from .generation import MARK, Generation, not_running
from .plugin import Plugin

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["HostPlugins", "PluginProxy", "proxy_for"]

_IMPORTABLE = (
    PluginState.LOADED,
    PluginState.ENABLING,
    PluginState.ENABLED,
    PluginState.DISABLING,
)
_proxies: Dict[str, "PluginProxy"] = {}


class PluginProxy(ModuleType):
    """Stands for a plugin's API; one for the process, whatever host and generation answers.

    Each attribute is looked up when it is accessed: in the current plugin's host, else in the
    default host. What it shows is the plugin's ``__init__``, or its entry-point module where it
    has none.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":
            # A package's path would let the import system load its modules a second time.
            raise AttributeError(name)
        return getattr(_api(_kernel_of_caller(), self.__name__[_CUT:]), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
            return
        # ``auth.user_login += f`` assigns the same event back.
        if getattr(self, name) is not value:
            raise AttributeError(
                f"attribute {name!r} of a plugin cannot be set from outside; call its API instead"
            )

    def __dir__(self) -> List[str]:
        return dir(_api(_kernel_of_caller(), self.__name__[_CUT:]))

    def __repr__(self) -> str:
        return f"<PluginProxy {self.__name__}>"


_CUT = len(PLUGINS) + 1


def _kernel_of_caller() -> "Kernel":
    subject = _caller()
    return subject.kernel if subject is not None else current_kernel()


def _importable(plugin: Plugin) -> bool:
    return (plugin.api is not None and plugin.state in _IMPORTABLE) or _loading(plugin)


def _loading(plugin: Plugin) -> bool:
    """Whether its code is being imported right now, by this very thread or task."""
    subject = _current.get()
    return subject is plugin.generation and not plugin.generation.dead


def _api(kernel: "Kernel", name: str) -> Any:
    plugin = kernel.plugins.get(canonical(name))
    if plugin is None:
        raise _unknown(kernel, name)
    if not _importable(plugin) or plugin.api is None:
        kernel.activations.on_import(plugin, _current.get())
        if not _importable(plugin) or plugin.api is None:
            raise not_running(plugin)
    return plugin.api


def _unknown(kernel: "Kernel", name: str) -> PluginNotRunning:
    meant = did_you_mean(name, kernel.plugins)
    guess = f"; did you mean {identifier(meant)!r}?" if meant else ""
    return PluginNotRunning(
        f"host {kernel.name!r} has no plugin {canonical(name)!r}{guess}",
        plugin=canonical(name),
        hint=f"load it first: pkl.load_plugin({canonical(name)!r})",
    )


def _caller() -> Optional[Subject]:
    """In whose name code accesses a plugin: the current subject, else the module's owner."""
    current = _current.get()
    if current is not None:
        return current
    frame: Optional[FrameType] = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "") in _PASSED:
        frame = frame.f_back
    owner = frame.f_globals.get(MARK) if frame is not None else None
    return owner if isinstance(owner, Generation) else None


_PASSED = (
    __name__,
    PLUGINS,
    "_frozen_importlib",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    # The __import__ that plugin code calls.
    "pkl.loader.importlib_bootstrap",
)


def proxy_for(name: str, kernel: Optional["Kernel"] = None) -> PluginProxy:
    """The proxy of a plugin for ``import``: the plugin must be loaded, and should be declared.

    Args:
        name: The plugin's name, in any spelling.
        kernel: Where to look; by default the current plugin's host, else the default host.

    Raises:
        PluginNotRunning: It is not loaded; the text says why.
        UndeclaredImport: In a strict host, if the importing plugin's manifest does not name it.
    """
    subject = _caller()
    if kernel is None:
        kernel = _kernel_of_caller()
    plugin = kernel.plugins.get(canonical(name))
    if plugin is None:
        raise _unknown(kernel, name)
    importing = subject.plugin if subject is not None else None
    if plugin.waiting is not None and not _loading(plugin):
        if kernel.strict and importing is not None:
            _check_declared(kernel, importing, plugin)  # what is refused starts nothing
        kernel.activations.on_import(plugin, subject)
    if not _importable(plugin):
        raise not_running(plugin)
    if importing is not None and importing is not plugin:
        _check_declared(kernel, importing, plugin)
    word = identifier(plugin.name)
    proxy = _proxies.get(word)
    if proxy is None:
        proxy = _proxies.setdefault(word, PluginProxy(f"{PLUGINS}.{word}"))
    return proxy


def _check_declared(kernel: "Kernel", importing: Plugin, plugin: Plugin) -> None:
    metadata = importing.metadata
    provided = {plugin.name, *(p.name for p in plugin.metadata.provides)}
    if any(r.name in provided for r in (*metadata.requires, *metadata.wants)):
        return
    if importing.is_ancestor_of(plugin) or plugin.is_ancestor_of(importing):
        return
    message = (
        f"plugin {importing.name!r} {importing.version} imports the plugin {plugin.name!r}, which "
        f"its manifest does not name"
    )
    hint = f'add it to the manifest: requires = ["{plugin.name}"]'
    if kernel.strict:
        raise UndeclaredImport(
            message,
            plugin=importing.name,
            version=importing.version,
            file=importing.candidate.manifest_file,
            hint=hint,
        )
    if plugin.name not in importing.warned:
        importing.warned.add(plugin.name)
        warnings.warn(f"{message}; {hint}", UndeclaredImportWarning, stacklevel=4)


class ProxyFinder:
    """Answers ``import pkl.plugins.x``; on ``sys.meta_path`` once ``pkl.plugins`` is imported."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """The spec of a plugin's proxy, or None for any other module.

        Raises:
            PluginNotRunning: The plugin is not loaded.
        """
        if not name.startswith(f"{PLUGINS}.") or "." in name[_CUT:]:
            return None
        proxy_for(name[_CUT:])
        return ModuleSpec(name, ProxyFinder)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        """The proxy itself."""
        return proxy_for(spec.name[_CUT:])

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Nothing is run: a proxy has no code."""


class HostPlugins:
    """``host.plugins``: the plugins of one host by attribute, for code outside of plugins."""

    def __init__(self, kernel: "Kernel") -> None:
        self.__dict__["_kernel"] = kernel

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _api(self._kernel, name)

    def __dir__(self) -> List[str]:
        return sorted(identifier(p.name) for p in self._kernel.plugins.values() if _importable(p))
