"""The values of a registry to JSON: the same value gives the same bytes."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from ..model.manifest import PluginMetadata
from .model import Index, IndexEntry, Page, Revocations, WheelFile
from .moments import moment_text
from .schema import INDEX_SCHEMA, PAGE_SCHEMA, REVOKED_SCHEMA

__all__ = ["dump_index", "dump_page", "dump_revoked", "manifest_facts"]


def dump_index(index: Index) -> bytes:
    """The content of ``index.json``; ``index.sha256`` has no part in it."""
    whole: Dict[str, Any] = {
        "schema": INDEX_SCHEMA,
        "serial": index.serial,
        "expires": None if index.expires is None else moment_text(index.expires),
        "revoked": index.revoked,
        "plugins": {name: _entry(each) for name, each in index.plugins.items()},
    }
    if index.simple:
        whole["simple"] = index.simple
    if index.rotations:
        whole["rotations"] = [
            {"old": str(each.old), "new": str(each.new), "signature": each.signature}
            for each in index.rotations
        ]
    return _dump(whole)


def _entry(each: IndexEntry) -> Dict[str, Any]:
    row: Dict[str, Any] = {
        "summary": each.summary,
        "latest": each.latest,
        "sha256": each.sha256,
    }
    if each.provides:
        row["provides"] = list(each.provides)
    if each.distribution:
        row["distribution"] = each.distribution
    return row


def dump_page(page: Page) -> bytes:
    """The content of the page of a plugin."""
    versions = {}
    for release in page.releases:
        row = manifest_facts(release.metadata)
        row.update(_wheel(release.files[0]))
        if len(release.files) > 1:
            row["also"] = [_wheel(each) for each in release.files[1:]]
        row["yanked"] = False if release.yanked is None else release.yanked or True
        versions[release.version] = row
    return _dump(
        {
            "schema": PAGE_SCHEMA,
            "name": page.name,
            "distribution": page.distribution,
            "versions": versions,
        }
    )


def manifest_facts(said: PluginMetadata) -> Dict[str, Any]:
    """What a page has of a manifest."""
    facts: Dict[str, Any] = {
        "requires": _texts(said.requires),
        "conflicts": _texts(said.conflicts),
        "provides": _texts(said.provides),
        "requires-host": said.requires_host,
        "requires-python": said.requires_python,
        "permissions": dict(said.permissions),
    }
    if said.wants:
        facts["wants"] = _texts(said.wants)
    return facts


def dump_revoked(revocations: Revocations) -> bytes:
    """The content of ``revoked.json``."""
    return _dump(
        {
            "schema": REVOKED_SCHEMA,
            "revoked": {
                name: {
                    version: {
                        "distribution": each.distribution,
                        "reason": each.reason,
                        "since": moment_text(each.since),
                    }
                    for version, each in versions.items()
                }
                for name, versions in revocations.entries.items()
            },
        }
    )


def _wheel(each: WheelFile) -> Dict[str, Any]:
    return {
        "file": each.file,
        "sha256": each.sha256,
        "size": each.size,
        "uploaded": moment_text(each.uploaded),
    }


def _texts(values: Any) -> List[str]:
    return [str(each) for each in values]


def _dump(whole: Dict[str, Any]) -> bytes:
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode("ascii")
