"""The modules of one generation: their names, and how they come into ``sys.modules`` and leave."""

from __future__ import annotations

import builtins
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Dict, List, NamedTuple, Optional, Protocol, Sequence, Tuple
from weakref import ref

from ..errors import PluginNotRunning
from ..kernel.generation import MARK
from .importlib_bootstrap import LibraryView, own_import
from .names import NAMES, Claim

__all__ = ["GenerationModules", "Owner", "Search", "is_marked"]

_ABSENT = object()


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
    plugin comes, and back if that one goes away first. Names that are neither are not this
    generation's. ``exposed`` and ``moves`` are read without a lock; they change under
    ``NAMES.lock``.

    Attributes:
        root: The real name of the package, or of the one module.
        owner: Whose they are.
        search: Where they come from.
        write_bytecode: Whether a first generation may write ``.pyc`` files.
        birth: What the root was called when its code was imported.
        exposed: What it is called in ``sys.modules`` now; None after ``take_out``.
        moves: How often ``exposed`` has changed.
        created: The modules made so far, by real name. Some may have failed.
        builtins: The ``__builtins__`` of its modules.
        by_ref: A weak reference to this, for what must not keep a generation alive.
    """

    def __init__(
        self, root: str, owner: Owner, search: "Search", write_bytecode: bool = False
    ) -> None:
        self.root = root
        self.owner = owner
        self.search = search
        self.write_bytecode = write_bytecode
        self.birth = root
        self.exposed: Optional[str] = root
        self.moves = 0
        self.created: Dict[str, Any] = {}
        self.builtins: Dict[str, Any] = {}
        self.by_ref = ref(self)
        self._claim: Optional[Claim] = None
        self._aliases: List[str] = []
        self._replaced: Dict[str, Any] = {}
        self._views: Dict[str, LibraryView] = {}
        self._displaced: Dict[str, Any] = {}
        self._parent_had: Any = _ABSENT

    # Names

    def real_name(self, fullname: str) -> Optional[str]:
        """The real name of one of this generation's modules; None if the name is not of those."""
        for root in (self.root, *self._aliases):
            if fullname == root or fullname.startswith(root + "."):
                return self.root + fullname[len(root) :]
        return None

    def below(self, library: str) -> Optional[str]:
        """The attribute of a package above the root that leads to it; None if it is not above."""
        if not self.root.startswith(library + "."):
            return None
        return self.root[len(library) + 1 :].partition(".")[0]

    # Answers to its own code

    def fetch(self, real: str) -> Any:
        """The module of that real name, imported now if need be.

        Raises:
            ImportError: It cannot be imported; a ``PluginNotRunning`` if that is because this
                generation has been stopped.
        """
        while True:
            moves, exposed = self.moves, self.exposed
            if exposed is None:
                found = self._replaced.get(real, self.created.get(real))
                if found is None:
                    raise self.stopped(real)
                return found
            try:
                # With a list of names, the module itself comes back and not the top package.
                found = builtins.__import__(
                    exposed + real[len(self.root) :], None, None, ("__name__",), 0
                )
            except KeyError:
                if self.moves == moves:
                    raise
                continue
            if self.moves == moves:
                return found

    def view(self, library: str) -> LibraryView:
        """A package above the root, as this generation sees it."""
        found = self._views.get(library)
        if found is None:
            child = self.below(library)
            assert child is not None
            name = f"{library}.{child}"
            value = self.fetch(name) if name == self.root else self.view(name)
            found = self._views[library] = LibraryView(sys.modules[library], child, value)
        return found

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

    # Being made

    def adopt(self, name: str, module: Any) -> None:
        """Marks a module as this generation's, before any code of it runs.

        Raises:
            PluginNotRunning: The generation has been stopped.
        """
        namespace = module.__dict__
        namespace[MARK] = self.owner.generation
        namespace["__builtins__"] = self.builtins
        with NAMES.lock:
            real = self.real_name(name)
            if real is None or self.exposed is None:
                raise self.stopped(real or name)
            self.created[real] = module

    def new_module(self, name: str) -> ModuleType:
        """An empty module of this generation."""
        module = ModuleType(name)
        self.adopt(name, module)
        return module

    def settle(self) -> None:
        """Notes the modules that put something else in their place in ``sys.modules``."""
        for real, module in list(self.created.items()):
            found = sys.modules.get(self._exposed_name(real))
            if found is not None and found is not module and not is_marked(found):
                self._replaced[real] = found

    # Coming and going; all under NAMES.lock

    def bring_in(self, host: Any, others: Sequence[str]) -> None:
        """Takes the names: the real ones if no other plugin or host has them, else private ones.

        Args:
            host: The host that the plugin belongs to.
            others: Names at and below the root that modules of others may have.
        """
        plugin = self.owner.plugin
        with NAMES.lock:
            claim = NAMES.claims.get(self.root)
            if claim is not None and claim.abandoned:
                for modules in list(claim.living):
                    modules.take_out()
                claim = None
            if claim is not None and not claim.is_of(host, plugin):
                self.birth = self.exposed = NAMES.private(self.root)
                self._aliases.append(self.birth)
                NAMES.put(self.birth, self)
            else:
                if claim is None:
                    claim = NAMES.claims[self.root] = Claim(host, plugin)
                if claim.living:
                    claim.living[-1]._move_aside()
                claim.living.append(self)
                self._claim = claim
                self._displace(others)
                NAMES.put(self.root, self)
            self.builtins.update(builtins.__dict__)
            self.builtins["__import__"] = own_import(self)

    def take_out(self) -> None:
        """Takes every module of this generation out of ``sys.modules``; again is a no-op.

        The generation before it, if it still lives, gets the real names back.
        """
        with NAMES.lock:
            exposed = self.exposed
            if exposed is None:
                return
            for name, module in self._present(exposed):
                if name == exposed:
                    self._unbind(name, module)
                del sys.modules[name]
            self.exposed = None
            self.moves += 1
            NAMES.remove(exposed, self)
            claim = self._claim
            if claim is None:
                return
            claim.living.remove(self)
            if not claim.living:
                del NAMES.claims[self.root]
            elif exposed == self.root:
                claim.living[-1]._move_back()

    def undo(self) -> None:
        """Takes the modules out after a failed load, and puts back what they displaced."""
        with NAMES.lock:
            self.take_out()
            for name, module in self._displaced.items():
                sys.modules.setdefault(name, module)
            parent, child = _parent(self.root)
            if parent is not None and self._parent_had is not _ABSENT:
                parent.__dict__.setdefault(child, self._parent_had)
        self.forget_displaced()

    def forget_displaced(self) -> None:
        """Lets go of the modules that were displaced: they will not be put back."""
        self._displaced = {}
        self._parent_had = _ABSENT

    @property
    def displaced_foreign(self) -> List[str]:
        """Names of displaced modules that belonged to no plugin."""
        return sorted(name for name, each in self._displaced.items() if not is_marked(each))

    def _exposed_name(self, real: str) -> str:
        return f"{self.exposed}{real[len(self.root) :]}"

    def _present(self, exposed: str) -> List[Tuple[str, Any]]:
        """The entries of ``sys.modules`` that are this generation's."""
        present = []
        for real, module in list(self.created.items()):
            name = exposed + real[len(self.root) :]
            found = sys.modules.get(name)
            if found is not None and (found is module or found is self._replaced.get(real)):
                present.append((name, found))
        return present

    def _displace(self, others: Sequence[str]) -> None:
        parent, child = _parent(self.root)
        if parent is not None:
            self._parent_had = parent.__dict__.get(child, _ABSENT)
        for name in others:
            module = sys.modules.get(name)
            if module is not None:
                self._displaced[name] = sys.modules.pop(name)

    def _move_aside(self) -> None:
        alias = NAMES.private(self.root)
        present = self._present(self.root)
        for name, module in present:
            sys.modules[alias + name[len(self.root) :]] = module
        self._aliases.append(alias)
        NAMES.put(alias, self)
        # Before the real names go: whoever began an import under them looks again after it.
        self.exposed = alias
        self.moves += 1
        for name, _ in present:
            del sys.modules[name]

    def _move_back(self) -> None:
        alias = self.exposed
        assert alias is not None
        present = self._present(alias)
        for name, module in present:
            sys.modules[self.root + name[len(alias) :]] = module
        NAMES.put(self.root, self)
        self.exposed = self.root
        self.moves += 1
        NAMES.remove(alias, self)
        for name, module in present:
            if name == alias:
                parent, child = _parent(self.root)
                if parent is not None:
                    parent.__dict__[child] = module
            del sys.modules[name]

    def _unbind(self, name: str, module: Any) -> None:
        parent, child = _parent(name)
        if parent is not None and parent.__dict__.get(child) is module:
            del parent.__dict__[child]


def _parent(name: str) -> Tuple[Optional[Any], str]:
    above, _, child = name.rpartition(".")
    parent = sys.modules.get(above) if above else None
    return (parent if isinstance(parent, ModuleType) else None), child


def is_marked(module: Any) -> bool:
    """Whether the module belongs to a generation of some plugin."""
    return MARK in getattr(module, "__dict__", ())
