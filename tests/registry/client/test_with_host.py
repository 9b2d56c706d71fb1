"""Hosts and registries: plans over both, and revoked versions that do not start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Iterator, List, Sequence

import pytest

import pkl
from pkl.errors import PluginNotFound, RegistryAbsent, RegistryError, StateCorrupt
from pkl.model.known_registry import KnownRegistry
from pkl.registry.client import RegistryClient
from pkl.store import RegistryBook
from tests.discovery.fakes import install
from tests.registry.client.site import Site

Make = Callable[..., pkl.PluginHost]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on ``sys.path`` with ``auth`` 1.0.0 and ``web`` that requires it."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    directory = tmp_path / "site-packages"
    directory.mkdir()
    monkeypatch.syspath_prepend(str(directory))
    add(directory, "auth")
    add(directory, "web", requires=["auth>=1"])
    return directory


def add(directory: Path, name: str, version: str = "1.0.0", requires: Sequence[str] = ()) -> None:
    """Installs a distribution ``acme-NAME`` with a plugin whose code does nothing."""
    package = f"acme_{name}"
    install(
        directory,
        f"acme-{name}",
        version,
        entry_points={"shop.plugins": {name: package}},
        files={
            f"{package}/__init__.py": "",
            f"{package}/plugin.py": "",
            f"{package}/plugin.toml": f'name = "{name}"\nrequires = {list(requires)!r}\n',
        },
    )


@pytest.fixture
def site() -> Site:
    """A registry with later versions of ``auth``, and ``audit`` that requires one of them."""
    site = Site()
    site.expires = None
    for version in ("1.0.0", "1.5.0", "2.0.0"):
        site.add("auth", version)
    site.add("audit", "1.0.0", requires=["auth>=1.2,<2", "log"], wants=["chart"])
    site.add("log")
    site.add("chart", requires=["nothing-of-the-kind"])
    site.add("unrelated")
    return site


@pytest.fixture
def known(here: Path, site: Site, tmp_path: Path) -> Callable[..., None]:
    """Writes the registry, makes it known, and contacts it."""

    def publish(**facts: Any) -> None:
        url = site.write(tmp_path / "main")
        book = RegistryBook()
        book.change(lambda now: now or (KnownRegistry("main", url, **facts),))
        RegistryClient(book.read().registries[0], note=book.note).index()

    return publish


@pytest.fixture
def make(here: Path) -> Iterator[Make]:
    """Makes hosts; closes them in the end."""
    hosts: List[pkl.PluginHost] = []

    def create(name: Any = "shop", **more: Any) -> pkl.PluginHost:
        hosts.append(pkl.PluginHost(name, version="2.1", group="shop.plugins", **more))
        return hosts[-1]

    yield create
    for each in hosts:
        each.close()


def chosen(plan: Any) -> "dict[str, tuple[str, str]]":
    """The version of each step, and where it is from."""
    return {s.name: (s.version, str(s.candidate.origin)) for s in plan.steps}


# Planning


def test_what_is_not_installed_is_planned_from_the_registry_with_what_it_needs(
    make: Make, known: Callable[..., None]
) -> None:
    known()
    plan = make().resolve("audit", registry=True)
    assert chosen(plan) == {
        "auth": ("1.5.0", "registry"),
        "log": ("1.0.0", "registry"),
        "audit": ("1.0.0", "registry"),
    }
    assert [s.name for s in plan.steps][-1] == "audit"


def test_without_the_registry_it_is_not_there(make: Make, known: Callable[..., None]) -> None:
    known()
    with pytest.raises(PluginNotFound):
        make().resolve("audit")
    assert chosen(make().resolve()) == {
        "auth": ("1.0.0", "entry-point"),
        "web": ("1.0.0", "entry-point"),
    }


def test_without_names_what_is_installed_is_planned_at_the_highest_version(
    make: Make, known: Callable[..., None]
) -> None:
    known()
    assert chosen(make().resolve(registry=True)) == {
        "auth": ("2.0.0", "registry"),
        "web": ("1.0.0", "entry-point"),
    }


def test_what_runs_is_preferred_to_a_higher_version(make: Make, known: Callable[..., None]) -> None:
    known()
    host = make()
    host.start()
    assert chosen(host.resolve("web", registry=True))["auth"] == ("1.0.0", "entry-point")


def test_a_name_that_is_nowhere_is_not_found(make: Make, known: Callable[..., None]) -> None:
    known()
    with pytest.raises(PluginNotFound, match="'nothing'"):
        make().resolve("nothing", registry=True)


def test_a_registry_that_has_the_name_from_another_distribution_takes_nothing_over(
    make: Make, known: Callable[..., None], site: Site
) -> None:
    """Else whoever can add to a registry could replace what is installed."""
    site.add("web", "99.0.0", distribution="evil-web")
    known()
    assert chosen(make().resolve("web", registry=True))["web"] == ("1.0.0", "entry-point")


def test_which_registry_won_a_name_of_two_is_noted_in_the_plan(
    make: Make, known: Callable[..., None], tmp_path: Path
) -> None:
    other = Site()
    other.expires = None
    other.add("log", "5.0.0", distribution="other-log")
    known(wins=True)
    url = other.write(tmp_path / "other")
    RegistryBook().change(lambda now: (KnownRegistry("other", url), *now))
    plan = make().resolve("audit", registry=True)
    assert chosen(plan)["log"] == ("1.0.0", "registry")
    assert "log: taken from the registry main, which wins over other" in plan.notes
    RegistryBook().change(lambda now: tuple(each._replace(wins=False) for each in now))
    plan = make().resolve("audit", registry=True)
    assert plan.blocked["audit"].cause.startswith("plugin log is in several registries: other")


def test_with_no_registry_known_planning_over_them_is_an_error(make: Make, here: Path) -> None:
    with pytest.raises(RegistryAbsent, match="no registry is known here"):
        make().resolve("audit", registry=True)


def test_a_damaged_list_of_registries_is_an_error_and_not_a_smaller_choice(
    make: Make, known: Callable[..., None]
) -> None:
    known()
    Path(RegistryBook().path).write_bytes(b"{")
    with pytest.raises(StateCorrupt):
        make().resolve("audit", registry=True)
    assert make().start().status == "ok"


def test_a_registry_that_is_out_is_an_error_of_the_plan_and_never_of_a_start(
    make: Make, known: Callable[..., None], tmp_path: Path
) -> None:
    known()
    (tmp_path / "main" / "pkl" / "v1" / "index.json").unlink()
    host = make()
    with pytest.raises(RegistryError, match="is not there"):
        host.resolve("audit", registry=True)
    assert host.start().status == "ok"


# Revoked versions


def test_a_version_that_was_revoked_does_not_start_and_says_why(
    make: Make, known: Callable[..., None], site: Site, tmp_path: Path
) -> None:
    site.revoke("auth", "1.0", reason="Leaks tokens", distribution="Acme_Auth")
    known()
    os.rename(tmp_path / "main", tmp_path / "gone")
    host = make()
    report = host.start()
    assert report.enabled == ()
    auth, web = host.get_plugin("auth"), host.get_plugin("web")
    assert auth is not None and web is not None
    assert (auth.state.value, web.state.value) == ("blocked", "blocked")
    assert auth.reason is not None and web.reason is not None
    assert auth.reason.code == "revoked"
    assert auth.reason.message == "auth 1.0 was revoked by its registry: Leaks tokens"
    assert auth.reason.remedy == (
        "install another version of it, or do without it: pkl disable auth"
    )
    assert web.reason.cause == auth.reason.cause


@pytest.mark.parametrize(
    ("version", "distribution"), [("1.0.1", ""), ("2.0.0", ""), ("1.0.0", "other-auth")]
)
def test_another_version_or_distribution_is_not_the_one_that_was_revoked(
    make: Make, known: Callable[..., None], site: Site, version: str, distribution: str
) -> None:
    site.revoke("auth", version, distribution=distribution)
    known()
    assert set(make().start().enabled) == {"auth", "web"}


def test_a_version_that_is_revoked_no_more_starts_at_the_next_refresh(
    make: Make, known: Callable[..., None], site: Site
) -> None:
    site.revoke("auth", "1.0.0")
    known()
    host = make()
    host.start()
    site.revoked = type(site.revoked)()
    site.serial = 2
    known()
    host.refresh()
    auth = host.get_plugin("auth")
    assert auth is not None
    assert auth.state.value == "enabled"


def test_what_is_revoked_while_it_runs_runs_on_until_the_next_start(
    make: Make, known: Callable[..., None], site: Site
) -> None:
    known()
    host = make()
    host.start()
    site.revoke("auth", "1.0.0")
    site.serial = 2
    known()
    host.refresh()
    auth = host.get_plugin("auth")
    assert auth is not None
    assert auth.state.value == "enabled"
    host.close()
    assert make().start().enabled == ()


def test_a_damaged_cache_revokes_nothing_and_stops_nothing(
    make: Make, known: Callable[..., None], site: Site, tmp_path: Path
) -> None:
    site.revoke("auth", "1.0.0")
    known()
    for file in (tmp_path / "home" / "cache" / "registries").glob("*/*"):
        file.write_bytes(file.read_bytes()[:-1])
    assert set(make().start().enabled) == {"auth", "web"}


def test_a_host_without_a_name_reads_nothing(
    make: Make, known: Callable[..., None], site: Site
) -> None:
    site.revoke("auth", "1.0.0")
    known()
    assert set(make(None).start().enabled) == {"auth", "web"}
