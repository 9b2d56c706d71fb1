"""The files of a registry at an address, one by one."""

from __future__ import annotations

import hashlib
from typing import Optional, Tuple

from ..errors import RegistryAbsent
from .address import join
from .transport import Transport

__all__ = ["RemoteRegistry"]


class RemoteRegistry:
    """The files of a registry at an address; each is fetched when it is asked for.

    Args:
        url: The address, one that ``registry_url`` lets pass.
        registry: The name under which the registry is known, for errors.
        transport: What fetches.
    """

    def __init__(
        self, url: str, registry: Optional[str] = None, transport: Optional[Transport] = None
    ) -> None:
        self.url = url
        self._registry = registry
        self._transport = transport or Transport()

    def read(self, name: str, limit: int) -> Optional[bytes]:
        """The content of a file; None if there is none.

        Raises:
            RegistryError: Of the kind that fits.
        """
        try:
            fetched = self._transport.get(
                join(self.url, name), limit=limit, registry=self._registry
            )
        except RegistryAbsent:
            return None
        return fetched.data

    def measure(self, name: str, limit: int) -> Optional[Tuple[str, int]]:
        """The SHA-256 of a file, in hex, and its size; None if there is none.

        Raises:
            RegistryError: Of the kind that fits.
        """
        data = self.read(name, limit)
        return None if data is None else (hashlib.sha256(data).hexdigest(), len(data))
