"""What the verbs of ``pkl registry`` say of an index, for people and as JSON."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Optional

from ...registry.keys import PublicKey
from ...registry.model import Index
from ...registry.moments import moment_text
from ...registry.publishing import Published
from ..session import Session

__all__ = ["counted", "in_words", "index_facts", "say_signature"]

_SOON = 3 * 86400


def index_facts(directory: str, index: Index, signer: Optional[PublicKey]) -> Dict[str, Any]:
    """What the JSON of each verb has of a registry."""
    return {
        "registry": os.path.abspath(directory),
        "serial": index.serial,
        "expires": None if index.expires is None else moment_text(index.expires),
        "plugins": len(index.plugins),
        "signed_by": None if signer is None else signer.fingerprint,
    }


def in_words(index: Index, signer: Optional[PublicKey]) -> str:
    """Serial, expiry and signature of an index."""
    until = "for ever" if index.expires is None else f"until {moment_text(index.expires)}"
    signed = "not signed" if signer is None else f"signed by {signer.fingerprint}"
    return f"serial {index.serial}, good {until}, {signed}"


def counted(number: int, thing: str) -> str:
    """How many there are of a thing."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def say_signature(session: Session, directory: str, published: Published) -> None:
    """Warns of a signature that was taken away, and of an index that is not good for long."""
    if published.unsigned:
        session.warn(
            "the index changed, so its signature was taken away; clients that have pinned a key"
            " refuse it as it is",
            f"pkl registry sign {directory} --key FILE",
        )
    expires = published.index.expires
    if expires is not None and expires - time.time() < _SOON:
        session.warn(
            f"the index is good until {moment_text(expires)} only",
            f"pkl registry build {directory} --expires 30d",
        )
