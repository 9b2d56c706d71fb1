"""The words of every refusal: who demands what, what there is, why each is out, what to type."""

from __future__ import annotations

from textwrap import dedent
from typing import Any, List, Optional

import pytest

from pkl.model.candidate import Candidate, Origin
from pkl.model.state import Desired, Reason
from pkl.resolver import resolve

from .making import listed, made


def line_of(_file: str, text: str) -> Optional[int]:
    """Every requirement stands in the line that its length gives."""
    return len(text)


def explained(name: str, *candidates: Candidate, full: bool = False, **terms: Any) -> str:
    return resolve(candidates, line_of=line_of, **terms).explain(name, full)


def same(text: str, expected: str) -> None:
    assert text == dedent(expected).strip("\n")


DIAMOND = [
    listed("app", requires=["left", "right"]),
    listed("left", requires=["core<2"]),
    listed("right", requires=["core>=2"]),
    listed("core==1.0"),
    listed("core==2.0"),
]


def test_diamond() -> None:
    same(
        explained("app", *DIAMOND, roots=["app"]),
        """
        app 1.0 cannot start (unsatisfied)
          app 1.0 requires left (registry)
          app 1.0 requires right (registry)
          left 1.0 requires core<2 (registry)
          right 1.0 requires core>=2 (registry)
          core 2.0 (registry): not for left
          core 1.0 (registry): not for right
        cause: left 1.0 requires core<2, but right 1.0 requires core>=2
        repair: pkl upgrade left
        """,
    )


def test_diamond_of_which_one_side_starts() -> None:
    """What is decided first stays; the other side and what needs it name both."""
    candidates = [made("app", requires=["left", "right"]), made("left", requires=["core<2"])]
    candidates += [made("right", requires=["core>=2"]), *DIAMOND[3:]]
    same(
        explained("app", *candidates),
        """
        app 1.0 cannot start (requirement-blocked)
          app 1.0 requires right (acme_app/plugin.toml:5)
          right 1.0 requires core>=2 (acme_right/plugin.toml:7)
          left 1.0 requires core<2 (acme_left/plugin.toml:6)
          core 2.0 (registry): not for left
          core 1.0 (registry): not for right
        cause: left 1.0 requires core<2, but right 1.0 requires core>=2
        repair: pkl upgrade left, or pkl disable left
        """,
    )


def test_the_full_proof_has_every_fact_and_conclusion_by_number() -> None:
    same(
        explained("app", *DIAMOND, roots=["app"], full=True),
        """
        app 1.0 cannot start (unsatisfied)
          app 1.0 requires left (registry)
          app 1.0 requires right (registry)
          left 1.0 requires core<2 (registry)
          right 1.0 requires core>=2 (registry)
          core 2.0 (registry): not for left
          core 1.0 (registry): not for right
          the proof in full:
            1. app 1.0 requires left
            2. app 1.0 requires right
            3. left 1.0 requires core<2
            4. right 1.0 requires core>=2
            5. so there cannot be app 1.0 (from 1, 2, 3, 4)
            6. so app cannot start (from 5)
        cause: left 1.0 requires core<2, but right 1.0 requires core>=2
        repair: pkl upgrade left
        """,
    )


def test_impossible() -> None:
    same(
        explained(
            "audit",
            made("audit==1.4.0", requires=["auth>=1.2,<2"]),
            made("auth==1.0"),
            listed("auth==0.9"),
            listed("auth==2.1"),
        ),
        """
        audit 1.4.0 cannot start (unsatisfied)
          audit 1.4.0 requires auth>=1.2,<2 (acme_audit/plugin.toml:12)
          auth 2.1 (registry): out of bounds
          auth 1.0 (acme-auth 1.0): out of bounds
          auth 0.9 (registry): out of bounds
        cause: audit 1.4.0 requires auth>=1.2,<2, but auth is 2.1, 1.0 and 0.9
        repair: pkl install "auth>=1.2,<2"
        """,
    )


