"""Distributions as a solve yields them, made by hand."""

from __future__ import annotations

import hashlib
from typing import Any, Mapping, Optional

from pkl.install.solution import Chosen, WheelRef
from pkl.model.manifest import PluginMetadata

__all__ = ["KEY", "OTHER_KEY", "chosen", "library", "wheel"]

KEY, OTHER_KEY = "SHA256:aaaa", "SHA256:bbbb"


def chosen(
    name: str = "audit",
    version: str = "1.0",
    manifest: Optional[Mapping[str, Any]] = None,
    *,
    distribution: str = "",
    uploaded: Optional[int] = 0,
    **more: Any,
) -> Chosen:
    """The distribution ``acme-NAME`` of the registry ``acme``, with one plugin.

    Args:
        name: The plugin.
        version: Its version, and that of the distribution.
        manifest: What else its manifest says.
        distribution: Another name of the distribution.
        uploaded: When its wheel was uploaded.
        more: Fields of ``Chosen``.
    """
    said = PluginMetadata({"name": name, "version": version, **(manifest or {})})
    own = distribution or f"acme-{name}"
    return Chosen(
        own,
        version,
        **{
            "wheel": wheel(own, version, uploaded),
            "registry": "acme",
            "signer": KEY,
            "plugins": (said,),
            **more,
        },
    )


def library(name: str, version: str = "1.0", **more: Any) -> Chosen:
    """A distribution without a plugin."""
    return Chosen(name, version, wheel(name, version, 0), registry="acme", signer=KEY, **more)


def wheel(name: str, version: str, uploaded: Optional[int]) -> WheelRef:
    """A wheel of a server that does not exist."""
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    digest = hashlib.sha256(file.encode()).hexdigest()
    return WheelRef(file, f"https://example.org/files/{file}", digest, 100, uploaded)
