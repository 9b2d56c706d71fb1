"""What one directory contributes to a discovery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Tuple, Union

from ..model.candidate import Candidate, Failure
from .tree import Watched

__all__ = ["Distributions", "Findings"]


class Distributions:
    """The information directory of each distribution in a directory, by canonical name.

    Args:
        infos: The names and directories, or what gives them when they are first asked for.
        source_trees: The names whose directory lies in a source tree.
    """

    __slots__ = ("_infos", "source_trees")

    def __init__(
        self, infos: Union[Dict[str, str], Callable[[], Dict[str, str]]], source_trees: List[str]
    ) -> None:
        self._infos = infos
        self.source_trees = source_trees

    @property
    def infos(self) -> Dict[str, str]:
        """The information directory of each distribution, by canonical name."""
        if not isinstance(self._infos, dict):
            self._infos = self._infos()
        return self._infos


@dataclass
class Findings:
    """What one entry of ``sys.path``, or of ``paths``, holds.

    Attributes:
        path: The entry, absolute.
        candidates: Those found, each under the canonical name of its distribution, or "".
        failures: What could not be made a candidate, likewise.
        skipped: What was passed over without being any plugin's fault.
        distributions: All that lie there; None where there are none.
        watched: Every file and directory they were made from, with its stamp from before; the
            entry itself comes first. Gathered only where they are to be remembered.
        searched: Whether they depend on which other entries of ``sys.path`` there are.
        lasting: Whether they hold as long as nothing that is watched changes; not so where a
            library was missing that may be installed elsewhere.
    """

    path: str
    candidates: List[Tuple[str, Candidate]] = field(default_factory=list)
    failures: List[Tuple[str, Failure]] = field(default_factory=list)
    skipped: List[Failure] = field(default_factory=list)
    distributions: Optional[Distributions] = None
    watched: List[Watched] = field(default_factory=list)
    searched: bool = False
    lasting: bool = True

    def add(self, key: str, result: Union[Candidate, Failure]) -> None:
        """Adds a candidate or failure of the distribution ``key``."""
        if isinstance(result, Candidate):
            self.candidates.append((key, result))
        else:
            self.failures.append((key, result))
