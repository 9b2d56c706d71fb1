"""Where a wheel is something else than the registry said, from which the plan was made."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ...discovery.headers import Headers
from ...discovery.wheel import read_wheel
from ...errors import DiscoveryError, Fault
from ...errors.base import shown
from ...model.manifest import PluginMetadata
from ...registry.writing import manifest_facts
from ..solution import Chosen

__all__ = ["differences"]


def differences(
    path: str, expected: Chosen, metadata: Headers, groups: Sequence[str]
) -> List[Fault]:
    """What was announced otherwise.

    What people consented to is what was announced: a permission that only the wheel's own
    manifest asks for must not slip in.

    Args:
        path: The wheel; it has been found sound.
        expected: What was announced.
        metadata: What its METADATA says.
        groups: The entry-point groups whose members are plugins; none compares no plugins.
    """
    found: List[Fault] = []
    if expected.requires:
        announced, actual = _texts(expected.requires), _texts(metadata.requires_dist)
        for text in sorted(actual - announced):
            rule = f"must not require {text}, which was not announced"
            found.append(Fault("METADATA", text, rule))
        for text in sorted(announced - actual):
            found.append(Fault("METADATA", text, f"must require {text}, which was announced"))
    if groups:
        try:
            facts = read_wheel(path, groups)
        except DiscoveryError as e:
            found.append(Fault("", None, f"must be usable: {e.details.get('why') or e.message}"))
        else:
            found += _plugins(expected.plugins, facts.plugins)
    return found


def _texts(requires: Sequence[str]) -> "set[str]":
    return {"".join(each.split()).replace("'", '"').lower() for each in requires}


def _plugins(expected: Sequence[PluginMetadata], actual: Sequence[PluginMetadata]) -> List[Fault]:
    announced = {each.name: each for each in expected}
    carried = {each.name: each for each in actual}
    found: List[Fault] = []
    for name in sorted(announced.keys() | carried.keys()):
        if name not in carried:
            found.append(Fault(name, None, "must carry that plugin, which was announced"))
        elif name not in announced:
            found.append(Fault(name, None, "must not carry that plugin, which was not announced"))
        else:
            said, does = _facts(announced[name]), _facts(carried[name])
            for key in sorted(said.keys() | does.keys()):
                if said.get(key) != does.get(key):
                    rule = (
                        f"must have the {key} that was announced, {shown(said.get(key))}, "
                        f"and has {shown(does.get(key))}"
                    )
                    found.append(Fault(f"{name}.{key}", does.get(key), rule))
    return found


def _facts(plugin: PluginMetadata) -> Dict[str, Any]:
    """What a registry says of a plugin, in one form."""
    facts = manifest_facts(plugin)
    return {key: sorted(v) if isinstance(v, list) else v for key, v in facts.items()}
