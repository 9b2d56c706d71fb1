"""Updates that nobody consented to are held, and the rest is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest

from pkl.errors import NoSolution, UpdateHeld, UsageError
from pkl.install.consent.consenting import keep_consents, with_consents
from pkl.install.consent.holding import (
    Held,
    Settled,
    held_back,
    held_reason,
    parse_consents,
    settle,
)
from pkl.install.consent.keeping import Keeping
from pkl.install.solution import Chosen, Solution
from pkl.install.wanted import Root, RootKind
from pkl.model.manifest import PluginMetadata
from pkl.model.requirement import version_key
from pkl.model.state import Reason
from pkl.store import Consent, HeldUpdate, HostState, StateStore
from tests.install.chosen import OTHER_KEY, chosen, library, wheel
from tests.store.clock import Hand

THREADS = {"permissions": {"threads": True}}
NET = {"permissions": {"net-connect": ["*:443"]}}


class Shelf:
    """Solves by taking the highest version of each plugin that its market lets it take."""

    def __init__(self, *offers: Chosen) -> None:
        self._offers = offers
        self.asked: List[Tuple[str, ...]] = []

    def offers(self, plugin: str) -> Tuple[Chosen, ...]:
        return tuple(each for each in self._offers if each.plugins[0].name == plugin)

    def problem(self, plugin: str, version: str) -> Optional[Reason]:
        return None

    def indexes(self) -> Tuple[str, ...]:
        return ("https://example.org/simple",)

    def given(self) -> Tuple[Chosen, ...]:
        return ()

    def listed(self, distribution: str, version: str, registry: str = "") -> Optional[Chosen]:
        return None

    def versions(self, distribution: str) -> Tuple[str, ...]:
        return ()

    def carried(self, distribution: str) -> Tuple[str, ...]:
        return ()

    def providers(self, capability: str) -> Tuple[str, ...]:
        return ()

    def solve(self, held: Tuple[Held, ...]) -> Solution:
        self.asked.append(tuple(each.plugin for each in held))
        market = Keeping(self, held)
        assert market.indexes() == self.indexes()
        assert (market.given(), market.listed("six", "1.0")) == ((), None)
        assert (market.versions("six"), market.carried("six"), market.providers("six")) == (
            (),
            (),
            (),
        )
        found: Dict[str, Chosen] = {}
        for name in sorted({each.plugins[0].name for each in self._offers}):
            free = [
                each for each in market.offers(name) if market.problem(name, each.version) is None
            ]
            found[name] = max(free, key=lambda each: version_key(each.version))
        for name, each in found.items():
            for need in each.plugins[0].requires:
                if not need.contains(found[need.name].version):
                    raise NoSolution("nothing fits", proof=(f"{name} requires {need.text}",))
        return Solution((), tuple(found.values()))


def settled(
    before: Sequence[Chosen], *offers: Chosen, state: Optional[HostState] = None, **more: Any
) -> Settled:
    """What may be taken of these offers."""
    return settle(before, Shelf(*offers).solve, state or HostState(), **more)


def versions(found: Settled) -> Mapping[str, str]:
    """The versions that are taken, by plugin."""
    return {each.plugins[0].name: each.version for each in found.solution.chosen}


def test_an_update_that_asks_for_more_is_held_and_the_rest_is_taken() -> None:
    before = [chosen("audit"), chosen("mail")]
    found = settled(before, chosen("audit", "1.1", NET), chosen("mail", "2.0"))
    assert versions(found) == {"audit": "1.0", "mail": "2.0"}
    (held,) = found.held
    assert held.text() == 'audit 1.0 → 1.1: asks for net-connect "*:443"'
    assert held.as_dict()["consent"] == held.consent == "audit==1.1"
    assert found.consented == ()
    with pytest.raises(UpdateHeld) as error:
        found.refuse()
    assert error.value.exit_status == 8
    assert str(error.value) == (
        "1 update is held\n"
        'audit 1.0 -> 1.1: asks for net-connect "*:443"\n'
        "hint: to consent, say the same with --consent audit==1.1"
    )
    assert (error.value.plugin, error.value.version) == ("audit", "1.1")
    assert error.value.details["held"] == [held.as_dict()]


def test_nothing_is_held_that_asks_for_nothing_new() -> None:
    before = [chosen("audit", "1.0", NET), chosen("mail")]
    found = settled(before, chosen("audit", "1.1"), chosen("mail", "2.0"))
    assert versions(found) == {"audit": "1.1", "mail": "2.0"}
    assert (found.held, found.consented, found.notes) == ((), (), ())
    found.refuse()


def test_a_first_installation_is_consented_to_with_the_installation() -> None:
    new = chosen("audit", "1.0", NET)
    found = settled([], new)
    assert [(each.name, changes[0].key) for each, changes in found.consented] == [
        ("acme-audit", "net-connect")
    ]


def test_a_consent_lets_the_very_version_in() -> None:
    before, new = [chosen("audit")], chosen("audit", "1.1", NET)
    taken = settled(before, new, accepted=parse_consents(["Audit == 1.1.0"]))
    assert versions(taken) == {"audit": "1.1"}
    assert [each.key for _, changes in taken.consented for each in changes] == ["net-connect"]
    other = settled(before, new, accepted=parse_consents(["audit==1.2"]))
    assert versions(other) == {"audit": "1.0"}
    assert other.notes == ("--consent audit==1.2: nothing of that version had to be consented to",)


def test_a_consent_may_name_the_distribution_or_the_version_of_the_plugin() -> None:
    new = replace(chosen("audit", "1.1", NET), version="2026.1")
    before = [replace(chosen("audit"), version="2025.9")]
    for text in ("acme-audit==2026.1", "audit==2026.1", "audit==1.1"):
        assert not settle(
            before, lambda _: Solution((), (new,)), HostState(), accepted=parse_consents([text])
        ).held


@pytest.mark.parametrize(
    "text", ["audit", "audit==", "==1.1", "audit>=1.1", "audit==one", "", "-y"]
)
def test_a_consent_has_to_name_a_version(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_consents([text])
    assert f"--consent {text!r} does not say to which version" in error.value.message
    assert "--consent NAME==VERSION" in error.value.hint


def test_a_consent_of_earlier_still_holds_but_not_for_more() -> None:
    state = HostState().with_consent("audit", "net-connect", Consent(["*:443"], "1.1"))
    before = [chosen("audit")]
    assert not settled(before, chosen("audit", "1.2", NET), state=state).held
    more = {"permissions": {"net-connect": ["*:443", "*:80"]}}
    assert settled(before, chosen("audit", "1.2", more), state=state).held


def test_what_depends_on_a_held_update_is_solved_around_it() -> None:
    needs_new = chosen("mail", "2.0", {"requires": ["audit>=1.1"], **THREADS})
    needs_old = chosen("mail", "1.0", {"requires": ["audit"]})
    shelf = Shelf(chosen("audit", "1.1", NET), needs_old)
    found = settle([chosen("audit"), needs_old], shelf.solve, HostState())
    assert shelf.asked == [(), ("audit",)]
    assert versions(found) == {"audit": "1.0", "mail": "1.0"}
    with pytest.raises(UpdateHeld) as error:
        settled([chosen("audit")], chosen("audit", "1.1", NET), needs_new)
    assert str(error.value) == (
        "1 update is held\n"
        'audit 1.0 -> 1.1: asks for net-connect "*:443"\n'
        "nothing was changed: without it there is no solution:\n"
        "mail requires audit>=1.1\n"
        "hint: to consent, say the same with --consent audit==1.1"
    )


@pytest.mark.parametrize(
    "root",
    [
        Root("audit", "audit==1.1"),
        Root("audit", "audit==1.1", RootKind.WHEEL, "/wheels/audit.whl"),
    ],
)
def test_who_asks_for_the_very_version_that_is_held_is_told_so(root: Root) -> None:
    new = chosen("audit", "1.1", NET)

    def solve(held: Tuple[Held, ...]) -> Solution:
        if held:
            raise NoSolution("nothing fits", proof=("line by line",))
        return Solution((root,), (new,))

    with pytest.raises(UpdateHeld) as error:
        settle([chosen("audit")], solve, HostState())
    assert error.value.message.splitlines()[1:] == [
        'audit 1.0 -> 1.1: asks for net-connect "*:443"',
        "nothing was changed: the very version was asked for",
    ]


def test_where_nothing_is_held_no_solution_is_no_solution() -> None:
    def solve(held: Tuple[Held, ...]) -> Solution:
        raise NoSolution("nothing fits")

    with pytest.raises(NoSolution):
        settle([chosen()], solve, HostState())


def test_a_solve_that_does_not_keep_what_is_held_is_refused() -> None:
    new = chosen("audit", "1.1", NET)
    with pytest.raises(UpdateHeld):
        settle([chosen()], lambda _: Solution((), (new,)), HostState())


def test_what_the_wheel_says_counts_and_not_what_the_page_says() -> None:
    said = chosen("audit", "1.1")
    looked: List[str] = []

    def inspect(each: Chosen) -> Chosen:
        looked.append(each.name)
        true = {"name": "audit", "version": "1.1", **THREADS, "tier": "in-process"}
        return replace(each, plugins=(PluginMetadata(true),))

    before = [chosen("audit"), chosen("mail")]
    found = settled(before, said, chosen("mail"), inspect=inspect)
    assert [each.text() for each in found.held] == ["audit 1.0 → 1.1: asks for threads"]
    assert looked == ["acme-audit"]


def test_of_a_wheel_that_is_there_the_manifest_of_the_wheel_is_kept() -> None:
    true = chosen("audit", "1.0", {**THREADS, "tier": "sandbox"})
    found = settled([true], chosen("audit"))
    assert found.solution.chosen[0].plugins == true.plugins
    assert not found.held


def test_another_wheel_of_the_same_version_is_an_update() -> None:
    new = chosen("audit", signer=OTHER_KEY, wheel=wheel("acme-audit", "1.0.0", 0))
    found = settled([chosen("audit")], new)
    assert [each.changes[0].kind for each in found.held] == ["signer"]


def test_the_very_wheel_from_elsewhere_changes_nothing_and_the_next_is_held() -> None:
    """So that a registry that changes its key does not hold up what stays as it is."""
    before = chosen("audit")
    found = settled([before], chosen("audit", signer=OTHER_KEY, registry="other"))
    assert (found.held, found.solution.chosen) == ((), (before,))
    later = settled(found.solution.chosen, chosen("audit", "1.1", signer=OTHER_KEY))
    assert [each.changes[0].kind for each in later.held] == ["signer"]


def test_a_plugin_that_moves_to_another_distribution_is_an_update() -> None:
    new = chosen("audit", "1.1", distribution="evil-audit")
    with pytest.raises(UpdateHeld) as error:
        settle([chosen()], lambda _: Solution((), (new,)), HostState())
    assert "is in the distribution evil-audit, and 1.0 was in acme-audit" in str(error.value)


def test_what_takes_the_place_of_a_project_used_in_place_is_a_first_installation() -> None:
    found = settled([chosen("audit", editable="/src", registry="", signer="")], chosen("audit"))
    assert found.held == ()


def test_libraries_are_never_held() -> None:
    new = library("six", "2.0", requires=("evil",))
    found = settle([library("six")], lambda _: Solution((), (new,)), HostState())
    assert (found.held, found.solution.chosen) == ((), (new,))


def test_a_held_plugin_has_no_other_candidate_and_keeps_one_that_was_withdrawn() -> None:
    old, new = chosen("audit"), chosen("audit", "1.1", NET)
    (held,) = settled([old], new).held

    class Withdrawn(Shelf):
        code = "yanked"

        def problem(self, plugin: str, version: str) -> Optional[Reason]:
            return Reason(self.code, "", "", "") if version == "1.0" else None

    shelf = Withdrawn(old, new, chosen("mail"))
    market = Keeping(shelf, (held,))
    assert market.offers("audit") == (old, new)
    assert market.problem("audit", "1.0") is None
    assert market.problem("audit", "1.1") == held_reason(held)
    assert held_reason(held) == Reason(
        "held",
        'audit 1.1 is held at 1.0: asks for net-connect "*:443"',
        "audit 1.1 asks for what nobody has consented to",
        "pkl upgrade audit --consent audit==1.1",
    )
    assert market.problem("mail", "1.0") == shelf.problem("mail", "1.0")
    shelf.code = "revoked"
    revoked = market.problem("audit", "1.0")
    assert revoked is not None and revoked.code == "revoked"


def test_of_a_solution_from_a_lock_the_old_version_is_put_back_if_that_works() -> None:
    old = chosen("audit", requires=("six<2", "pip", "x @ y", 'evil; sys_platform == "no"'))
    new = chosen("audit", "1.1", NET, requires=("six",))
    held = (Held(old, new, settled([old], new).held[0].changes),)
    locked = Solution((), (new, library("six", "1.9")))
    assert held_back(locked, held).chosen == (old, library("six", "1.9"))
    with pytest.raises(UpdateHeld) as error:
        held_back(Solution((), (new, library("six", "2.0"))), held)
    assert "nothing was changed: acme-audit 1.0 would stay, and requires six<2" in str(error.value)


def test_consents_and_held_updates_are_kept(tmp_path: Path) -> None:
    store = StateStore(str(tmp_path), clock=Hand())
    before = [chosen("audit"), chosen("mail"), chosen("db")]
    new = [
        chosen("audit", "1.1", NET, requires=("six",), signer=OTHER_KEY),
        chosen("mail", "1.1", THREADS),
        chosen("db", "1.1", THREADS),
    ]
    found = settled(before, *new, accepted=parse_consents(["audit==1.1", "db==1.1"]))
    keep_consents(store, "shop", found, by="pkl upgrade")
    state = store.read("shop").state
    stamp = store.now()
    consents = state.record("audit").consents
    assert consents["net-connect"] == Consent(["*:443"], "1.1", stamp, "pkl upgrade")
    assert consents["dependency:six"].value is True
    assert consents["signer"].value == [
        "acme-audit acme SHA256:aaaa",
        "acme-audit acme SHA256:bbbb",
    ]
    assert state.record("db").held is None
    assert state.record("mail").held == HeldUpdate(
        "1.1", ("asks for threads",), "mail==1.1", stamp, "pkl upgrade"
    )
    assert not settled(before, *new[:1], state=state).held


def test_a_held_update_is_forgotten_when_it_is_taken_or_the_plugin_goes() -> None:
    held = HeldUpdate("1.1", ("asks for threads",), "mail==1.1", "then", "pkl upgrade")
    state = HostState().with_held("mail", held).with_held("gone", held)

    def after(*there: Chosen) -> HostState:
        found = Settled(Solution((), there))
        return with_consents(state, found, since="now", by="pkl install x")

    assert after(chosen("mail")).record("mail").held == held
    assert after(chosen("mail", "1.1")).record("mail").held is None
    assert after(chosen("mail")).record("gone").held is None
    again = settled([chosen("mail")], chosen("mail", "1.1", THREADS))
    later = with_consents(state, again, since="now", by="pkl sync").record("mail").held
    assert later is not None and (later.since, later.by) == ("then", "pkl upgrade")
