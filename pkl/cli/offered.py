"""What registries offer of one plugin: every version, and why one does not fit this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union

from ..names import printable
from ..registry.catalog import Offer
from ..registry.fitting import misfits
from ..registry.model import Release
from ..registry.moments import moment_text
from ..render.table import Cell, Column, fields, table
from .session import plain, shown

if TYPE_CHECKING:
    from ..render.terminal import Terminal

__all__ = ["offer_facts", "offer_text"]

_COLUMNS = (Column("VERSION"), Column("FITS"), Column("UPLOADED"), Column("WHY NOT"))
_KINDS = ("requires", "wants", "conflicts", "provides")


def offer_facts(offer: Offer, host_version: Optional[str]) -> Dict[str, Any]:
    """What a registry offers of a plugin, as JSON has it.

    Args:
        offer: The plugin in a registry.
        host_version: The host's version; None if it is not known.

    Raises:
        RegistryError: What is revoked cannot be had.
    """
    return {
        "registry": offer.client.name,
        "url": offer.url,
        "name": offer.page.name,
        "distribution": offer.page.distribution,
        "versions": [
            {**_release_facts(release), "fits": not said, "why_not": said}
            for release, said in _judged(offer, host_version)
        ],
    }


def _release_facts(release: Release) -> Dict[str, Any]:
    metadata = release.metadata
    return {
        "version": release.version,
        **{kind: [str(each) for each in getattr(metadata, kind)] for kind in _KINDS},
        "requires_host": metadata.requires_host,
        "requires_python": metadata.requires_python,
        "permissions": plain(metadata.permissions),
        "yanked": release.yanked,
        "files": [
            {
                "file": each.file,
                "sha256": each.sha256,
                "size": each.size,
                "uploaded": moment_text(each.uploaded),
            }
            for each in release.files
        ],
    }


def _judged(offer: Offer, host_version: Optional[str]) -> List[Tuple[Release, List[str]]]:
    """Each version, the highest first, with why it does not fit."""
    revoked = offer.client.revoked()
    return [
        (each, misfits(offer.page, each, revoked, host_version=host_version))
        for each in offer.page.releases
    ]


def offer_text(
    terminal: "Terminal", offer: Offer, host_version: Optional[str], version: Optional[str] = None
) -> str:
    """What a registry offers of a plugin, for people.

    Args:
        terminal: What the destination can show.
        offer: The plugin in a registry.
        host_version: The host's version; None if it is not known.
        version: The version whose requirements are shown; by default the highest that fits.

    Raises:
        RegistryError: What is revoked cannot be had.
    """
    judged = _judged(offer, host_version)
    chosen = next((r for r, said in judged if not said), judged[0][0] if judged else None)
    if version is not None:
        chosen = offer.page.release(version)
    rows = [
        (
            Cell(release.version, "bold"),
            Cell("no", "fail") if said else Cell("yes", "ok"),
            moment_text(release.files[0].uploaded)[:10],
            "; ".join(said),
        )
        for release, said in judged
    ]
    versions = table(_COLUMNS, rows, terminal=terminal) if rows else ""
    return f"{_head(terminal, offer, chosen)}\n{versions}"


def _head(terminal: "Terminal", offer: Offer, release: Optional[Release]) -> str:
    page = offer.page
    pairs: List[Sequence[Union[str, Cell]]] = [
        ("Name", Cell(page.name, "bold")),
        ("Registry", f"{offer.client.name} ({offer.client.known.url})"),
        ("Distribution", page.distribution),
    ]
    if release is not None:
        metadata = release.metadata
        pairs += [("Version", release.version), ("Summary", metadata.summary)]
        for kind in _KINDS:
            pairs += [(kind.capitalize(), str(each)) for each in getattr(metadata, kind)]
        pairs += [
            ("Needs host", metadata.requires_host),
            ("Needs Python", metadata.requires_python),
        ]
        pairs += [("Permissions", f"{k} = {shown(v)}") for k, v in metadata.permissions.items()]
        if release.yanked:
            pairs.append(("Withdrawn", printable(release.yanked)))
        pairs += [("File", f"{each.file} ({each.size} bytes)") for each in release.files]
    return fields(pairs, terminal=terminal)
