"""Which generation answers to which module name: one table for the whole process."""

from __future__ import annotations

import os
from threading import RLock
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple
from weakref import ref

if TYPE_CHECKING:
    from .modules import GenerationModules

__all__ = ["NAMES", "Claim", "Names"]


class Claim:
    """The right of one plugin of one host to a real module name, while it has living generations.

    Attributes:
        plugin: The plugin's canonical name.
        living: Its generations that are not dropped, oldest first. The last one answers to the
            real name, the others to private ones.
    """

    __slots__ = ("_host", "living", "plugin")

    def __init__(self, host: Any, plugin: str) -> None:
        self._host = ref(host)
        self.plugin = plugin
        self.living: List["GenerationModules"] = []

    def is_of(self, host: Any, plugin: str) -> bool:
        """Whether that plugin of that host holds the claim."""
        return self._host() is host and self.plugin == plugin

    @property
    def abandoned(self) -> bool:
        """Whether the host died without dropping its generations."""
        return self._host() is None


class Names:
    """The names under which generations are in ``sys.modules``, and who may take the real ones.

    ``roots`` and ``holder`` may be read from any thread without the lock: the import system asks
    while it holds its own locks, and this one is never waited for there. Whoever changes the
    table holds ``lock``; no import and no plugin code runs under it.

    Attributes:
        lock: Guards every change. Reentrant, because a signal handler or a destructor may stop a
            plugin while this very thread is changing the table.
        roots: First component of a name to the root names in use below it.
        claims: Real root name to the claim on it.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.roots: Dict[str, Tuple[str, ...]] = {}
        self.claims: Dict[str, Claim] = {}
        self._holders: Dict[str, "GenerationModules"] = {}
        self._count = 0

    def renew_lock(self) -> None:
        """Makes the lock anew in a forked child: the thread that held it may not be there."""
        self.lock = RLock()

    def root_of(self, fullname: str) -> Optional[str]:
        """The longest root in use that this module name is, or is below; None if there is none."""
        best = ""
        for root in self.roots.get(fullname.partition(".")[0], ()):
            if len(root) > len(best) and (fullname == root or fullname.startswith(root + ".")):
                best = root
        return best or None

    def holder(self, fullname: str) -> Optional["GenerationModules"]:
        """The generation that a module of this name belongs to."""
        root = self.root_of(fullname)
        return None if root is None else self._holders.get(root)

    def private(self, root: str) -> str:
        """A name beside ``root`` that nothing else in this process has had."""
        self._count += 1
        return f"{root}__pkl_{self._count}"

    def put(self, root: str, modules: "GenerationModules") -> None:
        """Lets a generation answer to a root name; the one before it no longer does."""
        top = root.partition(".")[0]
        if root not in self._holders:
            self.roots[top] = (*self.roots.get(top, ()), root)
        self._holders[root] = modules

    def remove(self, root: str, modules: "GenerationModules") -> None:
        """Takes a root name away from a generation, if it still is the one that has it."""
        if self._holders.get(root) is not modules:
            return
        del self._holders[root]
        top = root.partition(".")[0]
        left = tuple(each for each in self.roots[top] if each != root)
        if left:
            self.roots[top] = left
        else:
            del self.roots[top]


NAMES = Names()
"""The table of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=NAMES.renew_lock)
