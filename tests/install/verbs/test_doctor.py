"""``pkl doctor`` knows what is installed, what is left of what failed, and what does not fit."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from pkl import PluginHost
from pkl.errors import MissingTool
from pkl.files import FileLock
from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.discovery.fakes import plugin
from tests.install.making import GROUP
from tests.install.market import Shop


@pytest.fixture(autouse=True)
def _no_process(pkl: Pkl, fake_backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkl.cli.diagnosis_installed.find_backend", lambda: fake_backend)


@pytest.fixture
def installed(pkl: Pkl, shop: Shop, publish: Callable[[], None]) -> Pkl:
    """``auth`` with the library ``libx``, installed."""
    shop.plugin("auth", "1.0", libraries=["libx>=1"], code="")
    shop.library("libx", "1.5")
    publish()
    pkl.ok("install", "auth", "-y")
    return pkl


def of(found: Dict[str, Any], code: str) -> Dict[str, Any]:
    """The one finding of a code."""
    (finding,) = [each for each in found["findings"] if each["code"] == code]
    assert isinstance(finding, dict)
    return finding


def test_all_is_well_and_the_installer_is_named(installed: Pkl) -> None:
    out = installed.ok("doctor").out
    assert "generation 1 of shop with 1 plugin is sound; installing uses fake 1.0" in out


def test_nothing_is_installed_and_that_is_fine(pkl: Pkl) -> None:
    assert "nothing is installed for shop; installing uses fake 1.0" in pkl.ok("doctor").out


def test_without_an_installer_it_says_which_to_get(
    installed: Pkl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise MissingTool("there is neither", hint="install uv")

    monkeypatch.setattr("pkl.cli.diagnosis_installed.find_backend", none)
    found = of(installed.json("doctor"), "no-installer")
    assert (found["severity"], found["hint"]) == ("warning", "install uv")


def test_what_was_interrupted_is_named_and_deleted_on_request(
    installed: Pkl, generations: Generations
) -> None:
    left = Path(generations.places.generations, ".staging-1-abcd")
    left.mkdir()
    found = of(installed.json("doctor"), "generation-leftover")
    assert found["file"] == str(left) and found["severity"] == "warning"
    with generations.changing():
        left.mkdir(exist_ok=True)
        findings = installed.json("doctor", "--fix")["findings"]
        assert not [e for e in findings if e["code"] == "generation-leftover"]
        assert left.exists(), "somebody is installing, and it may be theirs"
    fixed = installed.json("doctor", "--fix")
    assert [each["code"] for each in fixed["fixed"]] == ["generation-leftover"]
    assert not left.exists() and not fixed["findings"]


def test_damage_is_an_error_and_of_an_old_generation_a_warning(
    installed: Pkl, generations: Generations
) -> None:
    installed.ok("uninstall", "auth", "-y")
    Path(generations.places.record(1)).write_text("[]")
    found = of(installed.json("doctor"), "generation-damaged")
    assert found["severity"] == "warning" and "does not count now" in found["hint"]
    Path(generations.places.current).write_text("1\n")
    found = of(installed.json("doctor", status=1), "generation-damaged")
    assert found["severity"] == "error" and "pkl rollback" in found["hint"]


def test_who_runs_with_another_generation_is_a_note(installed: Pkl) -> None:
    with PluginHost("shop", version="2.0", group=GROUP) as host:
        host.start()
        installed.ok("uninstall", "auth", "-y")
        found = of(installed.json("doctor"), "generation-in-use")
        assert (
            found["severity"] == "note"
            and "runs with generation 1, and 2 counts" in (found["message"])
        )


def test_an_environment_that_changed_since_is_found_out(
    installed: Pkl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    plugin(site, "libx", "0.5", entry_points={})
    monkeypatch.syspath_prepend(str(site))
    found = installed.json("doctor", status=1)
    drift = of(found, "generation-drift")
    assert drift["message"] == (
        "acme-auth 1.0, which pkl installed, requires libx>=1, but 0.5 is there by now"
    )
    assert "pkl upgrade" in drift["hint"]
    assert (
        "libx 1.5 of generation 1 is hidden by libx 0.5"
        in (of(found, "generation-hidden")["message"])
    )


@pytest.mark.parametrize(("number", "busy"), [(errno.ENOSPC, False), (errno.EROFS, True)])
def test_a_full_or_read_only_disk_does_not_stop_it(
    installed: Pkl,
    generations: Generations,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    busy: bool,
) -> None:
    Path(generations.places.generations, ".staging-1-abcd").mkdir()

    def acquire(lock: FileLock) -> FileLock:
        raise OSError(number, os.strerror(number), lock.path)

    monkeypatch.setattr(FileLock, "__enter__", acquire)
    findings = installed.json("doctor")["findings"]
    assert busy is not any(each["code"] == "generation-leftover" for each in findings)


def test_in_place_of_what_is_damaged_counts_what_was_there_before_it(
    installed: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("mail", "1.0")
    publish()
    installed.ok("uninstall", "auth", "-y")
    installed.ok("rollback", "-y")
    installed.ok("install", "mail", "-y")
    shutil.rmtree(generations.places.site(3))
    found = of(installed.json("doctor", status=1), "generation-damaged")
    assert found["message"].startswith("what is installed for the host 'shop' cannot be used")
    assert "has 1 fault" in found["message"] and "is not there" in found["message"]
    before = generations.instead()
    assert before is not None and before.number == 1, "2 was rolled back"
    assert generations.before().number == 1
    ran = installed("uninstall", "auth", "-y")
    assert ran.status == 0 and "starts from generation 1" in ran.err
