"""All the registries that the user knows as one: found by name, and a name of two is no choice."""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import RegistryAbsent, RegistryError
from ..model.candidate import Candidate
from ..model.known_registry import KnownRegistry
from ..model.state import Reason
from ..names import canonical, did_you_mean
from .address import join
from .client import RegistryClient
from .fitting import candidates_of
from .layout import page_path
from .model import IndexEntry, Page

__all__ = ["Catalog", "Hit", "Offer", "Search"]


class Hit(NamedTuple):
    """A plugin that a search found.

    Attributes:
        entry: What the index says of it.
        registry: The name of the registry.
    """

    entry: IndexEntry
    registry: str


class Search(NamedTuple):
    """What a search found, the best first, and which registries could not be asked."""

    hits: Tuple[Hit, ...]
    problems: Tuple[RegistryError, ...]


class Offer(NamedTuple):
    """A plugin in one registry.

    Attributes:
        client: The registry.
        page: Every version of the plugin.
    """

    client: RegistryClient
    page: Page

    @property
    def url(self) -> str:
        """Where the page is from."""
        return join(self.client.known.url, page_path(self.page.name))


class Catalog:
    """Several registries, in the user's order.

    Args:
        registries: The registries.
        only: The name of the one that is meant; None for all.
        client: What makes the client of each.

    Raises:
        RegistryAbsent: There is none, or none of that name.
    """

    def __init__(
        self,
        registries: Sequence[KnownRegistry],
        only: Optional[str] = None,
        *,
        client: Callable[[KnownRegistry], RegistryClient] = RegistryClient,
    ) -> None:
        if not registries:
            raise RegistryAbsent(
                "no registry is known here",
                hint="pkl registry add NAME URL",
            )
        if only is not None:
            registries = [each for each in registries if each.name == canonical(only)] or _unknown(
                only, registries
            )
        self.clients: Tuple[RegistryClient, ...] = tuple(map(client, registries))
        self.notes: List[str] = []
        """How a name that several registries have was decided, and why."""

    @property
    def remarks(self) -> Tuple[str, ...]:
        """What the registries are to be said of, such as the age of a copy."""
        return tuple(said for each in self.clients for said in each.remarks)

    def search(self, words: Sequence[str] = ()) -> Search:
        """The plugins in whose name or summary every word is; all of them without any.

        What is called so comes first, then what begins so, has it in its name, in its summary.
        A registry that cannot be asked is a problem, and hides no other.

        Args:
            words: The words; capitals and separators make no difference.
        """
        hits: List[Tuple[int, str, int, Hit]] = []
        problems: List[RegistryError] = []
        wanted = [(canonical(each), each.casefold()) for each in words]
        for order, client in enumerate(self.clients):
            try:
                entries = client.index().plugins
            except RegistryError as error:
                problems.append(error)
                continue
            for name, entry in entries.items():
                rank = max((_rank(entry, *each) for each in wanted), default=0)
                if rank < _NOWHERE:
                    hits.append((rank, name, order, Hit(entry, client.name)))
        hits.sort(key=lambda each: each[:3])
        return Search(tuple(each[3] for each in hits), tuple(problems))

    def offers(self, name: str) -> Tuple[Offer, ...]:
        """A plugin in each registry that has it.

        Args:
            name: The plugin, in any spelling.

        Raises:
            RegistryError: A registry cannot be asked; which it would be that has the name, is
                then not known.
        """
        found = []
        for client in self.clients:
            page = client.page(name)
            if page is not None:
                found.append(Offer(client, page))
        return tuple(found)

    def names(self) -> Tuple[str, ...]:
        """The names of all plugins.

        Raises:
            RegistryError: As ``offers``.
        """
        return tuple(sorted({name for each in self.clients for name in each.index().plugins}))

    def candidates(self, name: str, pinned: Optional[str] = None) -> Tuple[Candidate, ...]:
        """The versions of a plugin that its registry has.

        A name that several registries have is a collision, and all are out, unless one of these
        registries was added as one that wins.

        Args:
            name: The plugin, in any spelling.
            pinned: A version that may be chosen even if it was withdrawn.

        Raises:
            RegistryError: As ``offers``.
        """
        offers = self.offers(name)
        chosen = next((each for each in offers if each.client.known.wins), None)
        fault = None
        if len(offers) > 1 and chosen is not None:
            others = " and ".join(e.client.name for e in offers if e is not chosen)
            self.notes.append(
                f"{chosen.page.name}: taken from the registry {chosen.client.name}, which wins "
                f"over {others}"
            )
            offers = (chosen,)
        elif len(offers) > 1:
            fault = collision(offers)
        return tuple(
            candidate
            for offer in offers
            for candidate in candidates_of(
                offer.page, offer.url, offer.client.revoked(), pinned=pinned, fault=fault
            )
        )


def collision(offers: Sequence[Offer]) -> Reason:
    """Why a name that several registries have is no choice.

    Args:
        offers: The plugin in each of them.
    """
    where = " and ".join(f"{each.client.name} ({each.client.known.url})" for each in offers)
    known = offers[0].client.known
    text = f"plugin {offers[0].page.name} is in several registries: {where}"
    remedy = f"to let one of them win: pkl registry add {known.name} {known.url} --wins"
    return Reason("collision", text, text, remedy)


_NOWHERE = 5


def _rank(entry: IndexEntry, name: str, word: str) -> int:
    if entry.name == name:
        return 1
    if name and entry.name.startswith(name):
        return 2
    if name and name in entry.name:
        return 3
    return 4 if word in entry.summary.casefold() else _NOWHERE


def _unknown(name: str, registries: Sequence[KnownRegistry]) -> List[KnownRegistry]:
    names = [each.name for each in registries]
    meant = did_you_mean(name, names)
    guess = f"; did you mean {meant!r}?" if meant else ""
    raise RegistryAbsent(
        f"no registry {name!r} is known here{guess}",
        hint="pkl registry list shows those that are",
        did_you_mean=meant,
    )
