"""What goes with a plugin that is uninstalled, and what is in the way of it."""

from __future__ import annotations

from typing import Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..errors import RequirementError
from ..model.manifest import PluginMetadata
from ..model.requirement import Requirement, parse_requirement
from ..names import canonical
from .environment.generation import GenerationRecord
from .solution import Chosen, Solution
from .wanted import Root

__all__ = ["Dependant", "dependants_of", "needed_by", "without"]


class Dependant(NamedTuple):
    """A plugin that needs one that is to go.

    Attributes:
        name: Its name.
        version: Its version.
        requirement: What it requires, as it stands in its manifest.
        needs: What it needs of that.
    """

    name: str
    version: str
    requirement: str
    needs: str


def dependants_of(
    targets: Collection[str], plugins: Sequence[PluginMetadata]
) -> Tuple[Dependant, ...]:
    """What would miss one of the targets, directly or through others; nearest first.

    Whoever requires a capability that another plugin provides as well misses nothing.

    Args:
        targets: The plugins that are to go, by their canonical names.
        plugins: All plugins that are there.
    """
    gone = set(targets)
    found: List[Dependant] = []
    work = True
    while work:
        work = False
        for each in plugins:
            if each.name in gone:
                continue
            for requirement in each.requires:
                needs = _missed(requirement, gone, plugins)
                if needs:
                    found.append(Dependant(each.name, each.version, requirement.text, needs))
                    gone.add(each.name)
                    work = True
                    break
    return tuple(found)


def _missed(
    requirement: Requirement, gone: Collection[str], plugins: Sequence[PluginMetadata]
) -> str:
    """The plugin that is to go and that a requirement is met by; empty if another meets it."""
    meeting = [each.name for each in plugins if _meets(each, requirement)]
    going = [name for name in meeting if name in gone]
    return going[0] if going and len(going) == len(meeting) else ""


def _meets(plugin: PluginMetadata, requirement: Requirement) -> bool:
    if plugin.name == requirement.name:
        return requirement.contains(plugin.version)
    return any(
        each.name == requirement.name and requirement.contains(each.version or plugin.version)
        for each in plugin.provides
    )


def without(record: GenerationRecord, targets: Collection[str]) -> Solution:
    """What is left of a generation without some plugins, and without what only they needed.

    Args:
        record: The generation.
        targets: The plugins that go, by their canonical names.
    """
    gone = {record.plugins[name].name for name in targets if name in record.plugins}
    roots = tuple(each for each in record.roots if each.name not in targets)
    left = [each for each in record.distributions if each.name not in gone]
    kept = needed_by(roots, left)
    return Solution(roots, tuple(each for each in left if each.name in kept))


def needed_by(roots: Iterable[Root], distributions: Sequence[Chosen]) -> Set[str]:
    """The distributions that the roots need, directly or through others.

    Args:
        roots: What was asked for.
        distributions: What there is.
    """
    by_name = {each.name: each for each in distributions}
    carriers: Dict[str, List[str]] = {}
    for each in distributions:
        for plugin in each.plugins:
            for name in (plugin.name, *(offered.name for offered in plugin.provides)):
                carriers.setdefault(name, []).append(each.name)
    work = [name for root in roots for name in carriers.get(root.name, ())]
    found: Set[str] = set()
    while work:
        name = work.pop()
        if name in found or name not in by_name:
            continue
        found.add(name)
        each = by_name[name]
        work += [asked for text in each.requires if (asked := _asked(text)) is not None]
        for plugin in each.plugins:
            for requirement in (*plugin.requires, *plugin.wants):
                work += carriers.get(requirement.name, [])
    return found


def _asked(text: str) -> Optional[str]:
    """The distribution that a ``Requires-Dist`` is about, whatever its marker says."""
    try:
        return canonical(parse_requirement(text.partition("@")[0]).name)
    except (RequirementError, ValueError):
        return None
