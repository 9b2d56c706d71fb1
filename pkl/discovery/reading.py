"""Reading distributions from the disk, where no cache knows them."""

from __future__ import annotations

from typing import Any, List, Sequence

from .candidates import add_rows
from .distribution import is_source_tree
from .finders import scan_finders
from .findings import Distributions, Findings
from .scan import Scan, scan

__all__ = ["read_entry", "read_hooks"]


def read_entry(
    path: str, group: str, search: Sequence[str], *, foreign: bool, watch: bool
) -> Findings:
    """What an entry of ``sys.path`` contributes to the discovery of a group.

    Args:
        path: The entry, absolute.
        group: The entry-point group.
        search: All entries of ``sys.path``, absolute.
        foreign: Whether the group is another ecosystem's.
        watch: Whether to gather the stamps of what is read; that of the entry is not among them.
    """
    return _read(scan(path, group), group, search, foreign=foreign, watch=watch)


def read_hooks(hooks: List[Any], group: str, search: Sequence[str], *, foreign: bool) -> Findings:
    """What import hooks that know of distributions contribute; otherwise as ``read_entry``."""
    return _read(scan_finders(hooks, group), group, search, foreign=foreign, watch=False)


def _read(
    scanned: Scan, group: str, search: Sequence[str], *, foreign: bool, watch: bool
) -> Findings:
    found = Findings(scanned.path, failures=scanned.failures, skipped=scanned.skipped)
    infos = scanned.infos
    if infos:
        sources = [key for key, info in infos.items() if is_source_tree(info)]
        found.distributions = Distributions(infos, sources)
    if watch and scanned.tree is not None:
        found.watched += scanned.tree.stamps(scanned.examined)
    for offer in scanned.offers:
        add_rows(found, offer, group, search, foreign=foreign, watch=watch)
    return found
