"""The ``__import__`` of a generation: its own modules come from its own map, whatever else runs.

This file's name is chosen with care: ``warnings`` passes over frames whose file name holds both
``importlib`` and ``_bootstrap``, so a warning that a module issues for whoever imports it
(``stacklevel=2``) still points at the plugin's import statement and not in here.
"""

from __future__ import annotations

import builtins
import sys
from _thread import get_ident
from types import ModuleType, TracebackType
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ..kernel.accounting import current_watch
from .finder import install_finder
from .modules import GenerationModules, ImportedElsewhere, wait_for
from .moving import free_names, repair

__all__ = ["LibraryView", "own_builtins", "without_importing"]

_HERE = __name__.rpartition(".")[0] + "."
_FROZEN = "<frozen importlib"


def own_builtins(modules: GenerationModules) -> Dict[str, Any]:
    """What the modules of a generation find as ``__builtins__``: Python's, but for one function.

    It is a copy, because Python looks builtins up fast in a plain dictionary only: what others
    patch in ``builtins`` later is not seen, except for ``__import__`` itself.
    """
    found = dict(builtins.__dict__)
    found["__import__"] = own_import(modules)
    return found


def own_import(modules: GenerationModules) -> Callable[..., Any]:
    """Makes the ``__import__`` that a generation's modules find in their ``__builtins__``.

    Everything but the generation's own package goes straight to ``builtins.__import__``, as it
    is at that moment. So do its own names as long as it is imported under the names it was born
    with; the question is asked again after the import, because another generation may have taken
    the names meanwhile. Safe from any thread.
    """
    root = modules.root
    top = root.partition(".")[0]
    importing = modules.importing
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
                watch = current_watch()
                if watch is None or _is_imported(name, fromlist or ()):
                    return builtins.__import__(name, globals, locals, fromlist or (), level)
                # What a library changes when it is first imported is not the plugin's: it stays.
                watch.pause()
                try:
                    return builtins.__import__(name, globals, locals, fromlist or (), level)
                finally:
                    watch.resume()
            install_finder()
            native = direct and modules.birth is root
        else:
            install_finder()
            package = (globals or {}).get("__package__") or ""
            native = direct and package.partition(".")[0] == modules.birth
        if native:
            thread = get_ident()
            importing.append(thread)
            moves = modules.moves
            try:
                if modules.exposed == modules.birth:
                    found = builtins.__import__(name, globals, locals, fromlist or (), level)
                    if modules.moves == moves:
                        return found
            except BaseException as e:
                if not _goes_on(modules, moves, e):
                    raise e.with_traceback(without_importing(e.__traceback__))  # noqa: B904
            finally:
                _done(modules, thread)
            if modules.moves != moves:
                repair(modules)
        return _answer(modules, name, globals, locals, fromlist or (), level)

    return __import__


def _is_imported(name: str, fromlist: Sequence[str]) -> bool:
    """Whether an import statement will run no code."""
    module = sys.modules.get(name)
    return module is not None and all(hasattr(module, each) for each in fromlist)


