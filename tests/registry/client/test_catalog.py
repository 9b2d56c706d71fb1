"""Several registries as one: search, names of two registries, and what may be chosen here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import pytest

from pkl.errors import RegistryAbsent, RegistryUnreachable
from pkl.model.candidate import Candidate, Origin
from pkl.model.known_registry import KnownRegistry
from pkl.registry.cache import Cache
from pkl.registry.catalog import Catalog
from pkl.registry.client import RegistryClient
from pkl.registry.fitting import misfits
from tests.registry.client.site import NOW, Site

Make = Callable[..., Catalog]


@pytest.fixture
def main() -> Site:
    """A registry that has ``audit``, ``audit-log`` and ``web``."""
    site = Site()
    site.add("audit", "1.0.0", summary="Writes who did what")
    site.add("audit", "2.0.0", summary="Writes who did what", requires=["auth>=1"])
    site.add("audit-log", summary="A log")
    site.add("web", summary="Serves the audit to browsers")
    return site


@pytest.fixture
def other() -> Site:
    """A registry that has ``audit`` too, and ``lint-audit``."""
    site = Site()
    site.add("audit", "9.0.0", distribution="evil-audit")
    site.add("lint-audit")
    return site


@pytest.fixture
def catalog(tmp_path: Path, main: Site, other: Site) -> Make:
    """Makes the catalog of both, as directories."""

    def make(only: Optional[str] = None, **known: Dict[str, Any]) -> Catalog:
        def client(each: KnownRegistry) -> RegistryClient:
            cache = Cache(each.url, str(tmp_path / "cache"))
            return RegistryClient(each, cache=cache, clock=lambda: NOW)

        registries = [
            KnownRegistry(name, site.write(tmp_path / name), **known.get(name, {}))
            for name, site in (("main", main), ("other", other))
        ]
        return Catalog(registries, only, client=client)

    return make


def found(catalog: Catalog, *words: str) -> Tuple[str, ...]:
    """The names that a search finds, with the registry."""
    return tuple(f"{hit.registry}:{hit.entry.name}" for hit in catalog.search(words).hits)


def test_a_search_puts_first_what_is_called_so(catalog: Make) -> None:
    assert found(catalog(), "Audit") == (
        "main:audit",
        "other:audit",
        "main:audit-log",
        "other:lint-audit",
        "main:web",
    )


def test_every_word_must_be_there(catalog: Make) -> None:
    assert found(catalog(), "audit", "browsers") == ("main:web",)
    assert found(catalog(), "audit", "nowhere") == ()
    assert found(catalog(), "audit_LOG") == ("main:audit-log",)


def test_without_a_word_a_search_finds_all(catalog: Make) -> None:
    assert len(found(catalog())) == 5


def test_a_registry_that_cannot_be_asked_hides_no_other(catalog: Make, tmp_path: Path) -> None:
    made = catalog()
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    search = made.search(["audit"])
    assert [hit.registry for hit in search.hits] == ["other", "other"]
    (problem,) = search.problems
    assert isinstance(problem, RegistryAbsent)
    assert problem.registry == "main"


def test_only_the_registry_that_is_meant_is_asked(catalog: Make) -> None:
    assert found(catalog("Other"), "audit") == ("other:audit", "other:lint-audit")
    assert catalog("other").names() == ("audit", "lint-audit")


def test_no_registry_and_no_such_registry_are_absent(catalog: Make) -> None:
    with pytest.raises(RegistryAbsent, match="no registry is known here") as caught:
        Catalog([])
    assert caught.value.hint == "pkl registry add NAME URL"
    with pytest.raises(RegistryAbsent, match="did you mean 'main'") as caught:
        catalog("mian")
    assert caught.value.hint == "pkl registry list shows those that are"


def by_version(candidates: Tuple[Candidate, ...]) -> Dict[str, Optional[str]]:
    """The code of the fault of each version."""
    return {each.version: each.fault.code if each.fault else None for each in candidates}


def test_the_versions_of_a_plugin_are_candidates(catalog: Make, tmp_path: Path) -> None:
    first, second = catalog("main").candidates("AUDIT")
    assert (first.version, second.version) == ("2.0.0", "1.0.0")
    assert first.origin is Origin.REGISTRY
    assert first.source == "acme-audit 2.0.0"
    assert first.target == (tmp_path / "main").as_uri() + "/pkl/v1/p/audit.json"
    assert [str(each) for each in first.metadata.requires] == ["auth>=1"]
    assert first.location is None
    assert first.fault is None


def test_a_name_in_two_registries_is_a_collision_with_both(catalog: Make, tmp_path: Path) -> None:
    made = catalog()
    candidates = made.candidates("audit")
    assert by_version(candidates) == {
        "2.0.0": "collision",
        "1.0.0": "collision",
        "9.0.0": "collision",
    }
    fault = candidates[0].fault
    assert fault is not None
    there = (tmp_path / "main").as_uri()
    assert fault.message == (
        f"plugin audit is in several registries: main ({there}) and "
        f"other ({(tmp_path / 'other').as_uri()})"
    )
    assert fault.remedy == (f"to let one of them win: pkl registry add main {there} --wins")
    assert by_version(made.candidates("web")) == {"1.0.0": None}


def test_a_registry_that_the_user_lets_win_wins_and_that_is_noted(catalog: Make) -> None:
    made = catalog(other={"wins": True})
    assert by_version(made.candidates("audit")) == {"9.0.0": None}
    assert made.notes == ["audit: taken from the registry other, which wins over main"]


def test_what_is_revoked_is_no_choice_and_says_why(catalog: Make, main: Site) -> None:
    main.revoke("audit", "2.0", reason="Leaks \x1b[31mtokens")
    made = catalog("main")
    assert by_version(made.candidates("audit")) == {"2.0.0": "revoked", "1.0.0": None}
    fault = made.candidates("audit")[0].fault
    assert fault is not None
    assert fault.message.isprintable()
    assert fault.message.startswith("audit 2.0 was revoked by its registry: Leaks ")
    assert fault.remedy == "install another version of it, or do without it: pkl disable audit"


def test_what_is_withdrawn_is_a_choice_only_for_who_pinned_it(catalog: Make, main: Site) -> None:
    main.add("audit", "3.0.0", yanked="too slow")
    made = catalog("main")
    assert by_version(made.candidates("audit"))["3.0.0"] == "yanked"
    assert by_version(made.candidates("audit", pinned="3.0.0"))["3.0.0"] is None
    fault = made.candidates("audit")[0].fault
    assert fault is not None
    assert fault.message == "audit 3.0.0 was withdrawn: too slow"


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("cp27-cp27m-win32", False),
    ],
)
def test_what_has_no_wheel_for_this_platform_is_no_choice(
    catalog: Make, main: Site, tags: str, fits: bool
) -> None:
    main.add("native", tags=tags)
    code = by_version(catalog("main").candidates("native"))["1.0.0"]
    assert code == (None if fits else "platform")


def test_why_a_version_does_not_fit_is_said_with_every_reason(main: Site) -> None:
    main.revoke("old", "1.0.0", reason="Broken")
    main.add(
        "old",
        yanked="",
        tags="cp27-cp27m-win32",
        requires_python="<3.9",
        requires_host=">=2,<3",
    )
    (release,) = main.pages["old"].releases
    said = misfits(
        main.pages["old"], release, main.revoked, host_version="3.1", python_version="3.11.2"
    )
    assert said == [
        "revoked: Broken",
        "withdrawn",
        "needs Python <3.9, and this is 3.11.2",
        "needs host >=2,<3, and this is 3.1",
        "has no wheel for this Python and platform, only for cp27-cp27m-win32",
    ]
    assert not misfits(
        main.pages["web"], main.pages["web"].releases[0], main.revoked, host_version=None
    )


def test_of_which_registry_a_name_is_cannot_be_told_while_one_is_out(
    catalog: Make, tmp_path: Path
) -> None:
    """Else a registry that is cut off would lose its names to another."""
    made = catalog()
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    with pytest.raises((RegistryAbsent, RegistryUnreachable)):
        made.candidates("audit")
