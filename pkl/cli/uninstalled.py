"""``pkl info`` of a plugin that is not installed: what the registries have of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import RegistryError
from ..model.state import Reason
from ..registry.catalog import Offer, collision
from ..registry.fitting import candidates_of
from ..store import RegistryBook
from .catalog import catalog_of, say_remarks
from .offered import offer_facts, offer_text
from .rows import Row

if TYPE_CHECKING:
    from ..errors import PluginNotFound
    from .scope import Scope
    from .session import Session

__all__ = ["show_uninstalled"]


def show_uninstalled(session: "Session", scope: "Scope", name: str, error: "PluginNotFound") -> int:
    """Shows what the registries have of a plugin.

    Args:
        session: The options.
        scope: The host.
        name: The plugin.
        error: That it is not installed; raised if no registry has it either.

    Raises:
        PluginNotFound: No registry has it.
    """
    if not RegistryBook().read().registries:
        raise error
    catalog = catalog_of(session)
    try:
        offers = catalog.offers(name)
    except RegistryError as problem:
        session.warn(problem.message, problem.hint)
        raise error from None
    offers = tuple(each for each in offers if each.page.releases)
    if not offers:
        raise error
    if session.json:
        listed = [offer_facts(each, scope.version) for each in offers]
        first = _row(scope, offers[0]).as_dict()
        session.document("pkl.info/1", {**scope.facts, **first, "others": [], "offers": listed})
    else:
        texts = [offer_text(session.out, each, scope.version) for each in offers]
        session.write("\n".join(texts))
        session.note(f"{offers[0].page.name} is not installed")
    if len(offers) > 1:
        reason = collision(offers)
        session.warn(reason.message, reason.remedy)
    say_remarks(session, catalog)
    return 0


def _row(scope: "Scope", offer: Offer) -> Row:
    """A row for its highest version, so that the fields are those of an installed plugin."""
    candidates = candidates_of(offer.page, offer.url, offer.client.revoked())
    text = f"{offer.page.name} is not installed"
    remedy = f"install {offer.page.distribution} from the registry {offer.client.name}"
    desired = scope.desired.get(offer.page.name, "enabled")
    return Row(
        candidates[0],
        offer.page.name,
        "absent",
        str(desired),
        Reason("not-installed", text, text, remedy),
        None,
    )
