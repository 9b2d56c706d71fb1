"""The installer as an oracle: which versions of distributions go together, libraries included.

Each question costs a process, so that no question is put whose answer follows from another.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Mapping, Tuple

from ...errors import NoSolution
from ...model.requirement import version_key
from ..backends.backend import Backend, Query, Resolved
from .ranges import spanning

__all__ = ["Answer", "Oracle", "QuestionsSpent", "Wanted"]

Wanted = Mapping[str, FrozenSet[str]]
"""Distributions that must be there, each with the versions that will do."""
Answer = Tuple[Resolved, ...]


class QuestionsSpent(Exception):
    """More questions would be needed than were granted."""


class Oracle:
    """Asks an installer, at most so many times.

    Args:
        backend: The installer.
        query: What is the same in every question; its requirements are not looked at.
        everyone: Every version there is of the distributions that are asked for.
        bound: How many questions are granted.

    Attributes:
        asked: How many questions were put.
    """

    def __init__(
        self, backend: Backend, query: Query, everyone: Mapping[str, FrozenSet[str]], bound: int
    ) -> None:
        self.asked = 0
        self._backend = backend
        self._query = query
        self._everyone = everyone
        self._bound = bound
        self._answers: List[Answer] = []
        self._refused: List[Tuple[Dict[str, FrozenSet[str]], NoSolution]] = []

    def ask(self, wanted: Wanted, *, just: bool = False) -> Answer:
        """Versions of all distributions with which these can be had.

        Args:
            wanted: The distributions.
            just: Whether it is what will be installed: nothing is in the answer that these do
                not need, and what is preferred counts.

        Raises:
            NoSolution: There are none.
            QuestionsSpent: No more questions are granted.
            PklError: The installer failed in another way.
        """
        for before, refusal in self._refused:
            if all(name in wanted and wanted[name] <= before[name] for name in before):
                raise refusal
        if not just:
            for answer in self._answers:
                if _serves(answer, wanted):
                    return answer
        try:
            answer = self.put(wanted, just=just)
        except NoSolution as e:
            self._refused.append((dict(wanted), e))
            raise
        self._answers.append(answer)
        return answer

    def put(
        self, wanted: Wanted, *, constraints: Tuple[str, ...] = (), just: bool = True
    ) -> Answer:
        """As ``ask``, with further constraints; what was answered before is not looked at."""
        if self.asked >= self._bound:
            raise QuestionsSpent
        self.asked += 1
        requirements = tuple(
            spanning(name, versions, self._everyone.get(name, versions))
            for name, versions in sorted(wanted.items())
        )
        query = self._query._replace(
            requirements=requirements,
            constraints=(*self._query.constraints, *constraints),
            preferred=self._query.preferred if just and not constraints else (),
        )
        return tuple(self._backend.resolve(query))

    def refuses(self, wanted: Wanted) -> bool:
        """Whether these cannot be had."""
        try:
            self.ask(wanted)
        except NoSolution:
            return True
        return False


def _serves(answer: Answer, wanted: Wanted) -> bool:
    versions = {each.name: version_key(each.version) for each in answer}
    return all(
        name in versions and any(versions[name] == version_key(v) for v in allowed)
        for name, allowed in wanted.items()
    )
