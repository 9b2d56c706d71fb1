"""A manifest held to the rules, and to the distribution and entry point that carry it."""

from __future__ import annotations

from typing import Iterator, List, Mapping, Optional, Tuple

from ...discovery.lines import line_of_key
from ...discovery.manifests import ManifestText, parse_manifest
from ...errors import Fault, ManifestError
from ...model.manifest import PluginMetadata
from ...model.requirement import is_version, version_key
from ...names import canonical, is_valid
from .finding import ERROR, Finding
from .subject import Point, Subject

__all__ = ["check_manifest"]


def check_manifest(
    file: str, data: bytes, subject: Subject, point: Optional[Point]
) -> Tuple[Optional[PluginMetadata], List[Finding]]:
    """The metadata, or None if it is faulty; and a finding for each fault.

    Args:
        file: Its path, for findings.
        data: Its content.
        subject: What it is part of.
        point: The entry point that names its package, or None for a plugin directory.
    """
    text = data.decode("utf-8", "replace")
    metadata: Optional[PluginMetadata] = None
    faults: List[Fault] = []
    stated: Mapping[str, object] = {}
    try:
        stated = parse_manifest(ManifestText(file, data))
        metadata = PluginMetadata(
            stated,
            file=file,
            default_name=point.name if point is not None else None,
            default_version=subject.version,
        )
    except ManifestError as e:
        faults = list(e.faults)
    findings = [
        Finding(
            ERROR,
            "manifest",
            str(fault),
            file,
            line_of_key(text, fault.path, fault.value if fault.path else fault.rule),
            fault.path,
        )
        for fault in faults
    ]
    if point is not None:
        for path, message in _disagreements(stated, subject, point):
            line = line_of_key(text, path)
            hint = f"correct it, or leave {path} out of the manifest"
            findings.append(Finding(ERROR, "disagreement", message, file, line, path, hint))
    return metadata, findings


def _disagreements(
    stated: Mapping[str, object], subject: Subject, point: Point
) -> Iterator[Tuple[str, str]]:
    name, version = stated.get("name"), stated.get("version")
    if isinstance(name, str) and is_valid(name) and canonical(name) != canonical(point.name):
        yield "name", f"the manifest says name {name!r}, the entry point {point.name!r}"
    known = subject.version
    if not isinstance(version, str) or not is_version(version) or not known:
        return
    if is_version(known) and version_key(version) != version_key(known):
        whose = f"the distribution {subject.name}" if subject.name else "the distribution"
        yield "version", f"the manifest says version {version}, {whose} {known}"
