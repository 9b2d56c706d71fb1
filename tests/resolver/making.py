"""Candidates for the tests of the resolver, each in one line."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from pkl.model.candidate import Candidate, Origin
from pkl.model.manifest import PluginMetadata
from pkl.model.state import Reason


def made(
    text: str,
    *,
    origin: Origin = Origin.ENTRY_POINT,
    distribution: Optional[str] = "",
    location: Optional[str] = None,
    requires_dist: Tuple[str, ...] = (),
    fault: Optional[Reason] = None,
    manifest: bool = True,
    **keys: Any,
) -> Candidate:
    """A candidate ``name`` or ``name==version``; ``keys`` are those of a manifest, with ``_``.

    It comes from the distribution ``acme-<name>`` of the same version unless told otherwise.
    """
    name, _, version = text.partition("==")
    version = version or "1.0"
    data = {"name": name, "version": version}
    data.update({key.replace("_", "-"): value for key, value in keys.items()})
    carrier = f"acme-{name}" if distribution == "" else distribution
    file = f"acme_{name}/plugin.toml" if manifest else None
    return Candidate(
        name,
        PluginMetadata(data, file=file),
        origin,
        location=location,
        target=f"acme_{name}",
        distribution=carrier,
        distribution_version=version if carrier else None,
        manifest_file=file,
        requires_dist=requires_dist,
        fault=fault,
    )


def listed(text: str, **keys: Any) -> Candidate:
    """A candidate of a registry."""
    return made(text, origin=Origin.REGISTRY, manifest=False, **keys)
