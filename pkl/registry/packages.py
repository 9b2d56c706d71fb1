"""The package index of a registry as it covers it: which wheels of a distribution it has."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from ..errors import RegistryGarbage
from ..names import canonical
from .address import join
from .client import RegistryClient
from .layout import MAX_METADATA, MAX_SIMPLE, SIMPLE, SIMPLE_ROOT, file_path
from .simple import JSON_NAME, SimpleFile
from .simple_schema import parse_project, parse_root

__all__ = ["PackageIndex"]


class PackageIndex:
    """What a registry lists of every distribution, libraries included.

    Each answer follows from the index by a chain of digests, and so from its signature. What was
    fetched once is kept by the object. Not for use from several threads at once.

    Args:
        client: The registry.
    """

    def __init__(self, client: RegistryClient) -> None:
        self.client = client
        self._root: Optional[Dict[str, str]] = None
        self._projects: Dict[str, Tuple[SimpleFile, ...]] = {}

    @property
    def url(self) -> str:
        """Where installers find it (PEP 503)."""
        return join(self.client.known.url, SIMPLE)

    def wheel_url(self, file: str) -> str:
        """Where a wheel is.

        Args:
            file: Its name.
        """
        return join(self.client.known.url, file_path(file))

    def files(self, distribution: str) -> Tuple[SimpleFile, ...]:
        """The wheels of a distribution; none if the registry does not have it.

        Args:
            distribution: The distribution, in any spelling.

        Raises:
            RegistryError: It cannot be had, or is not what the index states.
        """
        name = canonical(distribution)
        digest = self._digests().get(name)
        if digest is None:
            return ()
        if name not in self._projects:
            path = f"{SIMPLE}/{name}/{JSON_NAME}"
            data = self.client.covered(path, MAX_SIMPLE, f"the wheels of {name!r}", digest)
            url = join(self.client.known.url, path)
            found = parse_project(data, name, url=url, registry=self.client.name)
            self._projects[name] = found
        return self._projects[name]

    def metadata(self, file: SimpleFile) -> bytes:
        """The METADATA of a wheel, read without fetching the wheel (PEP 658).

        Args:
            file: The wheel.

        Raises:
            RegistryError: It cannot be had, or is not what the index states.
        """
        path = f"{file_path(file.file)}.metadata"
        what = f"the METADATA of {file.file}"
        return self.client.covered(path, MAX_METADATA, what, file.metadata_sha256)

    def _digests(self) -> Dict[str, str]:
        if self._root is None:
            client = self.client
            digest = client.index().simple
            url = join(client.known.url, SIMPLE_ROOT)
            if not digest:
                raise RegistryGarbage(
                    f"the registry {client.name} ({client.known.url}) does not say which wheels it "
                    "has: its index does not cover its package index",
                    url=url,
                    registry=client.name,
                    hint="whoever runs the registry builds it anew with: pkl registry build",
                )
            data = client.covered(SIMPLE_ROOT, MAX_SIMPLE, "the package index", digest)
            self._root = parse_root(data, url=url, registry=client.name)
        return self._root
