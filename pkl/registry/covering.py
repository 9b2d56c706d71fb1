"""All that the index of a registry covers: each file with the digest that it must have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Protocol, Tuple

from ..errors import RegistryAbsent, RegistryError, RegistryGarbage
from .layout import (
    MAX_PAGE,
    MAX_REVOKED,
    MAX_SIMPLE,
    REVOKED,
    SIMPLE,
    SIMPLE_ROOT,
    file_path,
    page_path,
)
from .model import Index
from .schema import parse_page, parse_revoked
from .simple import HTML_NAME, JSON_NAME, project_html, root_html
from .simple_schema import parse_project, parse_root
from .trust import Known, check_content

__all__ = ["Covered", "Source", "read_covered"]

_DOES_NOT_HOLD = (RegistryGarbage, RegistryAbsent)
"""Faults of single files; of any other, such as a line that is cut, nothing can be concluded."""


class Source(Protocol):
    """Where the files of a registry are read from."""

    def read(self, name: str, limit: int) -> Optional[bytes]:
        """The content of a file; None if there is none.

        Args:
            name: The file, relative to the root of the registry.
            limit: The most bytes it may have.

        Raises:
            RegistryGarbage: It is larger.
        """

    def measure(self, name: str, limit: int) -> Optional[Tuple[str, int]]:
        """The SHA-256 of a file, in hex, and its size; None if there is none.

        Args:
            name: The file, relative to the root of the registry.
            limit: How many bytes it is to have.

        Raises:
            RegistryGarbage: It is larger, which some sources find out only in measuring it.
        """


@dataclass
class Covered:
    """What a registry holds, as far as it holds what it states.

    Attributes:
        texts: The files that were read and are what is stated, by name.
        pages: The pages of the package index for people and installers, by name: what they
            have to be.
        wheels: The digest and size of each wheel, by name.
        metadata: The digest of the METADATA beside each wheel, by name.
        problems: What is not as it is stated: the file, and what is wrong.
    """

    texts: Dict[str, bytes] = field(default_factory=dict)
    pages: Dict[str, bytes] = field(default_factory=dict)
    wheels: Dict[str, Tuple[str, int]] = field(default_factory=dict)
    metadata: Dict[str, str] = field(default_factory=dict)
    problems: List[Tuple[str, str]] = field(default_factory=list)


def read_covered(source: Source, index: Index, known: Known) -> Covered:
    """Reads all that an index covers but the wheels and what lies beside them.

    Args:
        source: The files.
        index: The index.
        known: The registry, for errors.

    Raises:
        RegistryError: A file cannot be had, so that nothing can be said of it.
    """
    reading = _Reading(source, known)
    reading.revoked(index.revoked)
    for entry in index.plugins.values():
        reading.page(entry.name, entry.sha256)
    if index.simple:
        reading.package_index(index.simple)
    return reading.found


class _Reading:
    """Reads one registry, and gathers what is wrong with it."""

    def __init__(self, source: Source, known: Known) -> None:
        self._source = source
        self._known = known
        self.found = Covered()

    def revoked(self, sha256: str) -> None:
        """The list of revoked versions."""
        try:
            parse_revoked(self._take(REVOKED, MAX_REVOKED, sha256))
        except _DOES_NOT_HOLD as e:
            self._note(REVOKED, e)

    def page(self, plugin: str, sha256: str) -> None:
        """The page of a plugin."""
        name = page_path(plugin)
        try:
            data = self._take(name, MAX_PAGE, sha256)
            page = parse_page(data, plugin, url=self._url(name))
        except _DOES_NOT_HOLD as e:
            self._note(name, e)
            return
        for release in page.releases:
            for wheel in release.files:
                self._wheel(name, wheel.file, wheel.sha256, wheel.size)

    def package_index(self, sha256: str) -> None:
        """The package index of all distributions."""
        try:
            data = self._take(SIMPLE_ROOT, MAX_SIMPLE, sha256)
            digests = parse_root(data, url=self._url(SIMPLE_ROOT))
        except _DOES_NOT_HOLD as e:
            self._note(SIMPLE_ROOT, e)
            return
        self.found.pages[f"{SIMPLE}/{HTML_NAME}"] = root_html(digests)
        for project, digest in digests.items():
            self._project(project, digest)

    def _project(self, project: str, sha256: str) -> None:
        name = f"{SIMPLE}/{project}/{JSON_NAME}"
        try:
            data = self._take(name, MAX_SIMPLE, sha256)
            files = parse_project(data, project, url=self._url(name))
        except _DOES_NOT_HOLD as e:
            self._note(name, e)
            return
        self.found.pages[f"{SIMPLE}/{project}/{HTML_NAME}"] = project_html(project, files)
        for each in files:
            self._wheel(name, each.file, each.sha256, each.size)
            self.found.metadata[f"{file_path(each.file)}.metadata"] = each.metadata_sha256

    def _take(self, name: str, limit: int, sha256: str) -> bytes:
        """A file that is what is stated of it.

        Raises:
            RegistryAbsent: It is not there.
            RegistryError: It is another, or cannot be had.
        """
        data = self._source.read(name, limit)
        if data is None:
            raise RegistryAbsent(f"{name} is not there", url=self._url(name))
        check_content(data, sha256, name, self._known, url=self._url(name))
        self.found.texts[name] = data
        return data

    def _wheel(self, name: str, file: str, sha256: str, size: int) -> None:
        stated = self.found.wheels.setdefault(file_path(file), (sha256, size))
        if stated != (sha256, size):
            self.found.problems.append((name, f"it states of {file} what another page denies"))

    def _note(self, name: str, error: RegistryError) -> None:
        self.found.problems.append((name, error.message))

    def _url(self, name: str) -> str:
        return f"{self._known.url}/{name}"