def _answer(
    modules: GenerationModules,
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
        return _library(modules, full, (name, globals, locals, fromlist, level))
    module = _fetch(modules, real)
    if fromlist:
        _bind(modules, module, real, fromlist)
        return module
    if modules.exposed is None:
        _connect(modules, real)
    if level == 0:
        top = modules.root.partition(".")[0]
        return _fetch(modules, top) if top == modules.root else _view(modules, top)
    return _fetch(modules, real[: len(real) - len(name) + len(name.partition(".")[0])])


def _fetch(modules: GenerationModules, real: str) -> Any:
    """The generation's module of that real name, imported now if need be.

    Raises:
        ImportError: It cannot be imported; a ``PluginNotRunning`` if that is because the
            generation has been stopped.
    """
    thread = get_ident()
    modules.importing.append(thread)
    try:
        while modules.exposed is not None:
            moves = modules.moves
            name = modules.name_below(modules.exposed, real)
            try:
                # With a list of names, the module itself comes back and not the top package.
                found: Any = builtins.__import__(name, None, None, ("__name__",), 0)
            except BaseException as e:
                if not _goes_on(modules, moves, e):
                    raise
            else:
                wait_for(found)
                if modules.moves == moves:
                    return found
            repair(modules)
    finally:
        _done(modules, thread)
    found = modules.replaced.get(real, modules.created.get(real))
    wait_for(found)
    if found is None or real not in modules.created:
        raise modules.stopped(real)
    return found


def _goes_on(modules: GenerationModules, moves: int, error: BaseException) -> bool:
    """Whether to ask again after an import that may have failed only because names have moved."""
    if isinstance(error, ImportedElsewhere):
        return True
    if modules.moves == moves:
        return False
    repair(modules)
    # KeyError is what importlib raises if the module that it imports leaves sys.modules.
    return isinstance(error, (ImportError, KeyError))


def _done(modules: GenerationModules, thread: int) -> None:
    modules.importing.remove(thread)
    if modules.exposed is None:
        free_names(modules)


def _connect(modules: GenerationModules, real: str) -> None:
    """Sets the attributes that lead to a module which was still being imported at the stop."""
    while len(real) > len(modules.root):
        module = modules.created.get(real)
        real, _, child = real.rpartition(".")
        package = modules.created.get(real)
        if module is not None and package is not None:
            package.__dict__.setdefault(child, module)


def _absolute(name: str, globals: Optional[Mapping[str, Any]], level: int) -> Optional[str]:
    package = (globals or {}).get("__package__")
    if not package:
        return None
    parts = package.rsplit(".", level - 1)
    if len(parts) < level:
        return None
    return f"{parts[0]}.{name}" if name else str(parts[0])


def _bind(
    modules: GenerationModules, module: Any, real: str, names: Sequence[str], star: bool = True
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
                found = _fetch(modules, child)
            except ModuleNotFoundError as e:
                # Not there is for the import statement to say: "cannot import name".
                if e.name is None or modules.real_name(e.name) != child:
                    raise
            else:
                if not hasattr(module, name):
                    setattr(module, name, found)


def _library(modules: GenerationModules, full: str, call: Sequence[Any]) -> Any:
    """Imports what is beside or above a root with dots; what is above comes back as a view."""
    _, globals, locals, fromlist, level = call
    if not fromlist:
        found = builtins.__import__(*call)
        return found if level else _view(modules, modules.root.partition(".")[0])
    below = _below(modules, full)
    if below is None or below not in fromlist:
        return builtins.__import__(*call)
    others = [name for name in fromlist if name != below]
    builtins.__import__(full, globals, locals, others, 0)
    return _view(modules, full)


def _below(modules: GenerationModules, library: str) -> Optional[str]:
    """The attribute of a package above the root that leads to it; None if it is not above."""
    if not modules.root.startswith(library + "."):
        return None
    return modules.root[len(library) + 1 :].partition(".")[0]


def _view(modules: GenerationModules, library: str) -> Any:
    found = modules.views.get(library)
    if found is None:
        child = modules.root[len(library) + 1 :].partition(".")[0]
        name = f"{library}.{child}"
        value = _fetch(modules, name) if name == modules.root else _view(modules, name)
        found = modules.views[library] = LibraryView(sys.modules[library], child, value)
    return found


def without_importing(traceback: Optional[TracebackType]) -> Optional[TracebackType]:
    """A traceback without the frames of the loader and of importlib, as importlib does it."""
    first = last = None
    while traceback is not None:
        code = traceback.tb_frame.f_code.co_filename
        name = traceback.tb_frame.f_globals.get("__name__", "")
        if not name.startswith(_HERE) and name != "importlib" and not code.startswith(_FROZEN):
            if last is None:
                first = traceback
            else:
                last.tb_next = traceback
            last = traceback
        traceback = traceback.tb_next
    if last is not None:
        last.tb_next = None
    return first


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
