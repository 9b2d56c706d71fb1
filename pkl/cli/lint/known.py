"""What is known, in this environment, of who carries a plugin and who provides a capability."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Set

from ...model.candidate import Candidate
from ...names import canonical

__all__ = ["Known"]


class Known:
    """Plugins and capabilities that are installed here; looked for when first asked.

    Args:
        look: Gives the candidates of the group.
    """

    def __init__(self, look: Callable[[], Iterable[Candidate]]) -> None:
        self._look = look
        self._carriers: Dict[str, Set[str]] = {}
        self._providers: Dict[str, Set[str]] = {}
        self._looked = False

    def _all(self) -> None:
        if self._looked:
            return
        self._looked = True
        for each in self._look():
            offered = {each.name, *(provided.name for provided in each.metadata.provides)}
            for name in offered:
                self._providers.setdefault(name, set()).add(each.name)
                if each.distribution is not None:
                    self._carriers.setdefault(name, set()).add(canonical(each.distribution))

    def carriers(self, name: str) -> Set[str]:
        """The distributions that carry a plugin or capability, in canonical form."""
        self._all()
        return self._carriers.get(name, set())

    def providers(self, name: str) -> Set[str]:
        """The plugins of that name or with that capability."""
        self._all()
        return self._providers.get(name, set())
