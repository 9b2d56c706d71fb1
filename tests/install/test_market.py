"""The registry that the other tests install from holds what was made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.errors import NoSolution
from pkl.install.backends.backend import Query
from pkl.install.wanted import Pinned
from pkl.registry.client import RegistryClient
from pkl.store import RegistryBook
from tests.install.fake_backend import FakeBackend
from tests.install.market import Shop


def test_a_served_registry_has_plugins_and_libraries(served: Shop) -> None:
    served.library("liby", "2.0")
    served.plugin("auth", "1.2", libraries=["liby>=2"])
    served.plugin("audit", requires=["auth>=1"], manifest='summary = "Who did what"')
    built = served.publish()
    assert (built.wheels, built.problems) == (3, ())
    served.known()
    (known,) = RegistryBook().read().registries
    client = RegistryClient(known)
    page = client.page("audit")
    assert page is not None
    assert page.distribution == "acme-audit"
    assert [str(each) for each in page.releases[0].metadata.requires] == ["auth>=1"]
    assert (served.root / "simple" / "liby" / "index.html").exists()


PIN = Pinned("liby", "1.0", "/usr/lib/python3/site-packages/liby-1.0.dist-info")


def _versions(backend: FakeBackend, *requirements: str, **more: object) -> "dict[str, str]":
    query = Query(requirements, **more)  # type: ignore[arg-type]
    return {each.name: each.version for each in backend.resolve(query)}


def test_the_fake_installer_finds_the_older_version_that_fits(
    shop: Shop, fake_backend: FakeBackend
) -> None:
    shop.library("liby", "1.0")
    shop.library("liby", "2.0")
    shop.plugin("a", "1.9", libraries=["liby"])
    shop.plugin("a", "2.0", libraries=["liby>=2"])
    shop.plugin("b", "2.0", libraries=["liby<2"])
    found = _versions(fake_backend, "acme-a", "acme-b")
    assert found == {"acme-a": "1.9", "acme-b": "2.0", "liby": "1.0"}
    assert _versions(fake_backend, "acme-a") == {"acme-a": "2.0", "liby": "2.0"}
    with pytest.raises(NoSolution):
        _versions(fake_backend, "acme-a==2.0", "acme-b")


def test_the_fake_installer_moves_no_library_of_the_host(
    shop: Shop, fake_backend: FakeBackend
) -> None:
    shop.library("liby", "2.0")
    shop.plugin("a", libraries=["liby>=2"])
    with pytest.raises(NoSolution):
        _versions(fake_backend, "acme-a", installed=(PIN,))
    (found,) = fake_backend.resolve(Query(("liby",), installed=(PIN,)))
    assert (found.version, found.url) == ("1.0", "")


def test_the_fake_installer_unpacks(shop: Shop, fake_backend: FakeBackend, tmp_path: Path) -> None:
    made = shop.plugin("auth")
    fake_backend.place([str(made)], str(tmp_path / "site"))
    assert (tmp_path / "site" / "acme_auth" / "plugin.py").exists()
