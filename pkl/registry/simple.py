"""The package index that pip and uv read (PEP 503, 691, 658, 700), as text."""

from __future__ import annotations

import html
import json
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote

from .moments import moment_text

__all__ = [
    "DIGEST_KEY",
    "HTML_NAME",
    "JSON_NAME",
    "JSON_TYPE",
    "SimpleFile",
    "project_html",
    "project_json",
    "root_html",
    "root_json",
]

HTML_NAME = "index.html"
JSON_NAME = "index.v1.json"
DIGEST_KEY = "_sha256"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"


class SimpleFile(NamedTuple):
    """One wheel, as a package index lists it.

    Attributes:
        file: Its name in ``files/``.
        version: The version of the distribution.
        sha256: Its digest, in hex.
        size: How many bytes it has.
        uploaded: When it came into the registry, in seconds since 1970.
        requires_python: Which Pythons it is for; empty for any.
        metadata_sha256: The digest of its METADATA, which lies beside it.
        yanked: Why nobody should choose it any more (PEP 592), or None.
    """

    file: str
    version: str
    sha256: str
    size: int
    uploaded: int
    requires_python: str
    metadata_sha256: str
    yanked: Optional[str]


def root_html(names: Iterable[str]) -> bytes:
    """The list of all distributions."""
    return _page("Simple index", [f'<a href="{name}/">{name}</a>' for name in sorted(names)])


def root_json(digests: Mapping[str, str]) -> bytes:
    """The list of all distributions.

    Args:
        digests: The digest of what ``project_json`` gives for each, under a key of our own that
            installers pass over (PEP 691).
    """
    rows = [{"name": name, DIGEST_KEY: digests[name]} for name in sorted(digests)]
    return _json({"projects": rows})


def project_html(name: str, files: Sequence[SimpleFile]) -> bytes:
    """The wheels of a distribution."""
    return _page(f"Links for {name}", [_link(each) for each in files])


def project_json(name: str, files: Sequence[SimpleFile]) -> bytes:
    """The wheels of a distribution."""
    versions = list(dict.fromkeys(each.version for each in files))
    rows: List[Dict[str, Any]] = []
    for each in files:
        row: Dict[str, Any] = {
            "filename": each.file,
            "url": _url(each),
            "hashes": {"sha256": each.sha256},
            "size": each.size,
            "upload-time": moment_text(each.uploaded),
            # Not under its old name as well: pip 22.3 to 23.1 fails over that in JSON (PEP 714).
            "core-metadata": {"sha256": each.metadata_sha256},
            "yanked": False if each.yanked is None else each.yanked or True,
        }
        if each.requires_python:
            row["requires-python"] = each.requires_python
        rows.append(row)
    return _json({"name": name, "versions": versions, "files": rows})


def _url(each: SimpleFile) -> str:
    return f"../../files/{quote(each.file)}"


def _link(each: SimpleFile) -> str:
    attributes = {"href": f"{_url(each)}#sha256={each.sha256}"}
    if each.requires_python:
        attributes["data-requires-python"] = each.requires_python
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        attributes[key] = f"sha256={each.metadata_sha256}"
    if each.yanked is not None:
        attributes["data-yanked"] = each.yanked
    words = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a {words}>{html.escape(each.file)}</a>"


def _page(title: str, lines: Sequence[str]) -> bytes:
    head = [
        "<!DOCTYPE html>",
        '<html><head><meta charset="utf-8">',
        '<meta name="pypi:repository-version" content="1.1">',
        f"<title>{title}</title></head><body>",
    ]
    body = [f"{line}<br>" for line in lines]
    return "\n".join([*head, *body, "</body></html>", ""]).encode("utf-8")


def _json(fields: Dict[str, Any]) -> bytes:
    whole = {"meta": {"api-version": "1.1"}, **fields}
    return (json.dumps(whole, sort_keys=True, separators=(",", ":")) + "\n").encode("ascii")
