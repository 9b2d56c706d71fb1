"""Where two locks differ: what a person has to know before one takes the place of the other."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ..solution import Chosen
from ..wanted import Root
from .lock import Lock
from .lock_writing import facts_of

__all__ = ["Difference", "details_of", "differences"]


class Difference(NamedTuple):
    """One thing that is otherwise in the new lock.

    Attributes:
        kind: ``added``, ``removed`` or ``changed``.
        subject: What it is: ``distribution``, ``root``, ``registry``, ``consents``, ``host``,
            ``group`` or ``order``.
        name: Which one; of a distribution with one plugin, the plugin.
        before: What it was: a version, a requirement, a URL; empty of what is new.
        after: What it is to be; empty of what goes.
        details: What else is otherwise, each in a few words.
    """

    kind: str
    subject: str
    name: str
    before: str = ""
    after: str = ""
    details: Tuple[str, ...] = ()

    def text(self, arrow: str = "→") -> str:
        """In a line: ``+ audit 1.0``, ``~ audit 1.0 → 1.1`` or ``- root old``."""
        sign = {"added": "+", "removed": "-"}.get(self.kind, "~")
        called = self.name if self.subject == "distribution" else f"{self.subject} {self.name}"
        if self.before == self.after or not (self.before and self.after):
            values = self.after or self.before
        else:
            values = f"{self.before} {arrow} {self.after}"
        details = f" ({', '.join(self.details)})" if self.details else ""
        return " ".join(filter(None, (sign, called.strip(), values))) + details

    def as_dict(self) -> Dict[str, Any]:
        """The difference as a JSON object."""
        return {**self._asdict(), "details": list(self.details)}


def differences(old: Optional[Lock], new: Lock) -> Tuple[Difference, ...]:
    """What is otherwise in a new lock; nothing, if whoever has the old one needs no other.

    The serial and the digest of a registry's index make no difference: they change whenever
    anything does in the registry.

    Args:
        old: The lock that there is; None if there is none.
        new: The lock that would take its place.
    """
    found: List[Difference] = []
    if old is None:
        return tuple(
            Difference("added", "distribution", _called(each), "", each.version)
            for each in new.packages
        )
    for subject in ("host", "group"):
        before, after = getattr(old, subject), getattr(new, subject)
        if before != after:
            found.append(Difference("changed", subject, "", before, after))
    found += _named("root", _roots(old), _roots(new))
    found += _distributions(old.packages, new.packages)
    found += _named("registry", _registries(old), _registries(new))
    found += _consents(old, new)
    if not found and old.order != new.order:
        found.append(Difference("changed", "order", "", ", ".join(old.order), ", ".join(new.order)))
    return tuple(found)


def _called(each: Chosen) -> str:
    return each.plugins[0].name if len(each.plugins) == 1 else each.name


def _roots(lock: Lock) -> Mapping[str, str]:
    return {each.name: _root(each) for each in lock.roots}


def _root(root: Root) -> str:
    asked = root.requirement if root.requirement != root.name else ""
    place = f"from {root.registry}" if root.registry else root.path and f"({root.kind} {root.path})"
    return " ".join(filter(None, (asked, place))) or "in any version"


def _registries(lock: Lock) -> Mapping[str, str]:
    return {each.name: " ".join((each.url, *each.keys)) for each in lock.registries}


def _named(
    subject: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterable[Difference]:
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None and other is not None:
            yield Difference("added", subject, name, "", other)
        elif other is None and one is not None:
            yield Difference("removed", subject, name, one)
        elif one != other:
            yield Difference("changed", subject, name, one or "", other or "")


def _distributions(old: Iterable[Chosen], new: Iterable[Chosen]) -> Iterable[Difference]:
    before = {each.name: each for each in old}
    after = {each.name: each for each in new}
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None and other is not None:
            yield Difference("added", "distribution", _called(other), "", other.version)
        elif other is None and one is not None:
            yield Difference("removed", "distribution", _called(one), one.version)
        elif one is not None and other is not None:
            details = details_of(one, other)
            if details or one.version != other.version:
                yield Difference(
                    "changed", "distribution", _called(other), one.version, other.version, details
                )


def details_of(one: Chosen, other: Chosen) -> Tuple[str, ...]:
    """What else is otherwise of a distribution; of another version only where it is from."""
    found = []
    if (one.registry, one.signer) != (other.registry, other.signer):
        found.append("another registry or key")
    if one.editable != other.editable:
        found.append(f"used in place: {other.editable}" if other.editable else "not used in place")
    elif one.version == other.version:
        if {each.sha256 for each in one.wheels} != {each.sha256 for each in other.wheels}:
            found.append("other wheels")
        elif {each.url for each in one.wheels} != {each.url for each in other.wheels}:
            found.append("wheels in other places")
    if one.version == other.version:
        if sorted(one.requires) != sorted(other.requires):
            found.append("other requirements")
        if _manifests(one) != _manifests(other):
            found.append("another manifest")
    return tuple(found)


def _manifests(each: Chosen) -> Mapping[str, Any]:
    return {plugin.name: facts_of(plugin) for plugin in each.plugins}


def _consents(old: Lock, new: Lock) -> Iterable[Difference]:
    for name in sorted({*old.consents, *new.consents}):
        before, after = old.consents.get(name, {}), new.consents.get(name, {})
        if before != after:
            keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
            kind = "changed" if before and after else "added" if after else "removed"
            yield Difference(kind, "consents", name, details=tuple(keys))
