"""From an entry point of a distribution to a candidate, or to the failure that says why not."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..errors import Fault, ManifestError, RequirementError
from ..model.candidate import Candidate, Failure, Origin
from ..model.manifest import MANIFEST_FILES, PluginMetadata
from ..model.requirement import check_specifier, is_version, version_key
from ..model.state import Reason
from ..names import canonical, is_valid
from .disk import Stamp
from .distribution import Distribution
from .entry_points import EntryPoint, Target, check_value
from .locate import Located, locate
from .manifests import ManifestText, parse_manifest, refuse_two
from .scan import Offer

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """A candidate or a failure, and what it was made from.

    Attributes:
        key: Canonical name of the distribution.
        result: What was found.
        watched: Files and directories whose stamps must not change for it to stay true.
    """

    key: str
    result: Union[Candidate, Failure]
    watched: Tuple[Tuple[str, Stamp], ...] = ()


class _Manifest(NamedTuple):
    """What was found beside the package of an entry point."""

    file: Optional[str] = None
    metadata: Optional[PluginMetadata] = None
    fault: Optional[Reason] = None
    notes: Tuple[str, ...] = ()


def rows_of(
    offer: Offer, group: str, *, foreign: bool, search: Optional[Sequence[str]] = None
) -> List[Row]:
    """One row for each entry point that a distribution offers in the group.

    Args:
        offer: The distribution and its entry points.
        group: The wanted group.
        foreign: Whether the group is another ecosystem's: names are kept as they are, and a
            manifest means nothing.
        search: The ``sys.path`` that discovery looks at; None for the interpreter's own.
    """
    distribution = offer.distribution
    watched = tuple(
        distribution.tree.stamps(
            distribution.info, f"{distribution.info}/entry_points.txt", distribution.metadata_name
        )
    )
    rows: List[Row] = []
    seen: Dict[str, EntryPoint] = {}
    for point in offer.groups.get(group, ()):
        failure = _refused(distribution, point, group, foreign, seen)
        if failure is not None:
            rows.append(Row(distribution.key, failure, watched))
            continue
        candidate, more = _candidate(offer, point, group, foreign, search)
        rows.append(Row(distribution.key, candidate, watched + more))
    return rows


def _refused(
    distribution: Distribution,
    point: EntryPoint,
    group: str,
    foreign: bool,
    seen: Dict[str, EntryPoint],
) -> Optional[Failure]:
    """Why no plugin can be made of the entry point, or None; the others of its file stand."""
    file = f"{distribution.tree.path(f'{distribution.info}/entry_points.txt')}:{point.line}"
    whose = f"{distribution.name} {distribution.version}: {point.name!a} in [{group}]"

    def failure(code: str, message: str) -> Failure:
        return Failure(code, message, distribution.name, file, point.name or None)

    if not point.name:
        return failure("entry-point-name", f"{whose} has no name before the =")
    if not foreign and not is_valid(point.name):
        return failure(
            "entry-point-name",
            f"{whose} is not a plugin name: ASCII letters and digits, with '.', '_' and '-'"
            " inside (PEP 508)",
        )
    if check_value(point.value) is None:
        return failure(
            "entry-point-value",
            f"{whose} = {point.value!a} names no module: write pkg.mod or pkg.mod:obj",
        )
    name = point.name if foreign else canonical(point.name)
    first = seen.setdefault(name, point)
    if first is not point:
        return failure(
            "entry-point-duplicate",
            f"{whose} is one plugin with {first.name!a} in line {first.line}: names compare"
            " without case and separators",
        )
    return None


def _candidate(
    offer: Offer, point: EntryPoint, group: str, foreign: bool, search: Optional[Sequence[str]]
) -> Tuple[Candidate, Tuple[Tuple[str, Stamp], ...]]:
    distribution = offer.distribution
    target = check_value(point.value) or Target("", "")
    where = locate(distribution, target.module, search)
    watched = list(where.watched)
    name = point.name if foreign else canonical(point.name)
    notes = list(offer.notes)
    manifest = _Manifest()
    if where.tree is not None and not foreign:
        manifest = _manifest(distribution, name, point, where)
        notes += manifest.notes
        if where.package:
            watched += where.tree.stamps(where.name)
        if manifest.file is not None and not where.tree.archive:
            watched += where.tree.stamps(f"{where.name}/{manifest.file.rpartition('/')[2]}")
    fault = _distribution_fault(distribution, name, where) or manifest.fault
    metadata = manifest.metadata
    if metadata is None:
        broken = manifest.fault is not None
        metadata = _stand_in(distribution, name, point, foreign, manifest.file, broken, notes)
    if where.tree is None and not where.stale:
        notes.append(f"the module {target.module} was not found in {distribution.location}")
    headers = distribution.headers
    return (
        Candidate(
            name,
            metadata,
            Origin.ENTRY_POINT,
            location=where.path,
            target=point.value,
            distribution=headers.name,
            distribution_version=headers.version,
            manifest_file=manifest.file,
            group=group,
            requires_dist=headers.requires_dist,
            fault=fault,
            notes=tuple(notes),
        ),
        tuple(watched),
    )


def _distribution_fault(distribution: Distribution, name: str, where: Located) -> Optional[Reason]:
    """Why nothing of this distribution can be started, whatever the manifest says."""
    headers = distribution.headers
    whose = f"plugin {name!r} of {headers.name} {headers.version}"
    reinstall = f"pip install --force-reinstall {headers.name}"
    if distribution.problem:
        return Reason(
            "metadata",
            f"{whose} is not started: {distribution.problem}, so its version and what it"
            " requires are not known",
            distribution.problem,
            reinstall,
        )
    if not is_version(headers.version):
        cause = f"the version {headers.version!r} of {headers.name} is not a version (PEP 440)"
        return Reason(
            "version",
            f"{whose} is not started: {cause}"
            f" ({distribution.tree.path(distribution.metadata_name)})",
            cause,
            f"release {headers.name} under a version such as 1.0, or pip uninstall {headers.name}",
        )
    if where.stale:
        cause = f"{headers.name} is installed in editable mode and {where.stale} is gone"
        return Reason(
            "stale",
            f"{whose} is not started: {cause}, or no longer holds its module",
            cause,
            f"pip install -e the project where it is now, or pip uninstall {headers.name}",
        )
    return None


def _stand_in(
    distribution: Distribution,
    name: str,
    point: EntryPoint,
    foreign: bool,
    manifest_file: Optional[str],
    broken: bool,
    notes: List[str],
) -> PluginMetadata:
    """What stands in for a manifest that is absent, or known to be faulty."""
    headers = distribution.headers
    if broken or not is_version(headers.version):
        return PluginMetadata.bare(
            point.name,
            headers.version,
            summary=headers.summary,
            file=manifest_file,
            distribution=headers.name,
            fold=not foreign,
        )
    data = {"name": point.name, "version": headers.version, "summary": headers.summary}
    if headers.requires_python:
        try:
            check_specifier(headers.requires_python)
        except RequirementError:
            notes.append(f"Requires-Python {headers.requires_python!r} is not valid; ignored")
        else:
            data["requires-python"] = headers.requires_python
    return PluginMetadata(data, distribution=headers.name, fold=not foreign)


def _manifest(
    distribution: Distribution, name: str, point: EntryPoint, where: Located
) -> _Manifest:
    """The manifest beside the package, checked against the entry point and the distribution."""
    tree = where.tree
    assert tree is not None
    headers = distribution.headers
    directory = where.name if where.package else where.name.rpartition("/")[0]
    if not where.package:
        return _Manifest(notes=_not_read(where, directory) if directory else ())
    found: List[ManifestText] = []
    file = tree.path(directory)
    try:
        for each in MANIFEST_FILES:
            file = tree.path(f"{directory}/{each}")
            data = tree.read(f"{directory}/{each}")
            if data is not None:
                found.append(ManifestText(file, data))
        if not found:
            return _Manifest(notes=_not_there(where))
        file = found[0].file
        if len(found) > 1:
            file = tree.path(directory)
            refuse_two(file, [each.file.rpartition("/")[2] for each in found])
        metadata = PluginMetadata(
            parse_manifest(found[0]),
            file=file,
            distribution=headers.name,
            default_name=point.name,
            default_version=headers.version,
            default_summary=headers.summary,
        )
        _compare(metadata, name, point, distribution)
    except ManifestError as e:
        return _Manifest(file, fault=_manifest_fault(name, distribution, file, str(e.message)))
    except OSError as e:
        message = f"{file} cannot be read ({e.strerror or e})"
        return _Manifest(file, fault=_manifest_fault(name, distribution, file, message))
    return _Manifest(file, metadata, notes=_changed(distribution, where, found[0]))


def _manifest_fault(name: str, distribution: Distribution, file: str, message: str) -> Reason:
    headers = distribution.headers
    return Reason(
        "manifest",
        f"plugin {name!r} of {headers.name} {headers.version}: {message}",
        message.replace("\n ", ";").replace("\n", "; "),
        f"correct the manifest, then run: pkl check {file}",
    )


def _compare(
    metadata: PluginMetadata, name: str, point: EntryPoint, distribution: Distribution
) -> None:
    """Refuses a manifest that disagrees with the entry point or the distribution."""
    faults: List[Fault] = []
    headers = distribution.headers
    if metadata.name != name:
        faults.append(
            Fault(
                "name",
                metadata.display_name,
                f"must be {point.name!r}, the name of the entry point in line {point.line} of"
                f" {distribution.tree.path(distribution.info)}/entry_points.txt",
            )
        )
    stated = metadata.data.get("version")
    if stated is not None and is_version(headers.version):
        agree = version_key(metadata.version) == version_key(headers.version)
        if not agree:
            faults.append(
                Fault(
                    "version",
                    stated,
                    f"must be {headers.version!r}, the version of the distribution"
                    f" {headers.name}; or leave the key out",
                )
            )
    if faults:
        raise ManifestError(faults, plugin=name, distribution=headers.name, file=metadata.file)


def _not_there(where: Located) -> Tuple[str, ...]:
    """A remark for a package that looks as if its manifest was lost on the way."""
    tree = where.tree
    assert tree is not None
    if not tree.is_file(f"{where.name}/plugin.py"):
        return ()
    return (
        f"{tree.path(where.name)} has a plugin.py but no manifest, so the package itself is the"
        " entry-point module; if plugin.toml is missing from the wheel, add it to"
        " [tool.setuptools.package-data]",
    )


def _not_read(where: Located, directory: str) -> Tuple[str, ...]:
    """A remark for an entry point that names a module beside a manifest, not its package."""
    tree = where.tree
    assert tree is not None
    for each in MANIFEST_FILES:
        if tree.is_file(f"{directory}/{each}"):
            package = directory.replace("/", ".")
            return (
                f"{tree.path(f'{directory}/{each}')} is not read: the entry point names the"
                f" module {where.name.rpartition('/')[2]} and not the package {package}",
            )
    return ()


def _changed(distribution: Distribution, where: Located, found: ManifestText) -> Tuple[str, ...]:
    """A remark if an installed manifest is not the one that was installed (RECORD)."""
    if where.tree is not distribution.tree or not distribution.wheel:
        return ()
    record = distribution.text("RECORD")
    name = f"{where.name}/{found.file.rpartition('/')[2]}"
    start = record.find(f"{name},sha256=")
    if start < 0 or (start and record[start - 1] not in "\n\r"):
        return ()
    import base64
    import hashlib

    wanted = record[start + len(name) + 8 :].partition(",")[0].strip()
    digest = base64.urlsafe_b64encode(hashlib.sha256(found.data).digest()).rstrip(b"=").decode()
    if digest == wanted:
        return ()
    return (
        f"{found.file} was changed after {distribution.name} {distribution.version} was"
        " installed: its content is not what RECORD says",
    )
