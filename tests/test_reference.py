"""``docs/reference.md`` has every public name, with its signature as it is."""

from __future__ import annotations

import inspect
import re
from typing import Any, Dict, List, NamedTuple

import pytest

import pkl
from pkl.model.state import TRANSITIONS
from tests.doc_page import ROOT

PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
SPAN = re.compile(r"`([^`]+)`")


class Entry(NamedTuple):
    """Something the page documents."""

    owner: str
    """The class whose member it is; empty for names of ``pkl``."""
    name: str
    signature: str
    """``(…)`` as the page has it; empty where it gives none."""


def entries() -> List[Entry]:
    """What stands in the first column of the tables, and the signatures below the headings."""
    found = []
    for part in re.split(r"^##+ ", PAGE, flags=re.MULTILINE):
        title, _, body = part.partition("\n")
        owner = title if hasattr(pkl, title) else ""
        constructor = re.match(rf"\s*`{owner}(\([^`]*\))`", body) if owner else None
        if constructor:
            found.append(entry(owner, f"__init__{constructor.group(1)}"))
        for row in re.findall(r"^\| (.*?) \| ", part, flags=re.MULTILINE):
            found += [entry(owner, span) for span in SPAN.findall(row)]
    return found


def entry(owner: str, span: str) -> Entry:
    """One code span as an entry."""
    name, bracket, rest = " ".join(span.split()).partition("(")
    return Entry(owner, name, bracket + rest)


ENTRIES = entries()


def thing(owner: str) -> Any:
    """What an entry's name is looked up in."""
    return getattr(pkl, owner) if owner else pkl


def signature_of(function: Any) -> str:
    """A signature without ``self`` and annotations."""
    signature = inspect.signature(function)
    bare = [
        parameter.replace(annotation=parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def test_every_public_name_is_in_the_reference_once() -> None:
    named = [each.name for each in ENTRIES if not each.owner and each.name != "this"]
    assert sorted(named) == sorted(pkl.__all__)


@pytest.mark.parametrize("each", ENTRIES, ids=lambda each: f"{each.owner}.{each.name}")
def test_what_the_reference_names_exists(each: Entry) -> None:
    if each.name == "this":
        with pytest.raises(pkl.NoCurrentPlugin):
            _ = pkl.this
        return
    assert each.name in known_in(each.owner)


def known_in(owner: str) -> Dict[str, Any]:
    """The attributes of a class, those that its instances are given included; or of ``pkl``."""
    holder = thing(owner)
    known: Dict[str, Any] = dict.fromkeys(dir(holder))
    for base in getattr(holder, "__mro__", ()):
        known.update(dict.fromkeys(vars(base).get("__annotations__", ())))
        code = getattr(vars(base).get("__init__"), "__code__", None)
        if code is not None:
            known.update(dict.fromkeys(code.co_names))
    return known


@pytest.mark.parametrize(
    "each",
    [each for each in ENTRIES if each.signature],
    ids=lambda each: f"{each.owner}.{each.name}",
)
def test_a_signature_in_the_reference_is_that_of_the_code(each: Entry) -> None:
    assert each.signature == signature_of(getattr(thing(each.owner), each.name))


def members(owner: str) -> List[str]:
    """The public methods of a class and of its bases, without those that only the kernel calls."""
    found = set()
    for base in thing(owner).__mro__:
        if base.__module__.startswith("pkl."):
            found |= {
                name
                for name, value in vars(base).items()
                if not name.startswith("_") and inspect.isfunction(value)
            }
    return sorted(found - KERNEL_ONLY.get(owner, set()))


KERNEL_ONLY = {
    "Hook": {"chosen", "history"},
    "Plugin": {"move"},
    "ResourceManager": {"activate", "clean", "clean_up", "cleaned", "take"},
    "StopToken": {"announce"},
    "Task": {"is_current"},
    "Timer": {"arelease", "release"},
}
"""Methods that the kernel calls, or that the section of another class has."""


DOCUMENTED = ["PluginHost", "Plugin", "Resource", "ResourceManager", "Timer", "Task", "StopToken"]


@pytest.mark.parametrize("owner", DOCUMENTED)
def test_every_method_is_in_the_reference(owner: str) -> None:
    assert set(members(owner)) <= {each.name for each in ENTRIES if each.owner == owner}


def test_the_table_of_transitions_is_that_of_the_code() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| (.*→.*) \|$", text, flags=re.MULTILINE)
    written = {
        state: dict(move.split(" → ") for move in moves.split(", ")) for state, moves in rows
    }
    assert written == {
        state.value: {action.value: to.value for action, to in moves.items()}
        for state, moves in TRANSITIONS.items()
    }
