"""What can be had, from a registry of real wheels and from this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pkl.errors import DiscoveryError, NoSolution, RegistryAbsent, RegistryGarbage, UsageError
from pkl.install.backends.backend import Query
from pkl.install.solution import Solution
from pkl.install.solve.market import RegistryMarket
from pkl.install.solve.project import (
    project_as_chosen,
    project_paths,
    project_wheel,
    wheel_as_chosen,
)
from pkl.install.solve.solving import solve
from pkl.install.wanted import HostSide, RootKind
from pkl.registry.catalog import Catalog
from pkl.registry.client import RegistryClient
from pkl.registry.packages import PackageIndex
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP, library_wheel, plugin_wheel
from tests.install.market import Shop
from tests.install.solving.world import root, versions

HOST = HostSide("app", "2.0", GROUP, "3.11.7", (), ())


def market_of(*shops: Shop, **more: object) -> RegistryMarket:
    return RegistryMarket(Catalog([each.known() for each in shops]), **more)  # type: ignore[arg-type]


def stocked(shop: Shop) -> Shop:
    """The diamond, as real wheels."""
    shop.library("liby", "1.0")
    shop.library("liby", "2.0")
    shop.plugin("a", "1.9", libraries=["liby"])
    shop.plugin("a", "2.0", libraries=["liby>=2"])
    shop.plugin("b", "2.0", libraries=["liby<2"])
    shop.publish()
    return shop


def solved(market: RegistryMarket, backend: FakeBackend, *names: str) -> Solution:
    return solve([root(each) for each in names], market=market, backend=backend, host=HOST)


def test_a_solution_names_the_wheels_of_the_registry(
    served: Shop, fake_backend: FakeBackend
) -> None:
    market = market_of(stocked(served))
    solution = solved(market, fake_backend, "a", "b")
    assert versions(solution) == {"acme-a": "1.9", "acme-b": "2.0", "liby": "1.0"}
    assert solution.rounds == 1
    assert fake_backend.asked[0].indexes == (served.simple,)
    a, liby = solution.named("acme-a"), solution.named("liby")
    assert a is not None and a.wheel is not None and liby is not None and liby.wheel is not None
    assert a.wheel.url == f"{served.url}/files/acme_a-1.9-py3-none-any.whl"
    assert (a.registry, a.requires) == ("main", ("liby",))
    assert [each.name for each in a.plugins] == ["a"]
    assert liby.wheel.url == f"{served.url}/files/liby-1.0-py3-none-any.whl"
    assert (liby.registry, liby.plugins) == ("main", ())
    assert liby.wheel.size == (served.wheels / "liby-1.0-py3-none-any.whl").stat().st_size


def test_what_was_published_too_late_is_not_taken(shop: Shop, fake_backend: FakeBackend) -> None:
    shop.plugin("a", "1.0")
    shop.publish()
    shop.now += 1000
    shop.plugin("a", "2.0")
    shop.publish()
    market = market_of(shop)
    found = solve(
        [root("a")],
        market=market,
        backend=fake_backend,
        host=HOST,
        uploaded_before=int(shop.now) - 10,
    )
    assert versions(found) == {"acme-a": "1.0"}


def test_a_registry_that_does_not_cover_its_package_index_is_refused(shop: Shop) -> None:
    stocked(shop)
    client = RegistryClient(shop.known())
    client._index().index.__dict__["simple"] = ""
    with pytest.raises(RegistryGarbage, match="its index does not cover its package index"):
        PackageIndex(client).files("liby")


def test_a_package_index_that_was_changed_is_refused(shop: Shop) -> None:
    stocked(shop)
    market = market_of(shop)
    path = shop.root / "simple" / "liby" / "index.v1.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"3.0"))
    with pytest.raises(RegistryGarbage):
        market.listed("liby", "1.0")


def test_a_name_that_two_registries_have_is_no_choice_unless_one_is_meant(
    tmp_path: Path, shop: Shop
) -> None:
    other = Shop(tmp_path, "other")
    for each in (shop, other):
        each.plugin("a", "1.0")
        each.publish()
    backend = FakeBackend(shop.wheels)
    with pytest.raises(NoSolution, match="plugin a is in several registries"):
        solved(market_of(shop, other), backend, "a")
    market = market_of(shop, other, registries={"a": "other"})
    assert solved(market, FakeBackend(other.wheels), "a").chosen[0].registry == "other"
    with pytest.raises(RegistryAbsent, match="'third', which is not known here"):
        solved(market_of(shop, other, registries={"a": "third"}), backend, "a")


def test_a_library_comes_from_the_first_registry_that_has_it(tmp_path: Path, shop: Shop) -> None:
    other = Shop(tmp_path, "other")
    other.library("liby", "9.0")
    other.publish()
    market = market_of(stocked(shop), other)
    assert market.versions("liby") == ("1.0", "2.0") or market.versions("liby") == ("2.0", "1.0")
    assert market.listed("liby", "9.0") is None
    listed = market.listed("liby", "9.0", "other")
    assert listed is not None and listed.registry == "other"
    assert market.listed("nothing", "1.0") is None


def test_a_wheel_of_this_machine_outranks_the_registry(
    tmp_path: Path, shop: Shop, fake_backend: FakeBackend
) -> None:
    shop.plugin("a", "2.0")
    shop.publish()
    made = plugin_wheel(tmp_path / "mine", "a", "1.0")
    given = wheel_as_chosen(str(made), GROUP)
    assert given.wheel is not None and given.wheel.size == made.stat().st_size
    market = market_of(shop, given=[given])
    solution = solve(
        [root("a", kind=RootKind.WHEEL, path=str(made))],
        market=market,
        backend=fake_backend,
        host=HOST,
    )
    assert solution.chosen == (given,)
    assert fake_backend.asked[0].wheels == (str(made),)


def test_a_wheel_without_a_plugin_of_the_group_is_not_installed(tmp_path: Path) -> None:
    made = library_wheel(tmp_path, "liby")
    with pytest.raises(DiscoveryError, match=r"carries no plugin of the group shop\.plugins"):
        wheel_as_chosen(str(made), GROUP)


def project(directory: Path, text: str, package: str = "src/acme_auth") -> str:
    (directory / package).mkdir(parents=True)
    (directory / package / "__init__.py").write_text("raise SystemExit('imported')")
    (directory / package / "plugin.py").write_text("raise SystemExit('imported')")
    (directory / package / "plugin.toml").write_text('name = "auth"\nrequires = ["b"]\n')
    (directory / "pyproject.toml").write_text(text)
    return str(directory)


PROJECT = """
[project]
name = "Acme.Auth"
version = "1.2"
dependencies = ["liby<2"]
[project.entry-points."shop.plugins"]
auth = "acme_auth"
"""


@pytest.mark.parametrize("package", ["src/acme_auth", "acme_auth"])
def test_a_project_is_read_without_running_it(tmp_path: Path, package: str) -> None:
    directory = project(tmp_path / "auth", PROJECT, package)
    chosen = project_as_chosen(directory, GROUP)
    assert (chosen.name, chosen.version, chosen.editable) == ("acme-auth", "1.2", directory)
    assert (chosen.wheel, chosen.requires) == (None, ("liby<2",))
    (said,) = chosen.plugins
    assert (said.name, said.version, [str(r) for r in said.requires]) == ("auth", "1.2", ["b"])
    assert said.file == os.path.join(directory, package, "plugin.toml")
    assert project_paths(directory) == (str(Path(directory, package).parent),)


def test_a_project_is_solved_for_with_what_it_needs(
    tmp_path: Path, shop: Shop, fake_backend: FakeBackend
) -> None:
    directory = project(tmp_path / "auth", PROJECT)
    market = market_of(stocked(shop), given=[project_as_chosen(directory, GROUP)])
    solution = solve(
        [root("auth", kind=RootKind.EDITABLE, path=directory)],
        market=market,
        backend=fake_backend,
        host=HOST,
    )
    assert versions(solution) == {"acme-auth": "1.2", "acme-b": "2.0", "liby": "1.0"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "states no name"),
        ('[project]\nname = "x"\n', "states no version"),
        ('[project]\nname = "x"\ndynamic = ["version"]\n', "a version that is worked out"),
        (
            '[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n',
            "dependencies that are worked out",
        ),
    ],
)
def test_a_project_that_would_have_to_be_run_to_know_it_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    directory = project(tmp_path / "auth", text)
    with pytest.raises(UsageError, match=said) as caught:
        project_as_chosen(directory, GROUP)
    assert caught.value.hint


def test_a_project_without_a_plugin_is_refused(tmp_path: Path) -> None:
    directory = project(tmp_path / "auth", PROJECT.replace("shop.plugins", "other"))
    with pytest.raises(DiscoveryError, match=r"states no plugin of the group shop\.plugins"):
        project_as_chosen(directory, GROUP)
    directory = project(tmp_path / "gone", PROJECT.replace('= "acme_auth"', '= "gone"'))
    with pytest.raises(DiscoveryError, match="cannot be installed"):
        project_as_chosen(directory, GROUP)
    with pytest.raises(UsageError, match=r"pyproject\.toml cannot be read"):
        project_as_chosen(str(tmp_path / "nowhere"), GROUP)


def test_the_same_project_gives_the_same_stub() -> None:
    one = project_wheel("Acme.Auth", "1.2", ["liby<2"])
    assert one == project_wheel("Acme.Auth", "1.2", ["liby<2"])
    assert one[0] == "acme_auth-1.2-py3-none-any.whl"


def test_without_any_registry_what_is_given_is_all_there_is(tmp_path: Path) -> None:
    market = RegistryMarket(None, [wheel_as_chosen(str(plugin_wheel(tmp_path, "a")), GROUP)])
    assert market.indexes() == () == market.offers("b")
    solution = solve(
        [root("a", kind=RootKind.WHEEL, path="x")],
        market=market,
        backend=FakeBackend(tmp_path),
        host=HOST,
    )
    assert versions(solution) == {"acme-a": "1.0"}
    assert Query(()).indexes == ()


def two_of_one(shop: Shop) -> None:
    """A distribution with two plugins, one of which provides a capability."""
    files = {
        f"suite_{each}/{file}": text
        for each, manifest in (("one", ""), ("two", 'provides = ["storage==2.1"]'))
        for file, text in (
            ("__init__.py", ""),
            ("plugin.py", ""),
            ("plugin.toml", f'name = "{each}"\n{manifest}\n'),
        )
    }
    points = {GROUP: {"one": "suite_one", "two": "suite_two"}}
    shop.other("suite", "1.0", files=files, entry_points=points)


def test_the_provider_of_a_capability_is_found_in_the_index_with_all_that_it_carries(
    shop: Shop, fake_backend: FakeBackend
) -> None:
    two_of_one(shop)
    shop.plugin("audit", "1.0", manifest="", requires=[], files={})
    files = {"acme_log/__init__.py": "", "acme_log/plugin.py": ""}
    files["acme_log/plugin.toml"] = 'name = "log"\nrequires = ["storage>=2"]\n'
    shop.other("acme-log", "1.0", files=files, entry_points={GROUP: {"log": "acme_log"}})
    shop.publish()
    market = market_of(shop)
    assert market.providers("storage") == ("two",)
    assert market.carried("suite") == ("one", "two")
    assert market.carried("acme-audit") == ("audit",)
    solution = solved(market, fake_backend, "log")
    assert versions(solution) == {"acme-log": "1.0", "suite": "1.0"}
    suite = solution.named("suite")
    assert suite is not None
    assert [each.name for each in suite.plugins] == ["one", "two"]
    assert [step.name for step in solution.plan.steps] == ["one", "two", "log"]


def test_an_index_says_only_what_is_there_of_capabilities_and_distributions(shop: Shop) -> None:
    two_of_one(shop)
    shop.plugin("plain", distribution="plain")
    shop.publish()
    entries = RegistryClient(shop.known()).index().plugins
    assert entries["two"].provides == ("storage",)
    assert (entries["two"].distribution, entries["one"].provides) == ("suite", ())
    assert (entries["plain"].distribution, entries["plain"].provides) == ("", ())
    text = (shop.root / "pkl" / "v1" / "index.json").read_text()
    assert text.count('"provides"') == 1 and text.count('"distribution"') == 2
