"""Updates that ask for more, from the command line to the state and back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable

import pytest

from pkl.install.environment.generations import Generations
from pkl.registry.keys import parse_public_key
from pkl.registry.signing import SshKeygen
from pkl.store import StateStore
from tests.cli.running import Pkl
from tests.install.market import Shop
from tests.registry.making import FakeKeygen, make_key

NET = '[permissions]\nnet-connect = ["*:443"]\n'
Publish = Callable[[], None]


def versions(generations: Generations) -> "dict[str, str]":
    """The versions of the plugins that are there."""
    record = generations.current()
    assert record is not None
    return {p.name: c.version for c in record.distributions for p in c.plugins}


@pytest.fixture
def audited(pkl: Pkl, shop: Shop, publish: Publish) -> Pkl:
    """The command line of a host with audit 1.0 and mail 1.0."""
    shop.plugin("audit", "1.0", manifest='activation = ["import"]')
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "audit", "mail", "-y")
    return pkl


def test_agreeing_to_the_plan_is_no_consent_and_consenting_to_the_version_is(
    audited: Pkl, shop: Shop, publish: Publish, generations: Generations
) -> None:
    shop.plugin("audit", "1.1", manifest=f'activation = ["import"]\n{NET}')
    shop.plugin("mail", "1.1")
    publish()
    ran = audited("upgrade", "-y")
    assert ran.status == 8
    assert 'HELD audit 1.0 → 1.1: asks for net-connect "*:443"' in ran.lines
    assert "hint: to consent, say the same with --consent audit==1.1" in ran.err
    assert versions(generations) == {"audit": "1.0", "mail": "1.1"}
    row = next(line for line in audited.ok("list").lines if line.startswith("audit"))
    assert 'held: 1.1 asks for net-connect "*:443"' in row
    # Another time there is nothing else to do, and it is held all the same.
    assert audited("upgrade", "-y").status == 8
    assert versions(generations) == {"audit": "1.0", "mail": "1.1"}

    audited.ok("upgrade", "audit", "--consent", "audit==1.1", "-y")
    assert versions(generations)["audit"] == "1.1"
    record = StateStore().read("shop").state.record("audit")
    consent = record.consents["net-connect"]
    assert (consent.value, consent.version, record.held) == (["*:443"], "1.1", None)
    assert consent.by.startswith("pkl upgrade audit")
    assert "held" not in audited.ok("list").out
    assert "granted" in audited.ok("permissions", "audit").out
    # The consent outlives a way back, and holds for later versions.
    audited.ok("rollback", "-y")
    shop.plugin("audit", "1.2", manifest=f'activation = ["import"]\n{NET}')
    publish()
    audited.ok("upgrade", "-y")
    assert versions(generations)["audit"] == "1.2"


def test_what_only_the_wheel_says_holds_as_well(
    audited: Pkl, shop: Shop, publish: Publish, generations: Generations
) -> None:
    """No page of a registry has the activation."""
    shop.plugin("audit", "1.1")
    publish()
    ran = audited("upgrade", "-y")
    assert ran.status == 8
    assert "audit 1.0 → 1.1: starts with the host, and 1.0 waited for import" in ran.out
    assert versions(generations)["audit"] == "1.0"


def test_a_new_dependency_holds(
    audited: Pkl, shop: Shop, publish: Publish, generations: Generations
) -> None:
    shop.plugin("mail", "1.1", libraries=["libx"])
    shop.library("libx", "1.0")
    publish()
    ran = audited("upgrade", "-y")
    assert ran.status == 8
    assert "mail 1.0 → 1.1: requires libx, and 1.0 did not" in ran.out
    assert versions(generations)["mail"] == "1.0"
    audited.ok("upgrade", "--consent", "mail==1.1", "-y")
    record = generations.current()
    assert record is not None and "libx" in {each.name for each in record.distributions}
    assert StateStore().read("shop").state.record("mail").consents["dependency:libx"].value is True


def test_another_registry_holds(
    audited: Pkl,
    shop: Shop,
    publish: Publish,
    generations: Generations,
    tmp_path: Path,
) -> None:
    other = Shop(tmp_path, "other")
    # The installer of these tests knows one folder.
    shutil.copy2(other.plugin("mail", "2.0"), shop.wheels)
    other.now = shop.now + 10
    other.publish()
    other.known()
    ran = audited("install", "mail", "--registry", "other", "-y")
    assert ran.status == 8, ran
    assert "comes from the registry other, and 1.0 was from the registry main" in ran.out + ran.err
    assert versions(generations)["mail"] == "1.0"


def test_another_key_of_the_registry_holds_the_next_version_and_nothing_that_stays(
    pkl: Pkl,
    shop: Shop,
    generations: Generations,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    shop.keygen = SshKeygen(str(FakeKeygen(tools).path))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    keys = [make_key(tmp_path, name) for name in ("one", "two")]
    lines = [" ".join(Path(f"{key}.pub").read_text().split()[:2]) for key in keys]
    shop.plugin("mail", "1.0")
    shop.plugin("audit", "1.0")
    shop.publish(key=str(keys[0]))
    shop.known(keys=(lines[0],))
    pkl.ok("install", "mail", "-y")
    # Somebody pinned the other key, by hand.
    shop.plugin("mail", "1.1")
    shop.now += 10
    shop.publish(key=str(keys[1]))
    shop.known(keys=(lines[1],))
    assert pkl.ok("install", "audit", "-y").lines == ["+ audit 1.0 (acme-audit)"]
    ran = pkl("upgrade", "-y")
    assert ran.status == 8
    one, two = (parse_public_key(line).fingerprint for line in lines)
    assert f"mail 1.0 → 1.1: is signed by {two} (the registry main)" in ran.out
    assert f"and 1.0 was signed by {one}" in ran.out
    assert versions(generations) == {"audit": "1.0", "mail": "1.0"}
    pkl.ok("upgrade", "--consent", "mail==1.1", "-y")
    assert versions(generations)["mail"] == "1.1"
    assert len(StateStore().read("shop").state.record("mail").consents["signer"].value) == 2


def test_nothing_is_changed_where_there_is_no_way_around_what_is_held(
    audited: Pkl, shop: Shop, publish: Publish, generations: Generations
) -> None:
    shop.plugin("audit", "1.1", manifest=f'activation = ["import"]\n{NET}')
    publish()
    before = generations.current_number()
    ran = audited("install", "audit==1.1", "-y")
    assert ran.status == 8
    assert "nothing was changed" in ran.err
    assert generations.current_number() == before


def test_a_first_installation_lists_what_it_asks_for_and_keeps_that(
    pkl: Pkl, shop: Shop, publish: Publish
) -> None:
    shop.plugin("audit", "1.0", manifest=NET)
    publish()
    assert 'net-connect "*:443"' in pkl.ok("install", "audit", "--dry-run").out
    assert StateStore().read("shop").state.record("audit").consents == {}
    pkl.ok("install", "audit", "-y")
    consents = StateStore().read("shop").state.record("audit").consents
    assert list(consents) == ["net-connect"]


def test_a_consent_in_the_dark_is_refused(audited: Pkl) -> None:
    ran = audited("upgrade", "--consent", "audit", "-y")
    assert ran.status == 2
    assert "does not say to which version" in ran.err


def test_on_a_terminal_it_is_asked_for_each_update_once(
    audited: Pkl,
    shop: Shop,
    publish: Publish,
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.plugin("audit", "1.1", manifest=f'activation = ["import"]\n{NET}')
    shop.plugin("mail", "1.1", manifest=NET)
    publish()
    monkeypatch.setattr("pkl.cli.installing._can_ask", lambda: True)
    audited.stdin = "y\nn\ny\n"  # audit, mail, go ahead
    ran = audited("upgrade")
    assert ran.status == 8
    assert ran.err.count("let it? [y/N]") == 2
    assert 'audit 1.0 → 1.1: asks for net-connect "*:443"\nlet it?' in ran.err
    assert versions(generations) == {"audit": "1.1", "mail": "1.0"}
    assert "net-connect" in StateStore().read("shop").state.record("audit").consents
    audited.stdin = ""
    for words in (["-y"], ["--dry-run"], ["--no-input"]):
        assert "let it?" not in audited("upgrade", *words).err


def test_the_project_may_say_how_old_versions_have_to_be(
    audited: Pkl, shop: Shop, publish: Publish, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(work / "pkl.toml", "a") as file:
        file.write('min-age = "3d"\n')
    shop.plugin("mail", "1.1")
    publish()
    monkeypatch.setattr("time.time", lambda: shop.now + 86400)
    ran = audited.ok("upgrade", "-y")
    assert "mail 1.1 is left out: it was uploaded on" in ran.err
    assert audited.ok("upgrade", "--min-age", "0", "-y").lines == ["~ mail 1.0 → 1.1 (acme-mail)"]
    (work / "pkl.toml").write_text('name = "shop"\ngroup = "shop.plugins"\nmin-age = "soon"\n')
    ran = audited("upgrade", "-y")
    assert ran.status == 2
    assert "min-age in pkl.toml 'soon' is no age" in ran.err