def test_missing() -> None:
    same(
        explained("audit", made("audit==1.4.0", requires=["auht>=1.2"]), made("auth==1.3")),
        """
        audit 1.4.0 cannot start (missing)
          audit 1.4.0 requires auht>=1.2 (acme_audit/plugin.toml:9)
          nothing here is or provides auht; did you mean auth?
        cause: audit 1.4.0 requires auht>=1.2, and no plugin or capability has that name
        repair: write auth in acme_audit/plugin.toml, or pkl install "auht>=1.2"
        """,
    )


def test_cycle() -> None:
    same(
        explained(
            "d",
            made("a", requires=["b"]),
            made("b", requires=["c>=1", "e"]),
            made("c", requires=["a"]),
            made("d", requires=["a"]),
            made("e"),
        ),
        """
        d 1.0 cannot start (requirement-blocked)
          d 1.0 requires a (acme_d/plugin.toml:1)
          a 1.0 requires b (acme_a/plugin.toml:1)
          b 1.0 requires c>=1 (acme_b/plugin.toml:4)
          c 1.0 requires a (acme_c/plugin.toml:1)
        cause: a -> b -> c -> a require each other in a circle
        repair: make one "requires" of the circle a "wants" or an "after", as in acme_a/plugin.toml
        """,
    )


def test_cycle_within_a_larger_component_prints_every_edge_of_it() -> None:
    text = explained(
        "a",
        made("a", requires=["b", "c"]),
        made("b", requires=["a"]),
        made("c", requires=["d"]),
        made("d", requires=["a"]),
    )
    same(
        text,
        """
        a 1.0 cannot start (cycle)
          a 1.0 requires b (acme_a/plugin.toml:1)
          a 1.0 requires c (acme_a/plugin.toml:1)
          b 1.0 requires a (acme_b/plugin.toml:1)
          c 1.0 requires d (acme_c/plugin.toml:1)
          d 1.0 requires a (acme_d/plugin.toml:1)
        cause: a -> b -> a require each other in a circle, and 2 more with them
        repair: make one "requires" of the circle a "wants" or an "after", as in acme_a/plugin.toml
        """,
    )


def test_prerelease_only() -> None:
    same(
        explained(
            "a",
            made("a", requires=["b>=2"]),
            listed("b==1.0"),
            listed("b==2.1b1"),
            prereleases=False,
        ),
        """
        a 1.0 cannot start (prerelease-only)
          a 1.0 requires b>=2 (acme_a/plugin.toml:4)
          b 2.1b1 (registry): a pre-release, which is refused
          b 1.0 (registry): out of bounds
        cause: a 1.0 requires b>=2, and only pre-releases fit: 2.1b1
        repair: pkl install "b==2.1b1"
        """,
    )


def test_conflict() -> None:
    candidates = [
        made("web", requires=["audit"]),
        made("audit==1.4.0", conflicts=["legacy-audit<2"]),
        made("legacy-audit==0.9"),
    ]
    same(
        explained("web", *candidates),
        """
        web 1.0 cannot start (requirement-blocked)
          web 1.0 requires audit (acme_web/plugin.toml:5)
          audit 1.4.0 conflicts with legacy-audit<2 (acme_audit/plugin.toml:14)
          legacy-audit 0.9 starts
        cause: audit 1.4.0 conflicts with legacy-audit<2
        repair: pkl disable legacy-audit
        """,
    )


def test_conflict_within_what_one_plugin_pulls_in() -> None:
    same(
        explained(
            "a",
            made("a", requires=["b", "c"]),
            listed("b", conflicts=["c"]),
            listed("c"),
        ),
        """
        a 1.0 cannot start (conflict)
          a 1.0 requires b (acme_a/plugin.toml:1)
          a 1.0 requires c (acme_a/plugin.toml:1)
          b 1.0 conflicts with c (registry)
        cause: b 1.0 conflicts with c
        repair: pkl upgrade b
        """,
    )


