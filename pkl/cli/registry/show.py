"""``pkl registry show``: every version of a plugin that the registries have."""

from __future__ import annotations

from typing import Optional, Tuple

import click

from ...errors import PluginNotFound
from ...names import canonical, did_you_mean
from ...registry.catalog import Catalog, Offer, collision
from ..catalog import catalog_of, say_remarks
from ..offered import offer_facts, offer_text
from ..options import Verb
from ..scope import Scope
from ..session import Session

__all__ = ["command"]


@click.command("show", cls=Verb)
@click.argument("name")
@click.argument("version", required=False)
@click.option("--registry", metavar="NAME", help="Look only into this one.")
@click.pass_obj
def command(session: Session, name: str, version: Optional[str], registry: Optional[str]) -> int:
    """Every version of a plugin that the registries have, and which of them fit here.

    It shows what VERSION requires; without it, the highest that fits this Python and host.
    """
    catalog = catalog_of(session, registry)
    offers = catalog.offers(name)
    if not offers:
        raise _unknown(catalog, name)
    if version is not None:
        offers = _with_version(offers, version)
    host_version = Scope(session).version
    if session.json:
        listed = [offer_facts(each, host_version) for each in offers]
        session.document("pkl.registry.show/1", {"name": canonical(name), "offers": listed})
    else:
        texts = [offer_text(session.out, each, host_version, version) for each in offers]
        session.write("\n".join(texts))
    if len(offers) > 1:
        reason = collision(offers)
        session.warn(reason.message, reason.remedy)
    say_remarks(session, catalog)
    return 0


def _with_version(offers: Tuple[Offer, ...], version: str) -> Tuple[Offer, ...]:
    found = tuple(each for each in offers if each.page.release(version) is not None)
    if found:
        return found
    page = offers[0].page
    there = ", ".join(each.version for each in page.releases[:10]) or "none"
    raise PluginNotFound(
        f"no registry has {page.name} {version}; the highest versions are {there}",
        plugin=page.name,
        version=version,
        hint=f"pkl registry show {page.name}",
    )


def _unknown(catalog: Catalog, name: str) -> PluginNotFound:
    meant = did_you_mean(canonical(name), catalog.names())
    guess = f"; did you mean {meant!r}?" if meant else ""
    where = " and ".join(each.name for each in catalog.clients)
    return PluginNotFound(
        f"no plugin {canonical(name)!r} in the registries {where}{guess}",
        plugin=canonical(name),
        hint="pkl search shows what there is",
        did_you_mean=meant,
    )
