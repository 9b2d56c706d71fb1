"""What a solve yields: every distribution of a generation, with the wheel it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Tuple

from ..model.manifest import PluginMetadata
from ..model.plan import Plan
from .wanted import Root

__all__ = ["Chosen", "Solution", "WheelRef"]


class WheelRef(NamedTuple):
    """One wheel: where it is, and what it must turn out to be.

    Attributes:
        file: Its file name (PEP 427).
        url: Where it is: ``https://``, ``http://`` or ``file://``.
        sha256: The digest of its content, in hex.
        size: Its size in bytes; None where the index does not state it.
        uploaded: When it was uploaded, in seconds since 1970; None where that is not known.
    """

    file: str
    url: str
    sha256: str
    size: Optional[int] = None
    uploaded: Optional[int] = None


@dataclass(frozen=True)
class Chosen:
    """One distribution that goes into the generation.

    Attributes:
        name: Its canonical name (PEP 503).
        version: Its version.
        wheel: The wheel that fits this Python and platform; None of an editable one.
        wheels: The wheels of every platform that the registry lists, ``wheel`` among them.
        requires: Its ``Requires-Dist``, verbatim (PEP 508).
        registry: The name of the registry that it is from; empty of a file of this machine.
        signer: The fingerprint of the key that signed that registry's index; empty if none did.
        plugins: The plugins that it carries; none of a library.
        editable: The project directory of an editable one, absolute; empty otherwise.
    """

    name: str
    version: str
    wheel: Optional[WheelRef] = None
    wheels: Tuple[WheelRef, ...] = ()
    requires: Tuple[str, ...] = ()
    registry: str = ""
    signer: str = ""
    plugins: Tuple[PluginMetadata, ...] = ()
    editable: str = ""


@dataclass(frozen=True)
class Solution:
    """Everything that a generation will hold, and the plan of plugins that it makes possible.

    Attributes:
        roots: What was asked for.
        chosen: What goes into the generation, sorted by name; what the host's environment has
            already is not among it.
        plan: The plan of all plugins: those of ``chosen`` and those that were there.
        rounds: How many times the installer was asked.
        notes: Remarks for the user, such as a pre-release that was taken because there is no
            other.
    """

    roots: Tuple[Root, ...]
    chosen: Tuple[Chosen, ...]
    plan: Plan = field(default_factory=Plan)
    rounds: int = 1
    notes: Tuple[str, ...] = ()

    def named(self, name: str) -> Optional[Chosen]:
        """The distribution of that canonical name, or None."""
        return next((each for each in self.chosen if each.name == name), None)