def test_capability_in_the_wrong_version() -> None:
    same(
        explained(
            "a",
            made("a", requires=["audit-log>=2"]),
            made("p==4.0", provides=["audit-log==1.1"]),
        ),
        """
        a 1.0 cannot start (capability)
          a 1.0 requires audit-log>=2 (acme_a/plugin.toml:12)
          p 4.0 provides audit-log==1.1: out of bounds
        cause: a 1.0 requires audit-log>=2, but p 4.0 provides audit-log==1.1
        repair: pkl upgrade p
        """,
    )


def test_capability_with_no_provider() -> None:
    same(
        explained("a", made("a", requires=["audit-log>=2"])),
        """
        a 1.0 cannot start (missing)
          a 1.0 requires audit-log>=2 (acme_a/plugin.toml:12)
          nothing here is or provides audit-log
        cause: a 1.0 requires audit-log>=2, and no plugin or capability has that name
        repair: pkl install "audit-log>=2"
        """,
    )


def test_capability_whose_provider_cannot_start() -> None:
    same(
        explained(
            "a",
            made("a", requires=["log"]),
            made("p", provides=["log"], requires_host=">=3"),
            host_version="2.1",
        ),
        """
        a 1.0 cannot start (requirement-blocked)
          a 1.0 requires log (acme_a/plugin.toml:3)
          p 1.0 needs host >=3, and this host is 2.1 (acme-p 1.0)
        cause: p 1.0 needs host >=3, and this host is 2.1
        repair: run it with host >=3, or try an older one: pkl install "p<1.0"
        """,
    )


def test_host_too_old() -> None:
    same(
        explained("a", made("a==2.0", requires_host=">=3"), host_version="2.1"),
        """
        a 2.0 cannot start (host-version)
          a 2.0 needs host >=3, and this host is 2.1 (acme-a 2.0)
        cause: a 2.0 needs host >=3, and this host is 2.1
        repair: run it with host >=3, or try an older one: pkl install "a<2.0"
        """,
    )


def test_wrong_python() -> None:
    same(
        explained(
            "b",
            made("b", requires=["a"]),
            made("a", requires_python=">=3.13"),
            listed("a==2.0", requires_python=">=3.14"),
            python_version="3.11.4",
        ),
        """
        b 1.0 cannot start (requirement-blocked)
          b 1.0 requires a (acme_b/plugin.toml:1)
          a 1.0 needs Python >=3.13, and this is 3.11.4 (acme-a 1.0)
          a 2.0 (registry): needs Python >=3.14
          a 1.0 (acme-a 1.0): needs Python >=3.13
        cause: a 1.0 needs Python >=3.13, and this is 3.11.4
        repair: run it with Python >=3.13
        """,
    )


def test_collision() -> None:
    same(
        explained(
            "b",
            made("b", requires=["a"]),
            made("a", distribution="acme-a", location="/site/acme_a"),
            made("a==2.0", origin=Origin.DIRECTORY, distribution=None, location="/plugins/a"),
        ),
        """
        b 1.0 cannot start (requirement-blocked)
          b 1.0 requires a (acme_b/plugin.toml:1)
          a 1.0 from acme-a 1.0 (/site/acme_a)
          a 2.0 from /plugins/a
        cause: a is offered by acme-a 1.0 (version 1.0) and /plugins/a (version 2.0)
        repair: pip uninstall acme-a or remove /plugins/a, or set precedence=['acme-a']
        """,
    )


def test_masked() -> None:
    same(
        explained("a", made("a", requires=["b"]), made("b"), desired={"b": Desired.MASKED}),
        """
        a 1.0 cannot start (requirement-blocked)
          a 1.0 requires b (acme_a/plugin.toml:1)
          b is masked (acme-b 1.0)
        cause: b is masked
        repair: pkl enable b
        """,
    )


def test_disabled() -> None:
    same(
        explained("a", made("a"), desired={"a": Desired.DISABLED}),
        """
        a is disabled, and nothing that starts requires it
        repair: pkl enable a
        """,
    )


def chain(length: int) -> List[Candidate]:
    found = [made(f"p{i:02d}", requires=[f"p{i + 1:02d}"]) for i in range(length)]
    return [*found, made(f"p{length:02d}", requires=["z>=2"]), made("z")]


