"""Code that is not a plain source file, as part of a generation: in a zip, a ``.pyc``, none."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Optional
from weakref import ref

from .lines import forget_lines

if TYPE_CHECKING:
    from .modules import GenerationModules

__all__ = ["EmptyLoader", "WrappedLoader", "wrapped"]

_NAMED = frozenset({"get_filename", "get_resource_reader", "get_source", "is_package"})


def _generation(modules: "ref[GenerationModules]", name: str) -> "GenerationModules":
    found = modules()
    if found is None:
        raise ImportError(f"{name!r} belongs to a plugin that is gone", name=name)
    return found


class EmptyLoader:
    """Makes a package without code: a directory that has no ``__init__``.

    Attributes:
        path: Where its ``__init__.py`` would be.
    """

    def __init__(self, path: str, modules: "ref[GenerationModules]") -> None:
        self.path = path
        self._modules = modules

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Makes the package and marks it."""
        return _generation(self._modules, spec.name).new_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""
        _generation(self._modules, module.__name__).run(module, lambda _: None)

    def get_resource_reader(self, name: str) -> Any:
        """What ``importlib.resources`` reads the directory's files with."""
        if sys.version_info < (3, 10):
            return None
        from importlib.readers import FileReader

        return FileReader(self)  # type: ignore[arg-type]


class WrappedLoader:
    """Another loader's code, run in a marked module.

    The other loader is asked under the name it was found for, whatever name the module has
    here. What this one does not know itself (data, resources, the archive) it leaves to the
    other.
    """

    def __init__(self, inner: Any, asked: str, modules: "ref[GenerationModules]") -> None:
        self._inner = inner
        self._asked = asked
        self._modules = modules

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Makes the module and marks it."""
        if spec.origin is not None:
            # An archive's lines come from its loader, and linecache would keep those of an
            # earlier generation.
            forget_lines(spec.origin)
        return _generation(self._modules, spec.name).new_module(spec)

    def get_code(self, fullname: str) -> Optional[CodeType]:
        """The module's code."""
        code: Optional[CodeType] = self._inner.get_code(self._asked)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's code.

        Raises:
            PluginNotRunning: The generation has been stopped.
            BaseException: What the code raised.
        """
        _generation(self._modules, module.__name__).run(module, self._execute)

    def _execute(self, module: ModuleType) -> None:
        SourceFileLoader.exec_module(self, module)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name in _NAMED:
            return lambda fullname=None: value(self._asked)
        return value


class _ForeignLoader(WrappedLoader):
    """A loader that shows no code, only runs it."""

    def _execute(self, module: ModuleType) -> None:
        self._inner.exec_module(module)


def wrapped(loader: Any, asked: str, modules: "ref[GenerationModules]") -> WrappedLoader:
    """The loader that runs another one's code in a marked module.

    Args:
        loader: What some finder found for the module.
        asked: The name under which it was found.
        modules: The generation.

    Raises:
        ImportError: The loader neither shows code nor runs it.
    """
    if isinstance(loader, SourceFileLoader):
        # Its bytecode cache goes by whole seconds; without stamps importlib uses none.
        loader.path_stats = _no_stats  # type: ignore[method-assign]
    if hasattr(loader, "get_code"):
        return WrappedLoader(loader, asked, modules)
    if hasattr(loader, "exec_module"):
        return _ForeignLoader(loader, asked, modules)
    raise ImportError(
        f"cannot import {asked!r}: its loader {type(loader).__qualname__} has neither get_code() "
        "nor exec_module()",
        name=asked,
    )


def _no_stats(path: str) -> NoReturn:
    raise OSError("bytecode of instrumented source is not cached")
