"""Whether the code of a generation is still in memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any, Dict, List, Sequence

from ..kernel.generation import Generation
from ..kernel.receipt import Held, Search
from .belongings import Belongings
from .holders import holders_of
from .repair import repair

__all__ = ["CodeEvidence"]

TOKEN = "__pkl_token__"
"""The key under which a stopped module's dictionary holds what dies with it."""


class _Token:
    __slots__ = ("__weakref__",)


class CodeEvidence:
    """Refers weakly to the modules' dictionaries, which every function keeps alive, and classes.

    Args:
        mine: What belongs to the generation.
        generation: The generation.
        namespaces: The dictionaries of its modules.
    """

    def __init__(
        self, mine: Belongings, generation: Generation, namespaces: Sequence[Dict[str, Any]]
    ) -> None:
        self._mine = mine
        self._generation = weakref.ref(generation)
        self._tokens: List["weakref.ref[_Token]"] = []
        for namespace in namespaces:
            token = namespace[TOKEN] = _Token()
            self._tokens.append(weakref.ref(token))
        self._over = False

    def gone(self) -> bool:
        """Whether nothing of it is left."""
        if not self._over:
            alive = any(token() is not None for token in self._tokens)
            self._over = not alive and not self._mine.classes()
        return self._over

    def expected(self) -> str:
        """Why it is right that its code is still there."""
        generation = self._generation()
        if generation is not None and generation.handlers.get("on_unload"):
            return "its on_unload handlers have still to run"
        return ""

    def search(self) -> Search:
        """Collects garbage, undoes what can be undone, and names who holds what is left."""
        taken: List[Held] = []
        gc.collect()
        if not self.gone():
            taken = repair(self._mine)
            gc.collect()
        if self.gone():
            return Search(taken, ())
        return Search(taken, holders_of(self._alive(), self._mine))

    def _alive(self) -> List[Any]:
        tokens = [token for ref in self._tokens if (token := ref()) is not None]
        found: List[Any] = list(self._mine.classes())
        for token in tokens:
            for each in gc.get_referrers(token):
                if type(each) is dict and each.get(TOKEN) is token:
                    found.append(each)
        return found
