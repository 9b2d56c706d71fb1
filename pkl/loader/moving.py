"""How generations come into ``sys.modules``, make way for each other, and leave.

Everything here holds ``NAMES.lock`` and runs no code of a plugin. What is taken out of
``sys.modules`` stays referred to, so that no destructor runs in between either.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, List, NamedTuple, Optional, Sequence

from ..kernel.generation import MARK
from .modules import GenerationModules, is_initializing, is_marked
from .names import NAMES, Claim

__all__ = [
    "bring_in",
    "displaced_foreign",
    "forget_displaced",
    "free_names",
    "repair",
    "take_out",
    "undo",
]


class _Attribute(NamedTuple):
    """The attribute by which a package leads to a module below it."""

    package: Optional[ModuleType]
    name: str

    def get(self) -> Any:
        """What is there, or None."""
        return self.package.__dict__.get(self.name) if self.package is not None else None

    def set(self, module: Any) -> None:
        """Puts a module there."""
        if self.package is not None:
            self.package.__dict__[self.name] = module

    def clear(self, module: Any) -> None:
        """Takes a module away, if it is the one that is there."""
        if self.package is not None and self.get() is module:
            del self.package.__dict__[self.name]


def _attribute(name: str) -> _Attribute:
    above, _, child = name.rpartition(".")
    package = sys.modules.get(above) if above else None
    return _Attribute(package if isinstance(package, ModuleType) else None, child)


def bring_in(modules: GenerationModules, host: Any, others: Sequence[str]) -> None:
    """Takes the names: the real ones if no other plugin or host has them, else private ones.

    Args:
        modules: The generation.
        host: The host that the plugin belongs to.
        others: Names at and below the root that modules of others may have.
    """
    root = modules.root
    plugin = modules.owner.plugin
    with NAMES.lock:
        claim = NAMES.claims.get(root)
        if claim is not None and claim.abandoned:
            for each in list(claim.living):
                take_out(each)
            claim = None
        if claim is not None and not claim.is_of(host, plugin):
            modules.birth = modules.exposed = NAMES.private(root)
            modules.aliases.append(modules.birth)
            NAMES.put(modules.birth, modules)
            return
        if claim is None:
            claim = NAMES.claims[root] = Claim(host, plugin)
        # Before the names become free: whoever asks for them from now on is to get these.
        NAMES.put(root, modules)
        if claim.living:
            _move_aside(claim.living[-1])
        claim.living.append(modules)
        modules.claim = claim
        modules.above = _attribute(root).get()
        for name in others:
            module = sys.modules.pop(name, None)
            if module is not None:
                modules.displaced[name] = module


def take_out(modules: GenerationModules) -> None:
    """Takes every module of a generation out of ``sys.modules``; again is a no-op.

    The generation before it, if that still lives, gets the real names back.
    """
    with NAMES.lock:
        exposed = modules.exposed
        if exposed is None:
            return
        present = modules.present()
        claim = modules.claim
        if claim is not None:
            claim.living.remove(modules)
            if not claim.living:
                del NAMES.claims[modules.root]
            elif exposed == modules.root:
                # At no moment may the real names be nobody's: an import under way would find
                # the files without them, and make modules that no plugin owns.
                NAMES.put(modules.root, claim.living[-1])
        modules.exposed = None
        modules.moves += 1
        if claim is not None and claim.living and exposed == modules.root:
            _move_back(claim.living[-1])
        for _, name, module in present:
            if name == exposed:
                _attribute(name).clear(module)
            if sys.modules.get(name) is module:
                sys.modules.pop(name, None)
        modules.freed = exposed
        free_names(modules)


def free_names(modules: GenerationModules) -> None:
    """Lets go of the names that a generation no longer has, unless its own code still imports.

    An import that was under way when the names went would otherwise make a second copy of the
    package, that of no plugin. The finder refuses it until it is over; what importlib has put
    back into ``sys.modules`` in the end is taken out again.
    """
    with NAMES.lock:
        if modules.importing or modules.freed is None:
            return
        for real in modules.created:
            while stray := modules.elsewhere(real, ""):
                sys.modules.pop(stray)
        for name in (modules.freed, *modules.aliases):
            NAMES.remove(name, modules)


def undo(modules: GenerationModules) -> None:
    """Takes the modules out after a failed load, and puts back what they displaced."""
    with NAMES.lock:
        take_out(modules)
        for name, module in modules.displaced.items():
            sys.modules.setdefault(name, module)
        attribute = _attribute(modules.root)
        if modules.above is not None and attribute.get() is None:
            attribute.set(modules.above)
    forget_displaced(modules)


def forget_displaced(modules: GenerationModules) -> None:
    """Lets go of what was displaced: it will not be put back."""
    modules.displaced = {}
    modules.above = None


def displaced_foreign(modules: GenerationModules) -> List[str]:
    """Names of the displaced modules that belonged to no plugin."""
    return sorted(name for name, each in modules.displaced.items() if not is_marked(each))


def repair(modules: GenerationModules) -> None:
    """Puts right what an import of its code left wrong, because names moved in the middle of it.

    When a module's code has run, importlib takes the module out of ``sys.modules`` by its name
    and puts it in again, or not if the code failed, and looks up its parent by name. So a module
    may be under a name that is no longer its own, another may have been taken out in its place,
    and one generation's package may have been given the child of another, or none.
    """
    with NAMES.lock:
        living = modules.claim.living if modules.claim is not None else []
        for each in {modules, *living}:
            _collect(each)
        for each in {modules, *living}:
            _reattach(each)


def _collect(modules: GenerationModules) -> None:
    for real, module in list(modules.created.items()):
        now = modules.name_below(modules.exposed, real) if modules.exposed is not None else ""
        while stray := modules.elsewhere(real, now):
            sys.modules.pop(stray)
        if not now or NAMES.holder(now) is not modules:
            continue
        if now not in sys.modules or _is_strange(modules, sys.modules[now]):
            sys.modules[now] = module


def _reattach(modules: GenerationModules) -> None:
    for real, _, module in modules.present():
        above, _, child = real.rpartition(".")
        package = modules.created.get(above)
        if package is None or is_initializing(module):
            continue
        found = package.__dict__.get(child)
        if found is None or _is_strange(modules, found):
            package.__dict__[child] = module


def _is_strange(modules: GenerationModules, module: Any) -> bool:
    """Whether a module belongs to another generation."""
    return is_marked(module) and module.__dict__[MARK] is not modules.owner.generation


def _move_aside(modules: GenerationModules) -> None:
    alias = modules.aliases[-1] if modules.aliases else NAMES.private(modules.root)
    present = modules.present()
    for real, _, module in present:
        sys.modules[modules.name_below(alias, real)] = module
    if not modules.aliases:
        modules.aliases.append(alias)
        NAMES.put(alias, modules)
    # Before the real names go: whoever began an import under them looks again after it.
    modules.exposed = alias
    modules.moves += 1
    for _, name, module in present:
        if sys.modules.get(name) is module:
            sys.modules.pop(name, None)


def _move_back(modules: GenerationModules) -> None:
    alias = modules.exposed
    assert alias is not None
    present = modules.present()
    for real, _, module in present:
        sys.modules[real] = module
    modules.exposed = modules.root
    modules.moves += 1
    for real, name, module in present:
        if real == modules.root:
            _attribute(real).set(module)
        if sys.modules.get(name) is module:
            sys.modules.pop(name, None)
