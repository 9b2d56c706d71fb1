"""What stays is copied if it is sound, brought anew if it is not, and never lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

from pkl.errors import BackendFailed, WheelRefused
from pkl.install.environment.generations import Generations
from pkl.install.operation import MovedOn, apply, base_of
from pkl.install.placing import files_of
from pkl.install.solution import Solution
from pkl.install.solve.project import wheel_as_chosen
from pkl.install.wanted import HostSide
from pkl.install.wheels.fetching import Fetcher
from tests.install.fake_backend import FakeBackend
from tests.install.making import GROUP
from tests.install.market import Shop

HOST = HostSide("shop", None, GROUP, "3.11.9", (), ())


@pytest.fixture
def put(shop: Shop, fake_backend: FakeBackend) -> Callable[..., Generations]:
    """Applies a solution of these wheels."""
    generations = Generations("shop")

    def act(*wheels: Path) -> Generations:
        chosen = sorted((wheel_as_chosen(str(w), GROUP) for w in wheels), key=lambda c: c.name)
        apply(
            Solution((), tuple(chosen)),
            host=HOST,
            generations=generations,
            fetcher=Fetcher(offline=True),
            backend=lambda: fake_backend,
            by="x",
            base=base_of(generations),
        )
        return generations

    return act


def test_what_was_changed_since_is_brought_anew(
    shop: Shop, put: Callable[..., Generations], fake_backend: FakeBackend
) -> None:
    auth, mail = shop.plugin("auth"), shop.plugin("mail")
    generations = put(auth)
    changed = Path(generations.places.site(1), "acme_auth", "plugin.toml")
    sound = changed.read_bytes()
    changed.write_text("spoilt")
    put(auth, mail)
    assert Path(generations.places.site(2), "acme_auth", "plugin.toml").read_bytes() == sound
    assert len(fake_backend.placed[1]) == 2
    put(auth, mail)
    assert len(fake_backend.placed) == 2, "all of it was copied"


def test_what_was_changed_and_cannot_be_had_any_more_stays_as_it_is(
    shop: Shop, put: Callable[..., Generations], home: Path
) -> None:
    auth, mail = shop.plugin("auth"), shop.plugin("mail")
    generations = put(auth, mail)
    chosen = {each.name: each for each in generations.record(1).distributions}
    changed = Path(generations.places.site(1), "acme_auth", "plugin.toml")
    changed.write_text("spoilt")
    Path(generations.places.site(1), "acme_auth", "__init__.py").unlink()
    auth.unlink()
    for path in (home / "cache" / "wheels").rglob("*.whl"):
        path.unlink()
    applied = apply(
        Solution((), (chosen["acme-auth"],)),
        host=HOST,
        generations=generations,
        fetcher=Fetcher(offline=True),
        backend=FakeBackend,
        by="x",
        base=base_of(generations),
    )
    assert applied.notes == (
        "acme-auth 1.0 was changed or damaged since it was installed, and its wheel cannot be "
        "had: it stays as it is",
    )
    site = Path(generations.places.site(2))
    assert (site / "acme_auth" / "plugin.toml").read_text() == "spoilt"
    files = files_of(str(site), "acme-auth")
    assert files is not None and len(files) == 5, "and its RECORD is right again"


def test_a_plan_that_was_overtaken_is_not_carried_out(
    shop: Shop, put: Callable[..., Generations]
) -> None:
    auth, mail = shop.plugin("auth"), shop.plugin("mail")
    generations = put(auth)
    base = base_of(generations)
    put(auth, mail)
    with pytest.raises(MovedOn):
        apply(
            Solution((), ()),
            host=HOST,
            generations=generations,
            fetcher=Fetcher(offline=True),
            backend=FakeBackend,
            by="x",
            base=base,
        )
    assert generations.current_number() == 2


def test_an_installer_that_does_not_do_as_told_is_found_out(
    shop: Shop, put: Callable[..., Generations], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBackend, "place", lambda *_: None)
    with pytest.raises(BackendFailed, match="is missing"):
        put(shop.plugin("auth"))
    assert Generations("shop").numbers() == ()
    assert os.listdir(Generations("shop").places.generations) == []


def test_two_wheels_may_not_have_one_file(shop: Shop, put: Callable[..., Generations]) -> None:
    auth = shop.plugin("auth")
    evil = shop.plugin("evil", files={"acme_auth/plugin.py": ""})
    with pytest.raises(WheelRefused, match="acme_auth"):
        put(auth, evil)
    generations = put(auth)
    with pytest.raises(WheelRefused, match="acme_auth"):
        put(auth, evil)
    assert generations.numbers() == (1,)
