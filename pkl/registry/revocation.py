"""Why a version that its registry revoked does not run."""

from __future__ import annotations

from ..model.state import Reason
from ..names import printable
from .model import Revocation

__all__ = ["revoked_reason"]


def revoked_reason(entry: Revocation) -> Reason:
    """Why a version that was revoked does not run."""
    text = f"{entry.name} {entry.version} was revoked by its registry"
    if entry.reason:
        text += f": {printable(entry.reason)}"
    remedy = f"install another version of it, or do without it: pkl disable {entry.name}"
    return Reason("revoked", text, text, remedy)
