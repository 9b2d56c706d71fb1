"""What a new version asks for that nobody has consented to: pure comparisons of two versions.

A plugin is known by its name and the key of the registry that it is from. Of an update, what is
compared is what the plugin may do and where it is from; of a first installation, what it may do.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ...errors import RequirementError
from ...model.manifest import PluginMetadata
from ...model.permissions import UNLIMITED, beyond, is_looser, items_of, loosened_tier
from ...model.requirement import parse_requirement
from ...store.state import Consent
from ..solution import Chosen

__all__ = ["Change", "changes_to_consent", "is_consented"]


class Change(NamedTuple):
    """One thing that a version asks for and the one before did not.

    Attributes:
        plugin: The plugin; the distribution, where it carries none.
        kind: ``signer``, ``dependency``, ``permission``, ``limit``, ``activation`` or ``tier``.
        before: What it was until then, as JSON has it; None where there was nothing.
        after: What it is to be.
        text: What it asks for, to stand behind ``audit 1.1``.
        subject: Which one of its kind: the permission, the limit, the dependency; or empty.
    """

    plugin: str
    kind: str
    before: Any
    after: Any
    text: str
    subject: str = ""

    @property
    def key(self) -> str:
        """The name under which a consent to it is kept; of a permission, that of the permission."""
        if self.kind == "permission":
            return self.subject
        return f"{self.kind}:{self.subject}" if self.subject else self.kind

    def as_dict(self) -> Dict[str, Any]:
        """The change as a JSON object."""
        return {**self._asdict(), "consent": self.key}


def changes_to_consent(old: Optional[Chosen], new: Chosen) -> Tuple[Change, ...]:
    """What a version asks for that needs somebody's consent.

    What asks for less, or for the same in other words, yields nothing. Of an editable project
    nothing does: whoever installs one runs the code of that directory, whatever it is.

    Args:
        old: The version that is there, which carries the same plugin; None if none is.
        new: The version that is to take its place.
    """
    if new.editable:
        return ()
    if old is None:
        return tuple(each for said in new.plugins for each in _permissions(None, said, ""))
    return (*_signer(old, new), *_dependencies(old, new), *_plugins(old, new))


def is_consented(change: Change, consents: Mapping[str, Consent]) -> bool:
    """Whether somebody has consented to a change already, maybe of another version.

    Args:
        change: The change.
        consents: What is kept of consents to the plugin, by key.
    """
    consent = consents.get(change.key)
    if consent is None:
        return False
    value = consent.value
    if change.kind == "permission":
        granted = (*items_of(change.before), *items_of(value))
        return not beyond(change.subject, granted, change.after)
    if change.kind == "limit":
        return not is_looser(value, change.after)
    if change.kind == "tier":
        return isinstance(value, str) and not loosened_tier(value, change.after)
    if change.kind == "dependency":
        return value is True
    return set(items_of(change.after)) <= set(items_of(value))


def _name(chosen: Chosen) -> str:
    return chosen.plugins[0].name if chosen.plugins else chosen.name


def _signer(old: Chosen, new: Chosen) -> Iterator[Change]:
    before, after = _origin(old), _origin(new)
    # A registry that signs from now on is the same one, and known better; and whoever takes a
    # file names it.
    known = not new.registry or (old.registry, "") == (new.registry, old.signer)
    if before == after or (known and old.name == new.name):
        return
    was = f"{old.version} was"
    if old.name != new.name:
        text = f"is in the distribution {new.name}, and {was} in {old.name}"
    elif old.registry != new.registry:
        text = f"comes from {_place(new)}, and {was} from {_place(old)}"
    elif new.signer:
        text = f"is signed by {new.signer} ({_place(new)}), and {was} signed by {old.signer}"
    else:
        text = f"is not signed by {_place(new)}, and {was} signed by {old.signer}"
    yield Change(_name(new), "signer", before, after, text)


def _origin(chosen: Chosen) -> str:
    return " ".join(filter(None, (chosen.name, chosen.registry or "file", chosen.signer)))


def _place(chosen: Chosen) -> str:
    return f"the registry {chosen.registry}" if chosen.registry else "a file of this machine"


def _dependencies(old: Chosen, new: Chosen) -> Iterator[Change]:
    known = set(_required(old))
    own = {new.name, old.name, *(each.name for each in new.plugins)}
    for name in _required(new):
        if name not in known and name not in own:
            text = f"requires {name}, and {old.version} did not"
            yield Change(_name(new), "dependency", None, name, text, name)


def _required(chosen: Chosen) -> List[str]:
    """The names of what it requires here, and of their extras: ``name[extra]``."""
    found: Dict[str, None] = {}
    for text in chosen.requires:
        try:
            asked = parse_requirement(text)
            if not asked.applies():
                continue
        except (RequirementError, ValueError):
            found[text.strip()] = None  # such as one with an address, which is a name of its own
            continue
        found[asked.name] = None
        found.update((f"{asked.name}[{extra}]", None) for extra in asked.extras)
    for said in chosen.plugins:
        found.update((each.name, None) for each in said.requires if each.applies())
    return list(found)


def _plugins(old: Chosen, new: Chosen) -> Iterator[Change]:
    known = {each.name: each for each in old.plugins}
    for said in new.plugins:
        was = known.get(said.name)
        yield from _permissions(was, said, old.version)
        if was is not None:
            yield from _limits(was, said)
            yield from _activation(was, said)
            yield from _tier(was, said)


def _permissions(
    old: Optional[PluginMetadata], new: PluginMetadata, version: str
) -> Iterator[Change]:
    for name, asked in new.permissions.items():
        before = _plain(old.permissions.get(name)) if old is not None else None
        more = beyond(name, before, asked)
        if more:
            text = f"asks for {name}{_listed(more)}"
            yield Change(new.name, "permission", before, _plain(asked), text, name)
    if old is None:
        return
    for key in ("plugins", "host"):
        before = _plain(old.calls.get(key, ("*",)))
        after = _plain(new.calls.get(key, ("*",)))
        more = beyond(f"calls.{key}", before, after)
        if more:
            what = "any plugin" if key == "plugins" else "the host"
            limited = f", and {version} was limited to {', '.join(before) or 'none'}"
            text = f"may call {', '.join(more) if more != ('*',) else what}{limited}"
            yield Change(new.name, "permission", before, after, text, f"calls.{key}")


def _listed(items: Iterable[str]) -> str:
    shown = ", ".join(f'"{each}"' for each in items if each != "true")
    return f" {shown}" if shown else ""


def _limits(old: PluginMetadata, new: PluginMetadata) -> Iterator[Change]:
    for name, before in old.limits.items():
        after = new.limits.get(name, UNLIMITED)
        if is_looser(before, after):
            to = "does not limit" if after == UNLIMITED else f"raises to {after} the limit of"
            text = f"{to} {name}, which was {before}"
            yield Change(new.name, "limit", before, after, text, name)


_BY_ITSELF = ("idle", "startup")
"""The activations with which a plugin starts though nobody needs it; the later the sooner."""


def _activation(old: PluginMetadata, new: PluginMetadata) -> Iterator[Change]:
    before, after = _soonest(old), _soonest(new)
    if after > before:
        waited = ", ".join(old.activation)
        when = "with the host" if after == _BY_ITSELF.index("startup") else "when the host is idle"
        text = f"starts {when}, and {old.version} waited for {waited}"
        yield Change(new.name, "activation", list(old.activation), _BY_ITSELF[after], text)


def _soonest(said: PluginMetadata) -> int:
    return max((i for i, each in enumerate(_BY_ITSELF) if each in said.activation), default=-1)


def _tier(old: PluginMetadata, new: PluginMetadata) -> Iterator[Change]:
    if loosened_tier(old.tier, new.tier):
        text = f"is content to run as {new.tier}, and {old.version} asked for {old.tier}"
        yield Change(new.name, "tier", old.tier, new.tier, text)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
