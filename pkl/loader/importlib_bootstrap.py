"""The ``__import__`` of a generation: its own modules come from its own map, whatever else runs.

This file's name is chosen with care: ``warnings`` passes over frames whose file name holds both
``importlib`` and ``_bootstrap``, so a warning that a module issues for whoever imports it
(``stacklevel=2``) still points at the plugin's import statement and not in here.
"""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, Optional, Sequence

if TYPE_CHECKING:
    from .modules import GenerationModules

__all__ = ["LibraryView", "own_import"]


def own_import(modules: "GenerationModules") -> Callable[..., Any]:
    """Makes the ``__import__`` that a generation's modules find in their ``__builtins__``.

    Everything but the generation's own package goes straight to ``builtins.__import__``, as it
    is at that moment. So do its own names as long as it is imported under the names it was born
    with; the question is asked again after the import, because another generation may have taken
    the name meanwhile. Safe from any thread.
    """
    root = modules.root
    birth = modules.birth
    top = root.partition(".")[0]
    inside = f"{birth}."
    direct = top == root
    """Whether no library stands above the root, whose attributes lead to another generation."""

    def __import__(
        name: str,
        globals: Optional[Mapping[str, Any]] = None,
        locals: Optional[Mapping[str, Any]] = None,
        fromlist: Optional[Sequence[str]] = (),
        level: int = 0,
    ) -> Any:
        if level == 0:
            if name.partition(".")[0] != top:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            native = direct and birth is root
        else:
            package = (globals or {}).get("__package__") or ""
            native = direct and (package == birth or package.startswith(inside))
        moves = modules.moves
        if native and modules.exposed == birth:
            try:
                found = builtins.__import__(name, globals, locals, fromlist or (), level)
            except KeyError:
                # What importlib raises if the module left sys.modules while it was importing it.
                if modules.moves == moves:
                    raise
            else:
                if modules.moves == moves:
                    return found
        return _answer(modules, name, globals, locals, fromlist or (), level)

    return __import__


def _answer(
    modules: "GenerationModules",
    name: str,
    globals: Optional[Mapping[str, Any]],
    locals: Optional[Mapping[str, Any]],
    fromlist: Sequence[str],
    level: int,
) -> Any:
    full = name if level == 0 else _absolute(name, globals, level)
    if full is None:
        return builtins.__import__(name, globals, locals, fromlist, level)
    real = modules.real_name(full)
    if real is None:
        return _library(modules, full, fromlist, (name, globals, locals, fromlist, level))
    module = modules.fetch(real)
    if fromlist:
        _bind(modules, module, real, fromlist)
        return module
    if level == 0:
        top = modules.root.partition(".")[0]
        return modules.fetch(top) if top == modules.root else modules.view(top)
    return modules.fetch(real[: len(real) - len(name) + len(name.partition(".")[0])])


def _absolute(name: str, globals: Optional[Mapping[str, Any]], level: int) -> Optional[str]:
    package = (globals or {}).get("__package__")
    if not package:
        return None
    parts = package.rsplit(".", level - 1)
    if len(parts) < level:
        return None
    return f"{parts[0]}.{name}" if name else str(parts[0])


def _bind(
    modules: "GenerationModules", module: Any, real: str, names: Sequence[str], star: bool = True
) -> None:
    """Imports the submodules among ``names``, as ``from package import names`` does."""
    if not hasattr(module, "__path__"):
        return
    for name in names:
        if name == "*":
            listed = getattr(module, "__all__", None)
            if star and listed is not None:
                _bind(modules, module, real, listed, star=False)
        elif not hasattr(module, name):
            child = f"{real}.{name}"
            try:
                found = modules.fetch(child)
            except ModuleNotFoundError as e:
                # Not there is for the import statement to say: "cannot import name".
                if e.name is None or modules.real_name(e.name) != child:
                    raise
            else:
                if not hasattr(module, name):
                    setattr(module, name, found)


def _library(
    modules: "GenerationModules", full: str, fromlist: Sequence[str], call: Sequence[Any]
) -> Any:
    """Imports what is beside or above a root with dots; what is above comes back as a view."""
    if not fromlist:
        found = builtins.__import__(*call)
        return found if call[4] else modules.view(modules.root.partition(".")[0])
    below = modules.below(full)
    if below is None or below not in fromlist:
        return builtins.__import__(*call)
    others = [name for name in fromlist if name != below]
    # __name__ is always there: with an empty list the top of a dotted name would come back.
    builtins.__import__(full, call[1], call[2], others or ["__name__"], 0)
    return modules.view(full)


class LibraryView(ModuleType):
    """A package above a generation's root, except that the way down leads to that generation.

    ``import acme.audit.models`` binds ``acme``, a library that all generations of ``acme.audit``
    share and whose ``audit`` is that of the newest one. What a generation gets instead is this:
    every attribute is the library's but one. Assigning and deleting reaches the library too.
    """

    __slots__ = ("_pkl_library",)

    def __init__(self, library: Any, child: str, value: Any) -> None:
        super().__init__(library.__name__)
        object.__setattr__(self, "_pkl_library", library)
        self.__dict__.clear()
        self.__dict__[child] = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pkl_library, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._pkl_library, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._pkl_library, name)

    def __dir__(self) -> List[str]:
        return dir(self._pkl_library)