def test_a_chain_ten_deep_ends_at_the_root_cause() -> None:
    same(
        explained("p00", *chain(9)),
        """
        p00 1.0 cannot start (requirement-blocked)
          p00 1.0 requires p01 (acme_p00/plugin.toml:3)
          p01 1.0 requires p02 (acme_p01/plugin.toml:3)
          p02 1.0 requires p03 (acme_p02/plugin.toml:3)
          p03 1.0 requires p04 (acme_p03/plugin.toml:3)
          p04 1.0 requires p05 (acme_p04/plugin.toml:3)
          p05 1.0 requires p06 (acme_p05/plugin.toml:3)
          p06 1.0 requires p07 (acme_p06/plugin.toml:3)
          p07 1.0 requires p08 (acme_p07/plugin.toml:3)
          p08 1.0 requires p09 (acme_p08/plugin.toml:3)
          p09 1.0 requires z>=2 (acme_p09/plugin.toml:4)
          z 1.0 (acme-z 1.0): out of bounds
        cause: p09 1.0 requires z>=2, but z is 1.0
        repair: pkl install "z>=2"
        """,
    )


def test_of_a_longer_chain_the_last_dozen_steps_are_shown_unless_all_are_asked_for() -> None:
    short = explained("p00", *chain(30)).splitlines()
    assert short[1] == "  ... 20 more before these; --full shows them"
    assert len(short) == 1 + 1 + 12 + 2
    assert len(explained("p00", *chain(30), full=True).splitlines()) == 1 + 32 + 2


def test_one_that_starts_says_who_needs_it_and_what_it_is_bound_to() -> None:
    same(
        explained(
            "auth",
            made("auth==1.3", requires=["store"]),
            made("db==2.0", provides=["store==1"]),
            made("audit", requires=["auth>=1.2,<2"]),
            made("web", wants=["auth"]),
        ),
        """
        auth 1.3 starts in layer 1 (acme-auth 1.3)
          audit 1.0 requires auth>=1.2,<2 (acme_audit/plugin.toml:12)
          web 1.0 wants auth (acme_web/plugin.toml:4)
          auth 1.3 requires store (acme_auth/plugin.toml:5): db 2.0
        """,
    )


def test_candidates_that_are_out_are_listed_with_what_each_lacks() -> None:
    same(
        explained(
            "b",
            made("b", requires=["a"]),
            listed("a==3.0", requires=["nope"]),
            listed("a==2.0", requires=["b>=5"]),
            listed("a==1.0", requires_python=">=9"),
        ),
        """
        b 1.0 cannot start (requirement-blocked)
          b 1.0 requires a (acme_b/plugin.toml:1)
          a 3.0 requires nope (registry)
          nothing here is or provides nope
          a 3.0 (registry): requires nope
          a 2.0 (registry): requires b>=5
          a 1.0 (registry): needs Python >=9
        cause: a 3.0 requires nope, and no plugin or capability has that name
        repair: pkl install nope
        """,
    )


def test_an_unknown_name_gets_a_guess_and_a_capability_its_providers() -> None:
    same(explained("storge", made("storage")), "storge is not known; did you mean storage?")
    same(
        explained("log", made("p", provides=["log==1.1"])),
        """
        log is not known
          p 1.0 provides log==1.1
        """,
    )


def test_what_is_not_asked_for_says_so() -> None:
    text = explained("b", made("a"), made("b"), roots=["a"])
    assert text == "b is not asked for, and nothing that starts requires it"


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\u202e", "\x07"])
def test_what_a_plugin_wrote_cannot_reach_the_terminal_unseen(hidden: str) -> None:
    fault = Reason("manifest", f"a{hidden}b\nnext", f"c{hidden}", f"d{hidden}")
    plan = resolve([made("a", fault=fault, distribution=f"x{hidden}"), made("b", requires=["a"])])
    for text in (plan.explain("a"), plan.explain("b"), *plan.blocked["b"]):
        assert hidden not in text
    assert "\n  next" in plan.explain("a")
