"""Distributions that lie in no entry of ``sys.path`` and that only an import hook knows of."""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Sequence

from ..model.candidate import Failure
from .backport import import_importlib_metadata
from .distribution import Distribution, canonical_fast
from .entry_points import MalformedEntryPoints, parse_entry_points
from .scan import Offer, Scan
from .tree import Watched

__all__ = ["scan_finders"]


class _HookTree:
    """One distribution of an import hook as a ``Tree`` that holds its metadata and nothing else."""

    __slots__ = ("_distribution", "root")

    archive = True

    def __init__(self, root: str, distribution: Any) -> None:
        self.root = root
        self._distribution = distribution

    def read(self, name: str) -> Optional[bytes]:
        text = self._distribution.read_text(name.rpartition("/")[2])
        return None if text is None else str(text).encode("utf-8", "surrogateescape")

    read_head = read

    def is_file(self, name: str) -> bool:
        return False

    def is_directory(self, name: str) -> bool:
        return False

    def names(self, name: str) -> List[str]:
        return []

    def path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def stamps(self, names: Iterable[str]) -> List[Watched]:
        return []


def scan_finders(finders: Sequence[Any], group: Optional[str] = None) -> Scan:
    """Asks import hooks that know of distributions; never raises for what they do.

    Args:
        finders: The hooks, each with a method ``find_distributions``.
        group: Gather only the offers in this entry-point group.
    """
    found = Scan("<import hooks>")
    context = import_importlib_metadata().DistributionFinder.Context()
    for finder in finders:
        root = f"<{type(finder).__module__}.{type(finder).__qualname__}>"
        try:
            for distribution in finder.find_distributions(context):
                _add(found, _HookTree(root, distribution), group)
        except Exception as e:
            message = f"the import hook {root} failed to list its distributions: {e!r}"
            found.failures.append(("", Failure("finder", message, file=root)))
    return found


def _add(found: Scan, tree: _HookTree, group: Optional[str]) -> None:
    owner = Distribution(tree, "?.dist-info")
    try:
        headers = owner.headers
        key = canonical_fast(headers.name)
        data = tree.read("entry_points.txt")
        groups = parse_entry_points(data, group) if data is not None else {}
    except MalformedEntryPoints as e:
        failure = Failure(e.code, f"{headers.name}: {e.message}", headers.name, tree.root)
        found.failures.append((key, failure))
    except Exception as e:
        message = f"a distribution of the import hook {tree.root} cannot be read: {e!r}"
        found.failures.append(("", Failure("finder", message, file=tree.root)))
    else:
        if key not in found.infos:
            found.infos[key] = f"{headers.name}-{headers.version}.dist-info"
            if groups:
                found.offers.append(Offer(key, owner, groups))
