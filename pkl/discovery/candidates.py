"""From an entry point of a distribution to a candidate, or to the failure that says why not."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Dict, List, Optional, Sequence

from ..errors import RequirementError
from ..model.candidate import Candidate, Failure, Origin
from ..model.manifest import PluginMetadata
from ..model.requirement import check_specifier, is_version
from ..model.state import Reason
from ..names import canonical, is_valid
from .deferred import deferred
from .distribution import Distribution
from .entry_points import EntryPoint, check_value
from .findings import Findings
from .headers import Headers
from .locate import Located, locate
from .package_manifest import NO_MANIFEST, PackageManifest, read_package_manifest
from .scan import Offer
from .tree import Watched

__all__ = ["add_rows"]


def add_rows(
    found: Findings,
    offer: Offer,
    group: str,
    search: Sequence[str],
    *,
    foreign: bool,
    watch: bool,
) -> None:
    """Adds a candidate or a failure for each entry point that a distribution offers in the group.

    Args:
        found: Where to add them.
        offer: The distribution and its entry points.
        group: The wanted group.
        search: The entries of ``sys.path``, absolute.
        foreign: Whether the group is another ecosystem's: names are kept as they are, and a
            manifest means nothing.
        watch: Whether to gather stamps.
    """
    distribution = offer.distribution
    if watch:
        found.watched += distribution.tree.stamps(distribution.files)
    seen: Dict[str, EntryPoint] = {}
    for point in offer.groups.get(group, ()):
        target = check_value(point.value)
        name = point.name if foreign else canonical(point.name)
        first = seen.setdefault(name, point)
        if target is None or first is not point or not (name if foreign else is_valid(name)):
            found.add(offer.key, _refused(distribution, point, first, group, foreign))
            continue
        where = locate(distribution, target.module, search)
        manifest = NO_MANIFEST
        if where.tree is not None and not foreign:
            manifest = read_package_manifest(distribution, name, point, where)
        if watch:
            found.searched = found.searched or where.searched
            found.lasting = found.lasting and manifest.lasting
            found.watched += where.watched
            found.watched += _watched(where, manifest)
        candidate = _candidate(offer, point, name, group, where, manifest, foreign)
        found.add(offer.key, candidate)


def _watched(where: Located, manifest: PackageManifest) -> List[Watched]:
    """What would change if the module moved, or its manifest came, went or changed."""
    if where.tree is None or where.tree.archive:
        return []
    if manifest.file is None or manifest.file == where.path:
        return where.tree.stamps((where.name,))
    file = f"{where.name}/{os.path.basename(manifest.file)}"
    # In a project under development a second manifest may appear at any time.
    return where.tree.stamps((where.name, file) if where.watched else (file,))


def _refused(
    distribution: Distribution, point: EntryPoint, first: EntryPoint, group: str, foreign: bool
) -> Failure:
    """Why no plugin can be made of the entry point; the others of its file stand."""
    headers = distribution.headers
    whose = f"{headers.name} {headers.version}: {point.name!a} in [{group}]"
    code = "entry-point-name"
    if not point.name:
        message = f"{whose} has no name before the = ({point.value!a})"
    elif not foreign and not is_valid(point.name):
        message = (
            f"{whose} is not a plugin name: ASCII letters and digits, with '.', '_' and '-'"
            " inside (PEP 508)"
        )
    elif check_value(point.value) is None:
        code = "entry-point-value"
        message = f"{whose} = {point.value!a} names no module: write pkg.mod or pkg.mod:obj"
    else:
        code = "entry-point-duplicate"
        message = (
            f"{whose} is one plugin with {first.name!a} in line {first.line}: names compare"
            " without case and separators"
        )
    file = distribution.tree.path(f"{distribution.info}/entry_points.txt")
    return Failure(code, message, headers.name, f"{file}:{point.line}", point.name or None)


def _candidate(
    offer: Offer,
    point: EntryPoint,
    name: str,
    group: str,
    where: Located,
    manifest: PackageManifest,
    foreign: bool,
) -> Candidate:
    distribution = offer.distribution
    headers = distribution.headers
    notes = offer.notes + manifest.notes
    metadata = manifest.metadata
    if metadata is None:
        metadata = _stand_in(headers, name, point, foreign, manifest)
        if headers.requires_python and not _is_specifier(headers.requires_python):
            notes += (f"Requires-Python {headers.requires_python!r} is not valid; ignored",)
    fault = _distribution_fault(distribution, name, where) or manifest.fault
    return Candidate(
        name,
        metadata,
        Origin.ENTRY_POINT,
        where.path,
        point.value,
        headers.name,
        headers.version,
        manifest.file,
        group,
        headers.requires_dist,
        fault,
        notes,
    )


def _distribution_fault(distribution: Distribution, name: str, where: Located) -> Optional[Reason]:
    """Why nothing of this distribution can be started, whatever the manifest says."""
    headers = distribution.headers
    if distribution.problem:
        code, cause = "metadata", distribution.problem
        why = f"{cause}, so its version and what it requires are not known"
        remedy = f"pip install --force-reinstall {headers.name}"
    elif not is_version(headers.version):
        code = "version"
        cause = f"the version {headers.version!r} of {headers.name} is not a version (PEP 440)"
        why = f"{cause} ({distribution.tree.path(distribution.metadata_file)})"
        remedy = f"release {headers.name} under a version such as 1.0, or pip uninstall it"
    elif where.stale:
        code = "stale"
        cause = f"{headers.name} is installed in editable mode and {where.stale} is gone"
        why = f"{cause}, or no longer holds its module"
        remedy = f"pip install -e the project where it is now, or pip uninstall {headers.name}"
    else:
        return None
    whose = f"plugin {name!r} of {headers.name} {headers.version}"
    return Reason(code, f"{whose} is not started: {why}", cause, remedy)


def _stand_in(
    headers: Headers, name: str, point: EntryPoint, foreign: bool, manifest: PackageManifest
) -> PluginMetadata:
    """What stands in for a manifest that is absent, or known to be faulty."""
    if manifest.fault is not None or not is_version(headers.version):
        return PluginMetadata.bare(
            point.name,
            headers.version,
            summary=headers.summary,
            file=manifest.file,
            distribution=headers.name,
            fold=not foreign,
            critical=manifest.critical,
        )
    data = {"name": point.name, "version": headers.version, "summary": headers.summary}
    if headers.requires_python and _is_specifier(headers.requires_python):
        data["requires-python"] = headers.requires_python
    version, summary = headers.version, headers.summary
    return deferred(data, name, point.name, version, summary, None, headers.name, not foreign)


@lru_cache(maxsize=256)
def _is_specifier(text: str) -> bool:
    try:
        check_specifier(text)
    except RequirementError:
        return False
    return True
