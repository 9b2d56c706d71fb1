"""The solve with uv and with pip, over a registry of real wheels that is served on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping, Optional, Tuple

import pytest

from pkl.errors import NoSolution, WheelRefused
from pkl.install.solution import Solution
from pkl.install.solve.market import RegistryMarket
from pkl.install.solve.project import project_as_chosen, wheel_as_chosen
from pkl.install.solve.solving import solve
from pkl.install.wanted import HostSide, Pinned, Root, RootKind
from pkl.registry.catalog import Catalog
from tests.install.installers import both, installer
from tests.install.making import GROUP, plugin_wheel
from tests.install.market import Shop
from tests.install.solving.test_market import PROJECT, project
from tests.install.solving.world import root, versions

pytestmark = pytest.mark.parametrize("name", both())


def solved(
    name: str,
    market: RegistryMarket,
    *roots: Root,
    pins: Tuple[Pinned, ...] = (),
    locked: Optional[Mapping[str, str]] = None,
) -> Solution:
    host = HostSide("app", "2.0", GROUP, "3.11.7", (), pins)
    return solve(roots, market=market, backend=installer(name), host=host, locked=locked)


def market_of(shop: Shop, **more: object) -> RegistryMarket:
    return RegistryMarket(Catalog([shop.known()]), **more)  # type: ignore[arg-type]


def diamond(shop: Shop) -> Shop:
    shop.library("liby", "1.0")
    shop.library("liby", "2.0")
    shop.plugin("a", "1.9", libraries=["liby"])
    shop.plugin("a", "2.0", libraries=["liby>=2"])
    shop.plugin("b", "2.0", libraries=["liby<2"])
    shop.publish()
    return shop


def test_the_older_version_is_found_with_one_question(served: Shop, name: str) -> None:
    solution = solved(name, market_of(diamond(served)), root("a"), root("b"))
    assert versions(solution) == {"acme-a": "1.9", "acme-b": "2.0", "liby": "1.0"}
    assert solution.rounds == 1
    assert all(each.wheel is not None and each.wheel.url for each in solution.chosen)


def test_a_library_of_the_host_is_not_moved_and_the_proof_says_where_it_is(
    served: Shop, name: str, tmp_path: Path
) -> None:
    served.library("libz", "1.0", "liby>=2")
    served.plugin("deep", "1.0", libraries=["libz"])
    pin = Pinned("liby", "1.0", str(tmp_path / "liby-1.0.dist-info"))
    market = market_of(diamond(served))
    assert versions(solved(name, market, root("a"), pins=(pin,))) == {"acme-a": "1.9"}
    with pytest.raises(NoSolution) as caught:
        solved(name, market, root("deep"), pins=(pin,))
    error = caught.value
    assert "deep 1.0 (acme-deep 1.0) cannot be had" in str(error)
    assert f"the host has liby 1.0, in {pin.location}" in str(error)
    text = "\n".join(error.proof)
    assert f"{name} says of the libraries:" in text and "libz" in text


def test_what_only_an_older_version_requires_is_learned_in_turn(served: Shop, name: str) -> None:
    served.library("libx", "1.0", "liby<2")
    served.library("libw", "1.0", "liby>=2")
    served.plugin("c", "1.0")
    served.plugin("d", "2.0", libraries=["libw"])
    # The manifest of the older one requires c, and its distribution does not say so.
    files = {
        "acme_d/__init__.py": "",
        "acme_d/plugin.py": "",
        "acme_d/plugin.toml": 'name = "d"\nrequires = ["c>=1"]\n',
    }
    points = {GROUP: {"d": "acme_d"}}
    served.other("acme-d", "1.0", files=files, entry_points=points, requires=["liby"])
    served.plugin("e", "1.0", libraries=["libx"])
    solution = solved(name, market_of(diamond(served)), root("d"), root("e"))
    assert versions(solution) == {
        "acme-c": "1.0",
        "acme-d": "1.0",
        "acme-e": "1.0",
        "libx": "1.0",
        "liby": "1.0",
    }
    assert 1 < solution.rounds <= 8


def test_a_wheel_of_the_same_name_from_another_registry_is_refused(
    served: Shop, name: str, tmp_path: Path
) -> None:
    hostile = Shop(tmp_path, "hostile")
    # No plugin, so that it is no collision of plugins; but it has the name of the distribution.
    hostile.library("acme-b", "2.0")
    hostile.publish()
    shops = [hostile, diamond(served)]
    market = RegistryMarket(Catalog([each.known() for each in shops]))
    with pytest.raises(WheelRefused, match=r"acme-b 2\.0 is not taken"):
        solved(name, market, root("b"))


def test_wheels_and_projects_of_this_machine_take_part(
    served: Shop, name: str, tmp_path: Path
) -> None:
    directory = project(tmp_path / "auth", PROJECT)
    made = plugin_wheel(tmp_path / "mine", "a", "3.0", libraries=["liby"])
    given = [project_as_chosen(directory, GROUP), wheel_as_chosen(str(made), GROUP)]
    solution = solved(
        name,
        market_of(diamond(served), given=given),
        root("auth", kind=RootKind.EDITABLE, path=directory),
        root("a", kind=RootKind.WHEEL, path=str(made)),
    )
    assert versions(solution) == {
        "acme-a": "3.0",
        "acme-auth": "1.2",
        "acme-b": "2.0",
        "liby": "1.0",
    }
    assert set(given) <= set(solution.chosen)


def test_only_the_locked_versions_move_that_are_in_the_way(served: Shop, name: str) -> None:
    for library in ("libz", "libx"):
        for version in ("1.0", "2.0"):
            served.library(library, version)
    served.library("deep", "1.0", "libz>=2")
    served.plugin("c", "1.0", libraries=["libx", "libz", "liby"])
    served.plugin("c", "1.1", libraries=["libx", "libz", "liby"])
    served.plugin("d", "1.0", libraries=["deep"])
    locked = {"acme-c": "1.0", "libx": "1.0", "liby": "1.0", "libz": "1.0"}
    found = solved(name, market_of(diamond(served)), root("c"), root("d"), locked=locked)
    moved = {"acme-d": "1.0", "deep": "1.0", "libz": "2.0"}
    assert versions(found) == {**locked, **moved}
    assert found.rounds == 2


def test_pre_releases_are_taken_as_pkl_says(served: Shop, name: str) -> None:
    served.plugin("a", "1.0")
    served.plugin("a", "2.0rc1")
    served.plugin("early", "1.0a1", libraries=["libe"])
    served.library("libe", "0.1b1")
    served.publish()
    market = market_of(served)
    early = solved(name, market, root("a"), root("early"))
    assert versions(early) == {"acme-a": "1.0", "acme-early": "1.0a1", "libe": "0.1b1"}
    assert versions(solved(name, market, root("a==2.0rc1"))) == {"acme-a": "2.0rc1"}
