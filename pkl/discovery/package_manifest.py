"""The manifest beside a package, held against the entry point and distribution that offer it."""

from __future__ import annotations

import os
from typing import List, Mapping, NamedTuple, Optional, Tuple

from ..errors import Fault, ManifestError
from ..model.manifest import MANIFEST_FILES, PluginMetadata
from ..model.requirement import is_version, version_key
from ..model.state import Reason
from ..names import canonical, is_valid
from .distribution import Distribution
from .entry_points import EntryPoint
from .locate import Located
from .manifests import ManifestText, NeedsExtra, one_line, parse_manifest, refuse_two

__all__ = ["NO_MANIFEST", "PackageManifest", "read_package_manifest"]


class PackageManifest(NamedTuple):
    """What was found beside the package of an entry point.

    Attributes:
        file: The manifest, or the directory where there are several; None if there is none.
        metadata: What it says; None if there is none or it is faulty.
        fault: What is wrong with it.
        notes: Remarks.
        lasting: Whether this holds as long as no file changes.
        critical: Whether one that is faulty says at least that the host is not to start without it.
    """

    file: Optional[str] = None
    metadata: Optional[PluginMetadata] = None
    fault: Optional[Reason] = None
    notes: Tuple[str, ...] = ()
    lasting: bool = True
    critical: bool = False


NO_MANIFEST = PackageManifest()
_MARKS = frozenset((*MANIFEST_FILES, "plugin.py"))


def read_package_manifest(
    distribution: Distribution, name: str, point: EntryPoint, where: Located
) -> PackageManifest:
    """The manifest in the package that an entry point names; never raises.

    Args:
        distribution: What offers the entry point.
        name: The canonical name of the plugin.
        point: The entry point.
        where: Where its module lies.
    """
    tree = where.tree
    if tree is None:
        return NO_MANIFEST
    if not where.package:
        return PackageManifest(notes=_not_read(where))
    file = tree.path(where.name)
    try:
        names = _MARKS.intersection(tree.names(where.name))
        manifests = [each for each in MANIFEST_FILES if each in names]
        if not manifests:
            return PackageManifest(notes=_not_there(file)) if names else NO_MANIFEST
        if len(manifests) > 1:
            refuse_two(file, manifests)
        file = tree.path(f"{where.name}/{manifests[0]}")
        text = ManifestText(file, tree.read(f"{where.name}/{manifests[0]}") or b"")
        metadata = _checked(distribution, name, point, text)
    except ManifestError as e:
        fault = _manifest_fault(name, distribution, file, e.message)
        lasting = not isinstance(e, NeedsExtra)
        return PackageManifest(file, fault=fault, lasting=lasting, critical=e.critical)
    except OSError as e:
        message = f"{file} cannot be read ({e.strerror or e})"
        return PackageManifest(file, fault=_manifest_fault(name, distribution, file, message))
    return PackageManifest(file, metadata, notes=_changed(distribution, where, text))


def _manifest_fault(name: str, distribution: Distribution, file: str, message: str) -> Reason:
    headers = distribution.headers
    return Reason(
        "manifest",
        f"plugin {name!r} of {headers.name} {headers.version}: {message}",
        one_line(message),
        f"correct the manifest, then run: pkl check {file}",
    )


def _checked(
    distribution: Distribution, name: str, point: EntryPoint, text: ManifestText
) -> PluginMetadata:
    """The manifest as metadata.

    Raises:
        ManifestError: With every fault, also where it disagrees with the entry point or the
            distribution.
    """
    headers = distribution.headers
    data = parse_manifest(text)
    faults: List[Fault] = []
    metadata: Optional[PluginMetadata] = None
    try:
        metadata = PluginMetadata(
            data,
            file=text.file,
            distribution=headers.name,
            default_name=point.name,
            default_version=headers.version,
            default_summary=headers.summary,
        )
    except ManifestError as e:
        faults += e.faults
    faults += _disagreements(distribution, name, point, data)
    if metadata is None or faults:
        raise ManifestError(
            faults,
            plugin=name,
            version=headers.version,
            distribution=headers.name,
            file=text.file,
            critical=data.get("critical") is True,
        )
    return metadata


def _disagreements(
    distribution: Distribution, name: str, point: EntryPoint, data: Mapping[str, object]
) -> List[Fault]:
    """Where a manifest says another name or version than what carries it."""
    faults: List[Fault] = []
    headers = distribution.headers
    stated, version = data.get("name"), data.get("version")
    if isinstance(stated, str) and is_valid(stated) and canonical(stated) != name:
        where = distribution.tree.path(f"{distribution.info}/entry_points.txt")
        rule = f"must be {point.name!r}, the name of the entry point ({where}:{point.line})"
        faults.append(Fault("name", stated, rule))
    if not isinstance(version, str) or not is_version(version) or not is_version(headers.version):
        return faults
    if version_key(version) != version_key(headers.version):
        rule = (
            f"must be {headers.version!r}, the version of the distribution {headers.name};"
            " or leave the key out"
        )
        faults.append(Fault("version", version, rule))
    return faults


def _not_there(directory: str) -> Tuple[str, ...]:
    """A remark for a package that looks as if its manifest was lost on the way."""
    return (
        f"{directory} has a plugin.py but no manifest, so the package itself is the entry-point"
        " module; if plugin.toml is missing from the wheel, add it to"
        " [tool.setuptools.package-data]",
    )


def _not_read(where: Located) -> Tuple[str, ...]:
    """A remark for an entry point that names a module beside a manifest, not its package."""
    tree = where.tree
    assert tree is not None
    directory, _, module = where.name.rpartition("/")
    if directory:
        for each in MANIFEST_FILES:
            if tree.is_file(f"{directory}/{each}"):
                package = directory.replace("/", ".")
                return (
                    f"{tree.path(f'{directory}/{each}')} is not read: the entry point names the"
                    f" module {module} and not the package {package}",
                )
    return ()


def _changed(distribution: Distribution, where: Located, found: ManifestText) -> Tuple[str, ...]:
    """A remark if an installed manifest is not the one that was installed (RECORD)."""
    if where.tree is not distribution.tree or not distribution.wheel:
        return ()
    record = distribution.text("RECORD")
    name = f"{where.name}/{os.path.basename(found.file)}"
    start = record.find(f"{name},sha256=")
    if start < 0 or (start and record[start - 1] not in "\n\r"):
        return ()
    import base64
    import hashlib

    wanted = record[start + len(name) + 8 :].partition(",")[0].strip()
    digest = base64.urlsafe_b64encode(hashlib.sha256(found.data).digest()).rstrip(b"=").decode()
    if digest == wanted:
        return ()
    headers = distribution.headers
    return (
        f"{found.file} was changed after {headers.name} {headers.version} was"
        " installed: its content is not what RECORD says",
    )
