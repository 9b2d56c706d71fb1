"""One page of a package index: which files there are of a distribution (PEP 503, 691, 658, 700)."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union
from urllib.parse import unquote, urldefrag, urljoin

from ...model.requirement import is_version
from ...names import canonical
from ...registry.address import is_local, objection_to
from ...registry.moments import parse_moment
from ...registry.wheel_name import parse_wheel_name

__all__ = ["ACCEPT", "IndexPage", "Listed", "parse_index_page"]

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
"""What an index is asked for: JSON, which says when a file came, or else HTML."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRACTION = re.compile(r"\.\d+Z")
_SOURCE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)(?:\.tar\.gz|\.zip)", re.IGNORECASE)


class Listed(NamedTuple):
    """A file that an index lists.

    Attributes:
        file: Its name.
        version: The version that it is of.
        wheel: Whether it is a wheel; else it is a source archive.
        url: Where it is.
        sha256: Its digest, in hex; empty where the index states none.
        size: How many bytes it has, or None.
        uploaded: When it came, in seconds since 1970, or None.
        requires_python: Which Pythons it is for; empty for any.
        yanked: Whether it was withdrawn, and perhaps why (PEP 592).
        metadata: Whether its METADATA lies beside it, and perhaps with which SHA-256.
    """

    file: str
    version: str
    wheel: bool
    url: str
    sha256: str = ""
    size: Optional[int] = None
    uploaded: Optional[int] = None
    requires_python: str = ""
    yanked: Union[bool, str] = False
    metadata: Union[bool, str] = False


class IndexPage(NamedTuple):
    """What an index has of a distribution.

    Attributes:
        files: The wheels and source archives that can be fetched, in its order.
        unfetchable: The names of those that cannot, because of where they are.
    """

    files: Tuple[Listed, ...]
    unfetchable: Tuple[str, ...]


def parse_index_page(data: bytes, name: str, url: str) -> IndexPage:
    """What a page says; files that are neither wheels nor source archives are passed over.

    Args:
        data: The page, JSON or HTML.
        name: The canonical name of the distribution.
        url: Where the page is from.

    Raises:
        ValueError: It is no page of a package index; the text says why.
    """
    rows = _of_json(data, name) if data.lstrip()[:1] == b"{" else _of_html(data)
    files: List[Listed] = []
    unfetchable: List[str] = []
    for row in rows:
        listed = _listed(row, name, url)
        if listed is None:
            continue
        if objection_to(listed.url) or (is_local(listed.url) and not is_local(url)):
            unfetchable.append(listed.file)
        else:
            files.append(listed)
    return IndexPage(tuple(files), tuple(unfetchable))


def _of_json(data: bytes, name: str) -> List[Mapping[str, Any]]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"it is no JSON ({e})") from None
    meta = whole.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if not isinstance(version, str) or not version.startswith("1."):
        raise ValueError(f"it is no package index of version 1 (api-version {version!r})")
    if not isinstance(whole.get("name"), str) or canonical(whole["name"]) != name:
        raise ValueError(f"it is of {whole.get('name')!r}, and {name} was asked for")
    files = whole.get("files")
    if not isinstance(files, list):
        raise ValueError("it lists no files")
    return [row for row in files if isinstance(row, dict)]


class _Links(HTMLParser):
    """The links of a page, as the rows of its JSON form."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: List[Dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        """A link is a file."""
        said = {key: value or "" for key, value in attrs}
        if tag != "a" or "href" not in said:
            return
        plain, fragment = urldefrag(said["href"])
        row: Dict[str, Any] = {"filename": unquote(plain.rpartition("/")[2]), "url": plain}
        kind, _, digest = fragment.partition("=")
        row["hashes"] = {kind: digest} if digest else {}
        if "data-requires-python" in said:
            row["requires-python"] = said["data-requires-python"]
        if "data-yanked" in said:
            row["yanked"] = said["data-yanked"] or True
        metadata = said.get("data-core-metadata", said.get("data-dist-info-metadata"))
        if metadata is not None:
            kind, _, digest = metadata.partition("=")
            row["core-metadata"] = {kind: digest} if digest else True
        self.rows.append(row)


def _of_html(data: bytes) -> List[Mapping[str, Any]]:
    """The links of a page; one without any is taken for a page of something else.

    A network that wants you to sign in answers everything with a page of its own.
    """
    links = _Links()
    links.feed(data.decode("utf-8", "replace"))
    links.close()
    rows: List[Mapping[str, Any]] = list(links.rows)
    if not any(str(row["filename"]).endswith((".whl", ".tar.gz", ".zip")) for row in rows):
        raise ValueError("it lists no files")
    return rows


def _listed(row: Mapping[str, Any], name: str, base: str) -> Optional[Listed]:
    """The file of a row; None if the row makes no sense, or is of nothing that can be installed."""
    file, url = row.get("filename"), row.get("url")
    if not isinstance(file, str) or not isinstance(url, str):
        return None
    version = _version_of(file, name)
    if version is None:
        return None
    try:
        where = urldefrag(urljoin(base, url)).url
    except ValueError:
        return None
    size, python = row.get("size"), row.get("requires-python")
    yanked = row.get("yanked", False)
    metadata = row.get("core-metadata", row.get("dist-info-metadata", False))
    return Listed(
        file,
        version,
        file.endswith(".whl"),
        where,
        _sha256(row.get("hashes")),
        size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        _moment(row.get("upload-time")),
        python if isinstance(python, str) else "",
        yanked if isinstance(yanked, (bool, str)) else True,
        (_sha256(metadata) or True) if isinstance(metadata, dict) else metadata is True,
    )


def _version_of(file: str, name: str) -> Optional[str]:
    wheel = parse_wheel_name(file)
    if wheel is not None:
        return wheel.version if wheel.distribution == name else None
    match = _SOURCE.fullmatch(file)
    if match is None or canonical(match["name"]) != name or not is_version(match["version"]):
        return None
    return match["version"]


def _sha256(hashes: Any) -> str:
    found = hashes.get("sha256") if isinstance(hashes, dict) else None
    return found if isinstance(found, str) and _SHA256.fullmatch(found) else ""


def _moment(text: Any) -> Optional[int]:
    return parse_moment(_FRACTION.sub("Z", text)) if isinstance(text, str) else None
