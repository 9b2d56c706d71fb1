"""Updates that nobody has consented to are held: the old version stays, and the rest is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
)

from ...errors import NoSolution, RequirementError, UpdateHeld, UsageError
from ...model.requirement import is_version, parse_requirement, version_key
from ...model.state import Reason
from ...names import canonical, is_valid
from ...store.state import HostState
from ..solution import Chosen, Solution
from ..wanted import Root, RootKind
from .trust import Change, changes_to_consent, is_consented

__all__ = ["HELD", "Held", "Settled", "held_back", "held_reason", "parse_consents", "settle"]

HELD = "held"
"""Code of the reason for which a version is not taken."""


class Held(NamedTuple):
    """An update that asks for what nobody has consented to.

    Attributes:
        before: The distribution as it is there, and stays.
        after: What would have taken its place.
        changes: What that asks for.
    """

    before: Chosen
    after: Chosen
    changes: Tuple[Change, ...]

    @property
    def plugin(self) -> str:
        """The plugin; the distribution, where it carries none."""
        return self.after.plugins[0].name if self.after.plugins else self.after.name

    @property
    def consent(self) -> str:
        """What consents to it, as ``--consent`` takes it."""
        return f"{self.plugin}=={self.after.version}"

    def text(self, arrow: str = "→") -> str:
        """In a line: ``audit 1.0 → 1.1: asks for net-connect "*:443"``."""
        what = "; ".join(each.text for each in self.changes)
        return f"{self.plugin} {self.before.version} {arrow} {self.after.version}: {what}"

    def as_dict(self) -> Dict[str, Any]:
        """The held update as a JSON object."""
        return {
            "name": self.plugin,
            "distribution": self.after.name,
            "from": self.before.version,
            "to": self.after.version,
            "changes": [each.as_dict() for each in self.changes],
            "consent": self.consent,
        }


class Settled(NamedTuple):
    """What may be done of what was asked for.

    Attributes:
        solution: What may be applied; held distributions are in it as they are.
        held: The updates that were held, sorted by distribution.
        consented: The changes that come with ``solution`` and were consented to just now: those of
            updates by name, and the permissions of what is installed for the first time.
        notes: Remarks, such as a consent that nothing asked for.
    """

    solution: Solution
    held: Tuple[Held, ...] = ()
    consented: Tuple[Tuple[Chosen, Tuple[Change, ...]], ...] = ()
    notes: Tuple[str, ...] = ()

    def refuse(self) -> None:
        """Says that something was held; to be called once the rest has been applied.

        Raises:
            UpdateHeld: Something was held.
        """
        if self.held:
            _refuse(self.held)


def settle(
    before: Sequence[Chosen],
    solve: Callable[[Tuple[Held, ...]], Solution],
    state: HostState,
    *,
    accepted: Collection[str] = (),
    inspect: Optional[Callable[[Chosen], Chosen]] = None,
) -> Settled:
    """Solves until nothing in the solution needs a consent that nobody gave.

    An update that needs one is held at the version that is there, and the rest is solved again
    around it. Each round holds one distribution more at least, so it ends.

    Args:
        before: What is there: the distributions of the current generation.
        solve: Solves with these held: they must come out as they are there, with
            ``held_reason`` as the reason why no other version of them is a candidate. Called
            once, and once more for each round.
        state: What is kept of the host: the consents given before.
        accepted: The consents given now, as ``parse_consents`` yields them.
        inspect: Gives what was chosen with the manifests that are in its wheel, for those of a
            registry's page do not say everything, and need not be true. Called once for each
            wheel with a plugin that is not there yet.

    Raises:
        UpdateHeld: There is no solution with these held; nothing may be applied.
        PklError: What ``solve`` and ``inspect`` raise.
    """
    there = {each.name: each for each in before}
    looked: Dict[Tuple[str, str, str], Chosen] = {}
    held: Dict[str, Held] = {}
    roots: Tuple[Root, ...] = ()
    while True:
        solution = _solved(solve, tuple(held[name] for name in sorted(held)), roots)
        roots = solution.roots
        chosen = [_seen(each, there.get(each.name), inspect, looked) for each in solution.chosen]
        solution = replace(solution, chosen=tuple(chosen))
        consented: List[Tuple[Chosen, Tuple[Change, ...]]] = []
        more: Dict[str, Held] = {}
        for new in chosen:
            if not new.plugins or _same_wheel(there.get(new.name), new):
                continue
            old = _predecessor(before, new)
            asked = changes_to_consent(old, new)
            if old is not None:
                kept = {plugin: state.record(plugin).consents for plugin in _plugins(asked)}
                asked = tuple(e for e in asked if not is_consented(e, kept[e.plugin]))
            if old is not None and asked and not _accepts(accepted, new):
                more[old.name] = Held(old, new, asked)
            elif asked:
                consented.append((new, asked))
        if not more:
            named = [new for new, _ in consented]
            listed = tuple(held[name] for name in sorted(held))
            return Settled(solution, listed, tuple(consented), tuple(_unused(accepted, named)))
        if more.keys() <= held.keys():
            _refuse(tuple(more[name] for name in sorted(more)))
        held.update(more)


def _solved(
    solve: Callable[[Tuple[Held, ...]], Solution], held: Tuple[Held, ...], roots: Sequence[Root]
) -> Solution:
    try:
        return solve(held)
    except NoSolution as error:
        if not held:
            raise
        names = {each.plugin for each in held}
        exact = any(each.name in names and _means_one(each) for each in roots)
        _refuse(held, "the very version was asked for" if exact else _proof(error))


def _means_one(root: Root) -> bool:
    """Whether nothing but one version will do: that of a file, or one that was named."""
    return root.kind is not RootKind.REGISTRY or "==" in root.requirement


def _proof(error: NoSolution) -> str:
    return "\n".join(("without it there is no solution:", *(error.proof or (error.message,))))


def _seen(
    chosen: Chosen,
    old: Optional[Chosen],
    inspect: Optional[Callable[[Chosen], Chosen]],
    looked: Dict[Tuple[str, str, str], Chosen],
) -> Chosen:
    """What was chosen, with what its wheel says; what is there already was looked at then.

    The very wheel that is there stays known by the key that it came with, for that is what the
    next version is compared with.
    """
    if old is not None and _same_wheel(old, chosen):
        return replace(chosen, plugins=old.plugins, registry=old.registry, signer=old.signer)
    if inspect is None or not chosen.plugins or chosen.wheel is None:
        return chosen
    key = (chosen.name, chosen.version, chosen.wheel.sha256)
    if key not in looked:
        looked[key] = inspect(chosen)
    return looked[key]


def _same_wheel(old: Optional[Chosen], new: Chosen) -> bool:
    """Whether it is the very wheel that is there, wherever it would come from now."""
    if old is None or old.wheel is None or new.wheel is None:
        return False
    return (old.version, old.wheel.sha256) == (new.version, new.wheel.sha256)


def _predecessor(before: Sequence[Chosen], new: Chosen) -> Optional[Chosen]:
    """What is there and carries a plugin of this one, even in a distribution of another name."""
    names = {each.name for each in new.plugins}
    # Of a project that was used in place, no version is known that anybody published.
    published = [old for old in before if not old.editable]
    carriers = [old for old in published if any(each.name in names for each in old.plugins)]
    own = [old for old in published if old.name == new.name]
    return next(iter((*(each for each in carriers if each in own), *carriers, *own)), None)


def _plugins(changes: Iterable[Change]) -> Collection[str]:
    return {each.plugin for each in changes}


def parse_consents(texts: Iterable[str]) -> Tuple[str, ...]:
    """The consents that ``--consent NAME==VERSION`` gives.

    Raises:
        UsageError: One names no version, so that it would hold for whatever comes.
    """
    found = []
    for text in texts:
        name, _, version = (part.strip() for part in text.partition("=="))
        if not is_valid(name) or not is_version(version):
            raise UsageError(
                f"--consent {text!r} does not say to which version of which plugin",
                hint="--consent NAME==VERSION, as it is shown for an update that is held",
            )
        found.append(f"{canonical(name)}=={version}")
    return tuple(found)


def _accepts(accepted: Collection[str], new: Chosen) -> bool:
    return any(_is_about(text, new) for text in accepted)


def _is_about(consent: str, new: Chosen) -> bool:
    name, _, version = consent.partition("==")
    meant = [(new.name, new.version), *((each.name, each.version) for each in new.plugins)]
    # A plugin may have another version than its distribution; what is shown is the latter.
    meant += [(each.name, new.version) for each in new.plugins]
    key = version_key(version)
    return any(name == known and key == version_key(own) for known, own in meant)


def _unused(accepted: Collection[str], consented: Sequence[Chosen]) -> List[str]:
    return [
        f"--consent {text}: nothing of that version had to be consented to"
        for text in accepted
        if not any(_is_about(text, new) for new in consented)
    ]


def held_reason(held: Held) -> Reason:
    """Why a version is no candidate that is not the one that is there."""
    called = f"{held.plugin} {held.after.version}"
    what = "; ".join(each.text for each in held.changes)
    return Reason(
        HELD,
        f"{called} is held at {held.before.version}: {what}",
        f"{called} asks for what nobody has consented to",
        f"pkl upgrade {held.plugin} --consent {held.consent}",
    )


def held_back(solution: Solution, held: Sequence[Held]) -> Solution:
    """A solution that was not solved here, such as that of a lock, with the old versions kept.

    Raises:
        UpdateHeld: An old version requires what the solution has not; nothing may be applied.
    """
    kept: Mapping[str, Held] = {each.after.name: each for each in held}
    chosen = tuple(
        kept[each.name].before if each.name in kept else each for each in solution.chosen
    )
    versions = {each.name: each.version for each in chosen}
    for each in held:
        for text in each.before.requires:
            try:
                asked = parse_requirement(text)
                if not asked.applies() or asked.name not in versions:
                    continue
            except (RequirementError, ValueError):
                continue
            if not asked.contains(versions[asked.name]):
                own = f"{each.before.name} {each.before.version}"
                _refuse(held, f"{own} would stay, and requires {asked.text}")
    return replace(solution, chosen=chosen)


def _refuse(held: Sequence[Held], why: str = "") -> NoReturn:
    """Says what is held.

    Args:
        held: The updates.
        why: Why the rest was not taken either; empty if it was.

    Raises:
        UpdateHeld: Always.
    """
    lines = tuple(each.text("->") for each in held)
    count = "1 update is" if len(held) == 1 else f"{len(held)} updates are"
    message = f"{count} held\n" + "\n".join(lines)
    if why:
        message += f"\nnothing was changed: {why}"
    options = " ".join(f"--consent {each.consent}" for each in held)
    raise UpdateHeld(
        message,
        changes=lines,
        plugin=held[0].plugin if len(held) == 1 else None,
        version=held[0].after.version if len(held) == 1 else None,
        hint=f"to consent, say the same with {options}",
        held=[each.as_dict() for each in held],
    ) from None
