"""What can be wrong with a registry: each kind is a class of its own, and each names the URL."""

from __future__ import annotations

from typing import Any, ClassVar, Optional, Sequence, Tuple

from .base import Fault, PklError, shown

__all__ = [
    "RegistryAbsent",
    "RegistryDenied",
    "RegistryError",
    "RegistryExpired",
    "RegistryGarbage",
    "RegistryRolledBack",
    "RegistryUnreachable",
    "SignatureRefused",
]


class RegistryError(PklError, RuntimeError):
    """Something is wrong with a registry; the base of the kinds that follow.

    Attributes:
        url: The URL that was asked, or None where it is about no single one.
        registry: The name under which the user knows the registry, or None.
    """

    code: ClassVar[str] = "E_REGISTRY"
    exit_status: ClassVar[int] = 6

    def __init__(
        self,
        message: str,
        *,
        url: Optional[str] = None,
        registry: Optional[str] = None,
        **fields: Any,
    ) -> None:
        super().__init__(message, url=url, registry=registry, **fields)
        self.url = url
        self.registry = registry


class RegistryUnreachable(RegistryError, ConnectionError):
    """No answer: the network, the server, or its certificate is in the way."""

    code = "E_REGISTRY_UNREACHABLE"


class RegistryDenied(RegistryError, PermissionError):
    """The registry does not let us read it (401, 403, or the rights of a file)."""

    code = "E_REGISTRY_DENIED"


class RegistryGarbage(RegistryError, ValueError):
    """What came is not what a registry holds: no JSON, a wrong hash, size, name, or page.

    Attributes:
        faults: Every fault of the text, where it could be read as one.
    """

    code = "E_REGISTRY_GARBAGE"

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), **fields: Any) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        listed = [{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults]
        super().__init__(message, faults=listed, **fields)


class RegistryExpired(RegistryError):
    """The index is older than it says of itself that it may become."""

    code = "E_REGISTRY_EXPIRED"


class RegistryRolledBack(RegistryError):
    """The index is older than one that was seen before."""

    code = "E_REGISTRY_ROLLED_BACK"


class RegistryAbsent(RegistryError, LookupError):
    """There is no such registry, or it does not hold what it should."""

    code = "E_REGISTRY_ABSENT"


class SignatureRefused(RegistryError, PermissionError):
    """The index is not signed by a pinned key, or nobody here can tell."""

    code = "E_SIGNATURE"
    exit_status = 8
