"""The modules of one generation, and what they are called."""

from __future__ import annotations

import sys
from importlib import _bootstrap
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Protocol, Sequence, Tuple
from weakref import ref

from ..errors import PluginNotRunning
from ..kernel.generation import MARK
from .names import NAMES, Claim
from .package import GenerationPackage

__all__ = [
    "GenerationModules",
    "ImportedElsewhere",
    "Owner",
    "Search",
    "is_initializing",
    "is_marked",
    "wait_for",
]


class Owner(NamedTuple):
    """Whose modules they are; the host is not in here, for it may die before them."""

    plugin: str
    version: str
    distribution: Optional[str]
    generation: Any
    """What ``MARK`` is set to."""
    number: int


class Search(Protocol):
    """Where the modules of a generation come from."""

    def __call__(
        self, modules: "GenerationModules", name: str, path: Optional[Sequence[str]]
    ) -> Optional[ModuleSpec]:
        """The spec of one of its modules, whose loader marks it; None if there is no such module.

        Args:
            modules: The generation.
            name: What the module is called in ``sys.modules``.
            path: Where its package says that submodules are; None for the root.
        """


class GenerationModules:
    """The modules of one generation, and the names under which they can be imported.

    They are born under the real names, or under private ones if another plugin or host has the
    real ones. Those born real move aside to private names when the next generation of the same
    plugin comes, and back if that one goes away first. ``exposed`` and ``moves`` are read without
    a lock; they change under ``NAMES.lock``.

    Attributes:
        root: The real name of the package, or of the one module.
        owner: Whose they are.
        search: Where they come from.
        write_bytecode: Whether a first generation may write ``.pyc`` files.
        birth: What the root was called when its code was imported.
        exposed: What it is called in ``sys.modules`` now; None once it is stopped.
        moves: How often ``exposed`` has changed.
        aliases: The private name that the root has, or has had; it keeps it while it lives.
        claim: The claim on the real name that it belongs to; None if it is private for good.
        created: Its modules by real name, those that are being imported included.
        replaced: What modules have put in their own place, by real name.
        displaced: Modules of others by name, to put back if the load fails.
        above: What the package above the root led to before, to put back too.
        freed: The name the root had when it was stopped; kept from others, as the private one is,
            while its own code may be importing under it.
        builtins: The ``__builtins__`` of its modules.
        views: Packages above the root as it sees them, by name.
        importing: The threads in which its code is importing its own modules.
        by_ref: A weak reference to this, for what must not keep a generation alive.
    """

    def __init__(
        self, root: str, owner: Owner, search: Search, write_bytecode: bool = False
    ) -> None:
        self.root = root
        self.owner = owner
        self.search = search
        self.write_bytecode = write_bytecode
        self.birth = root
        self.exposed: Optional[str] = root
        self.moves = 0
        self.aliases: List[str] = []
        self.claim: Optional[Claim] = None
        self.created: Dict[str, Any] = {}
        self.replaced: Dict[str, Any] = {}
        self.displaced: Dict[str, Any] = {}
        self.above: Any = None
        self.freed: Optional[str] = None
        self.builtins: Dict[str, Any] = {}
        self.views: Dict[str, Any] = {}
        self.importing: List[int] = []
        self.by_ref = ref(self)

    def real_name(self, fullname: str) -> Optional[str]:
        """The real name of one of this generation's modules; None if the name is not of those."""
        for root in (self.root, *self.aliases):
            if fullname == root or fullname.startswith(root + "."):
                return self.root + fullname[len(root) :]
        return None

    def name_below(self, root: Optional[str], real: str) -> str:
        """What the module of that real name is called if the root is called ``root``."""
        return f"{root}{real[len(self.root) :]}"

    def present(self) -> List[Tuple[str, str, Any]]:
        """What is in ``sys.modules`` of it: real name, name there, module."""
        present = []
        for real, module in list(self.created.items()):
            name = self.name_below(self.exposed, real)
            found = sys.modules.get(name)
            if found is not None and (found is module or found is self.replaced.get(real)):
                present.append((real, name, found))
        return present

    def elsewhere(self, real: str, name: str) -> str:
        """Another name than ``name`` under which that module is in ``sys.modules``, or nothing."""
        module = self.created.get(real)
        for root in (self.root, *self.aliases):
            other = self.name_below(root, real)
            if module is not None and other != name and sys.modules.get(other) is module:
                return other
        return ""

    def adopt(self, name: str, module: Any) -> None:
        """Marks a module as this generation's, before any code of it runs.

        Raises:
            PluginNotRunning: The generation has been stopped.
            ImportedElsewhere: Another thread is importing it under another name.
        """
        namespace = module.__dict__
        namespace[MARK] = self.owner.generation
        namespace["__builtins__"] = self.builtins
        with NAMES.lock:
            real = self.real_name(name)
            if real is None or self.exposed is None:
                raise self.stopped(real or name)
            other = self.elsewhere(real, name)
            if other:
                raise ImportedElsewhere(f"{name!r} is being imported as {other!r}", name=name)
            self.created[real] = module

    def new_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module of this generation.

        Raises:
            PluginNotRunning: The generation has been stopped.
            ImportedElsewhere: Another thread is importing it under another name.
        """
        package = spec.submodule_search_locations is not None
        module = GenerationPackage(spec.name) if package else ModuleType(spec.name)
        self.adopt(spec.name, module)
        return module

    def run(self, module: Any, execute: Callable[[Any], None]) -> None:
        """Runs a module's code, and forgets the module if that fails.

        Args:
            module: The module, which importlib has put into ``sys.modules``.
            execute: What runs its code.

        Raises:
            PluginNotRunning: The generation has been stopped.
            BaseException: What the code raised.
        """
        try:
            self._arrive(module)
            execute(module)
        except BaseException:
            # Not after a reload, where the module has run before and stays.
            if is_initializing(module):
                self._forget(module)
            raise

    def _arrive(self, module: Any) -> None:
        """Puts a module where it belongs, if names have changed since it was made."""
        name = module.__name__
        with NAMES.lock:
            real = self.real_name(name)
            if real is None or self.exposed is None:
                raise self.stopped(real or name)
            now = self.name_below(self.exposed, real)
            if now != name and sys.modules.get(name) is module:
                sys.modules[now] = sys.modules.pop(name)

    def _forget(self, module: Any) -> None:
        with NAMES.lock:
            real = self.real_name(module.__name__)
            if real is not None and self.created.get(real) is module:
                del self.created[real]
                for root in (self.root, *self.aliases):
                    name = self.name_below(root, real)
                    if sys.modules.get(name) is module:
                        sys.modules.pop(name, None)

    def settle(self) -> None:
        """Notes the modules that put something else in their place in ``sys.modules``."""
        for real, module in list(self.created.items()):
            found = sys.modules.get(self.name_below(self.exposed, real))
            if found is not None and found is not module and not is_marked(found):
                self.replaced[real] = found

    def stopped(self, real: str) -> PluginNotRunning:
        """The error for an import by code of a generation that is gone."""
        owner = self.owner
        return PluginNotRunning(
            f"cannot import {real!r}: the code that asks belongs to generation {owner.number} of "
            f"plugin {owner.plugin!r} {owner.version}, which has been stopped",
            plugin=owner.plugin,
            version=owner.version,
            distribution=owner.distribution,
            hint="import what late calls need at the top of the module",
        )


class ImportedElsewhere(ImportError):
    """Names have moved, and a thread that began before is importing the module under the old one.

    importlib's lock goes by the name, so it lets both begin. The later one has to ask again.
    """


def wait_for(module: Any) -> None:
    """Waits until another thread has run the module's code; at once back in the same thread."""
    # What import statements do, but for the name under which the import began.
    if is_initializing(module):
        _bootstrap._lock_unlock_module(module.__spec__.name)  # type: ignore[attr-defined]


def is_initializing(module: Any) -> bool:
    """Whether the module's code is running for the first time."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def is_marked(module: Any) -> bool:
    """Whether the module belongs to a generation of some plugin."""
    return MARK in getattr(module, "__dict__", ())
