"""What a plugin requires, held against what pip installs together with its distribution."""

from __future__ import annotations

from typing import Iterator, Sequence, Set

from ...discovery.lines import line_of_key
from ...errors import RequirementError
from ...model.manifest import PluginMetadata
from ...model.requirement import parse_requirement
from ...names import canonical
from .finding import ERROR, WARNING, Finding
from .known import Known
from .subject import Subject

__all__ = ["check_dependencies"]


def check_dependencies(
    subject: Subject, metadata: PluginMetadata, own: Set[str], known: Known, shown: str, text: str
) -> Iterator[Finding]:
    """Required plugins that installing the distribution does not bring along.

    What carries a plugin is known for certain only where that is installed; elsewhere a
    dependency that has the plugin's name in its own is taken for it.

    Args:
        subject: The distribution.
        metadata: The plugin's manifest.
        own: The plugins that the distribution itself carries.
        known: What is installed here.
        shown: The path of the manifest.
        text: Its content.
    """
    if subject.dependencies is None:
        return
    asked = _always_installed(subject.dependencies)
    for index, requirement in enumerate(metadata.requires):
        name = requirement.name
        carriers = known.carriers(name)
        if name in own or carriers & {*asked, canonical(subject.name or "")}:
            continue
        path = f"requires[{index}]"
        line = line_of_key(text, path, requirement.text)
        who = f"it requires {requirement.text}, "
        if carriers:
            carrier = sorted(carriers)[0]
            what = f"which {carrier} carries, but its distribution does not depend on that"
            hint = f"add {carrier} to the dependencies of the distribution"
            yield Finding(ERROR, "requires-dist", who + what, shown, line, path, hint)
        elif not any(name == each or f"-{name}-" in f"-{each}-" for each in asked):
            what = "and none of its distribution's dependencies looks as if it carries that"
            hint = f"add the distribution that carries {name} to the dependencies"
            yield Finding(WARNING, "requires-dist", who + what, shown, line, path, hint)


def _always_installed(dependencies: Sequence[str]) -> Set[str]:
    """The distributions that are installed without any extra."""
    found: Set[str] = set()
    for text in dependencies:
        head, _, marker = text.partition(";")
        try:
            requirement = parse_requirement(head.partition("@")[0].strip())
        except RequirementError:
            continue
        if "extra" not in marker:
            found.add(requirement.name)
    return found
