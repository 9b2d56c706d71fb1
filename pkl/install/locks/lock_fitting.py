"""A lock to a solution for the Python and the host that are here, without a solve and a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from packaging.markers import Environment, default_environment
from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag, parse_tag, sys_tags

from ...errors import NoSolution
from ...model.candidate import Candidate, Origin
from ...model.plan import Plan
from ...model.requirement import version_key
from ...names import printable
from ...registry.wheel_name import parse_wheel_name
from ...resolver import resolve
from ..solution import Chosen, Solution
from ..wanted import HostSide, Pinned
from .lock import Lock
from .lock_markers import requirement_of

__all__ = ["plan_of", "solution_of"]


def solution_of(
    lock: Lock,
    host: HostSide,
    *,
    environment: Optional[Mapping[str, str]] = None,
    tags: Optional[Sequence[Tag]] = None,
) -> Solution:
    """What a lock means here: for each distribution the wheel that fits, and the plan.

    What the host's environment has already is left out, if it will do.

    Args:
        lock: The lock.
        host: What is there.
        environment: Marker values that replace those of the running Python.
        tags: The tags of wheels that fit, the best first; None for those of this Python.

    Raises:
        NoSolution: It does not fit: another Python or platform, a wheel that is not for this
            one, something that is required here alone, a distribution of the host's environment
            in the way; ``proof`` has every reason.
    """
    chosen = _selected(lock, environment, tags)
    pins = {each.name: each for each in host.pins}
    faults = [fault for each in chosen for fault in _in_the_way(each, pins.get(each.name))]
    faults += _unmet(chosen, pins, environment)
    if faults:
        raise _unfit(lock, faults)
    new = tuple(each for each in chosen if each.name not in pins)
    notes = tuple(
        f"{each.name}: the host's environment has {pins[each.name].version}, which is used in "
        f"place of {each.version}"
        for each in chosen
        if each.name in pins and not _same(each.version, pins[each.name].version)
    )
    plan = plan_of(new, host, lock.versions, environment)
    faults = [f"{root.name}: {why}" for root in lock.roots for why in _why_not(plan, root.name)]
    if faults:
        raise _unfit(lock, faults)
    return Solution(lock.roots, new, plan, 0, notes)


def plan_of(
    chosen: Sequence[Chosen],
    host: HostSide,
    locked: Mapping[str, str],
    environment: Optional[Mapping[str, str]] = None,
) -> Plan:
    """The plan for what was chosen and what was there already, as if all were installed.

    Args:
        chosen: The distributions.
        host: What is there.
        locked: The versions to be preferred, by plugin.
        environment: Marker values that replace those of the running Python.
    """
    installed = [
        Candidate(
            plugin.name,
            plugin,
            Origin.ENTRY_POINT,
            target=each.wheel.url if each.wheel is not None else each.editable,
            distribution=each.name,
            distribution_version=each.version,
            group=host.group,
            requires_dist=each.requires,
        )
        for each in chosen
        for plugin in each.plugins
    ]
    return resolve(
        [*host.found, *installed],
        host_version=host.version,
        python_version=host.python_version,
        locked=locked,
        environment=environment,
    )


def _selected(
    lock: Lock, environment: Optional[Mapping[str, str]], tags: Optional[Sequence[Tag]]
) -> Tuple[Chosen, ...]:
    """The distributions of a lock whose markers hold, each with its wheel."""
    pylock = Pylock.from_dict(lock.document)
    fitting = list(tags) if tags is not None else list(sys_tags())
    here = _environment(environment)
    by_package = {id(package): each for package, each in zip(pylock.packages, lock.packages)}
    found = []
    try:
        for package, source in pylock.select(environment=here, tags=fitting):
            each = by_package[id(package)]
            if isinstance(source, PackageWheel):
                wheel = next(w for w in each.wheels if w.file == source.filename)
                each = replace(each, wheel=wheel)
            found.append(each)
    except PylockSelectError as e:
        missing = [
            f"{each.name} {each.version} has no wheel for this Python and platform, only for "
            + ", ".join(sorted(_tags_of(each)))
            for package, each in zip(pylock.packages, lock.packages)
            if each.wheels and _applies(package, here)
            if not _fits(each, frozenset(fitting))
        ]
        raise _unfit(lock, missing or [str(e)]) from None
    return tuple(sorted(found, key=lambda each: each.name))


def _applies(package: Package, environment: Environment) -> bool:
    values: Dict[str, Any] = dict(environment)
    return package.marker is None or package.marker.evaluate(values, "lock_file")


def _environment(given: Optional[Mapping[str, str]]) -> Environment:
    values = default_environment()
    values.update(given or {})  # type: ignore[typeddict-item]
    return values


def _tags_of(each: Chosen) -> List[str]:
    names = [parse_wheel_name(wheel.file) for wheel in each.wheels]
    return [name.tags for name in names if name is not None]


def _fits(each: Chosen, tags: FrozenSet[Tag]) -> bool:
    return any(parse_tag(text) & tags for text in _tags_of(each))


def _same(one: str, other: str) -> bool:
    return version_key(one) == version_key(other)


def _in_the_way(each: Chosen, pinned: Optional[Pinned]) -> List[str]:
    """Why a distribution of the host's environment keeps a plugin of the lock from being used.

    What it has of a library is used if it will do; of a plugin, it would be another plugin.
    """
    if pinned is None or not each.plugins or _same(each.version, pinned.version):
        return []
    names = " and ".join(plugin.name for plugin in each.plugins)
    return [
        f"{each.name} {pinned.version} is installed in {pinned.location}, where pkl changes "
        f"nothing, and comes before the {each.version} of the lock (plugin {names}): pip install "
        f"{each.name}=={each.version}, or pip uninstall {each.name}"
    ]


def _unmet(
    chosen: Sequence[Chosen],
    pins: Mapping[str, Pinned],
    environment: Optional[Mapping[str, str]],
) -> List[str]:
    """What is required here and neither in the lock nor in the host's environment."""
    locked = {each.name: each for each in chosen}
    faults: Dict[str, None] = {}
    done = set()
    waiting = [(each.name, "") for each in chosen]
    while waiting:
        at = waiting.pop()
        each = locked.get(at[0])
        if at in done or each is None or each.name in pins:
            continue  # What the host's environment has, the host answers for.
        done.add(at)
        for text in each.requires:
            asked = requirement_of(text)
            if not asked.applies({**(environment or {}), "extra": at[1]}):
                continue
            waiting += [(asked.name, extra) for extra in ("", *asked.extras)]
            there = pins.get(asked.name)
            version = there.version if there is not None else ""
            if there is None and asked.name in locked:
                version = locked[asked.name].version
            where = f"the host has {version} ({there.location})" if there is not None else ""
            where = where or (f"the lock has {version}" if version else "nobody has it")
            if not version or not asked.contains(version, True):
                faults[f"{each.name} {each.version} requires {printable(text)}, and {where}"] = None
    return sorted(faults)


def _why_not(plan: Plan, name: str) -> List[str]:
    """Why a plugin would not start by a plan; nothing if it would."""
    if plan.step(name) is not None:
        return []
    reason = plan.blocked.get(name)
    return [reason.message if reason is not None else "it is in no distribution of the lock"]


def _unfit(lock: Lock, faults: Sequence[str]) -> NoSolution:
    lines = [f"the lock {lock.path} does not fit this host and this Python"]
    lines += [f"  {each}" for each in faults]
    return NoSolution(
        "\n".join(lines),
        proof=faults,
        file=lock.path,
        hint="solve anew for what is here: pkl lock",
    )
