"""The pages of the user's package indexes; without the network, the copies of the last contact."""

from __future__ import annotations

import time
from typing import Optional, Tuple

from ...errors import RegistryAbsent, RegistryGarbage, RegistryUnreachable
from ...registry.address import is_local
from ...registry.cache import Cache, Copy
from ...registry.layout import MAX_SIMPLE
from ...registry.simple import HTML_NAME, JSON_NAME
from ...registry.transport import Transport
from .index_page import ACCEPT, IndexPage, parse_index_page

__all__ = ["IndexPages"]


class IndexPages:
    """What the indexes have of each name: the first index that has one serves it.

    Every page that comes over the network is kept in the user's cache directory, as far as it
    can be kept, so that ``--offline`` has something to go by. Any thread may use one object.

    Args:
        indexes: The URLs of the indexes, in their order.
        transport: What fetches.
        offline: Whether the network may not be used; directories may.
        dated: Whether it matters when files came.
    """

    def __init__(
        self, indexes: Tuple[str, ...], transport: Transport, *, offline: bool, dated: bool
    ) -> None:
        self._indexes = indexes
        self._transport = transport
        self._offline = offline
        self._dated = dated

    def find(self, name: str) -> Optional[Tuple[str, IndexPage]]:
        """The index that serves a name, and its page; None if none has it.

        Args:
            name: The canonical name of a distribution.

        Raises:
            RegistryGarbage: What came is no page of an index.
            RegistryError: An index cannot be asked.
        """
        for index in self._indexes:
            known = self._offline and not is_local(index)
            page = self._kept(index, name) if known else self._asked(index, name)
            if page is not None:
                return index, page
        return None

    def unasked(self, name: str) -> Optional[RegistryUnreachable]:
        """What to say of a name that nothing here has, if an index was not asked for it."""
        asleep = [each for each in self._indexes if self._offline and not is_local(each)]
        if not asleep:
            return None
        return RegistryUnreachable(
            f"{name} cannot be looked up in {asleep[0]}: --offline forbids it, and there is no "
            "copy that could be used instead",
            url=asleep[0],
            distribution=name,
            hint="run the same without --offline once; what it looks up is kept",
        )

    def _kept(self, index: str, name: str) -> Optional[IndexPage]:
        copy = Cache(index).load(f"{name}/", MAX_SIMPLE)
        try:
            return (
                parse_index_page(copy.data, name, f"{index.rstrip('/')}/{name}/") if copy else None
            )
        except ValueError:
            return None

    def _asked(self, index: str, name: str) -> Optional[IndexPage]:
        """What an index has of a name; None if it has nothing."""
        base = f"{index.rstrip('/')}/{name}/"
        places = [base]
        if is_local(index):
            places = [base + JSON_NAME, base + HTML_NAME]
        elif self._dated:
            # A server of plain files answers with HTML, which says nothing of ages.
            places = [base + JSON_NAME, base]
        for place in places:
            try:
                data = self._transport.get(place, limit=MAX_SIMPLE, accept=ACCEPT).data or b""
            except RegistryAbsent:
                continue
            try:
                page = parse_index_page(data, name, place)
            except ValueError as e:
                raise RegistryGarbage(
                    f"{place} is not what a package index holds: {e}",
                    url=place,
                    hint="look at the URL with a browser; it may be the page of a network that "
                    "wants you to sign in",
                ) from None
            if not is_local(index):
                Cache(index).save(f"{name}/", Copy(data, time.time()))
            return page
        return None
