"""Whatever is broken of a plugin, the verbs that repair a host work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable, Mapping

import pytest

from pkl.install.environment.generations import Generations
from pkl.store import StateStore
from tests.cli.running import Pkl
from tests.install.market import Shop

Break = Callable[[Path], None]


def replacing(file: str, content: bytes) -> Break:
    """Puts other content into a file of the plugin."""

    def act(site: Path) -> None:
        path = site / file
        path.chmod(0o644)
        path.write_bytes(content)

    return act


def removing(name: str) -> Break:
    """Deletes a file or a directory of the plugin."""

    def act(site: Path) -> None:
        path = site / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return act


INFO = "acme_audit-1.1.dist-info"
BREAKS: Mapping[str, Break] = {
    "a syntax error": replacing("acme_audit/plugin.py", b"def broken(:\n"),
    "an import that ends the process": replacing("acme_audit/plugin.py", b"import os; os._exit(3)"),
    "an import that never returns": replacing("acme_audit/__init__.py", b"while True: pass"),
    "code that is no text": replacing("acme_audit/plugin.py", b"\xff\xfe\0"),
    "no code": removing("acme_audit/plugin.py"),
    "no package": removing("acme_audit"),
    "a manifest that is none": replacing("acme_audit/plugin.toml", b"= = ="),
    "a manifest that is no text": replacing("acme_audit/plugin.toml", b"\xff\xfe\0"),
    "a manifest full of faults": replacing("acme_audit/plugin.toml", b'name = 5\nrequires = "x"\n'),
    "a manifest of another plugin": replacing("acme_audit/plugin.toml", b'name = "mail"\n'),
    "no manifest": removing("acme_audit/plugin.toml"),
    "entry points that are no text": replacing(f"{INFO}/entry_points.txt", b"\xff\xfe\0["),
    "no entry points": removing(f"{INFO}/entry_points.txt"),
    "no metadata": removing(f"{INFO}/METADATA"),
    "metadata that is no text": replacing(f"{INFO}/METADATA", b"\xff\xfe\0"),
    "no record": removing(f"{INFO}/RECORD"),
    "no distribution": removing(INFO),
}


@pytest.fixture
def broken(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    generations: Generations,
    request: "pytest.FixtureRequest",
) -> Pkl:
    """The command line, and audit 1.1 broken after an upgrade from 1.0, which is whole."""
    shop.plugin("audit", "1.0")
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "audit", "mail", "-y")
    shop.plugin("audit", "1.1")
    publish()
    pkl.ok("upgrade", "audit", "-y")
    site = Path(generations.places.site(2))
    for folder, _, _ in os.walk(site):
        os.chmod(folder, 0o755)
    BREAKS[request.param](site)
    return pkl


@pytest.mark.parametrize("broken", list(BREAKS), indirect=True)
def test_it_is_listed_diagnosed_disabled_uninstalled_and_rolled_back(
    broken: Pkl, generations: Generations
) -> None:
    listed = broken.ok("list")
    assert any(line.startswith("mail") and "enabled" in line for line in listed.lines)
    assert broken("doctor").status in (0, 1)
    broken.json("list")
    broken.ok("disable", "mail")
    # What nobody can find is no plugin, and does not start either.
    assert broken("disable", "audit").status in (0, 4)
    assert str(StateStore().read("shop").state.desired["mail"]) == "disabled"
    broken.ok("uninstall", "audit", "-y")
    record = generations.current()
    assert record is not None and list(record.plugins) == ["mail"]
    assert [each["name"] for each in broken.json("list")["plugins"]] == ["mail"]
    broken.ok("rollback", "2", "-y")
    broken.ok("enable", "mail")
    broken.ok("rollback", "1", "-y")
    rows = {each["name"]: each for each in broken.json("list")["plugins"]}
    assert (rows["audit"]["version"], rows["mail"]["state"]) == ("1.0", "enabled")


def test_nothing_there_can_be_read(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("audit", "1.0")
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "audit", "-y")
    pkl.ok("install", "mail", "-y")
    record = Path(generations.places.site(2)).parent / "generation.json"
    os.chmod(record.parent, 0o755)
    record.chmod(0o644)
    record.write_bytes(b"\xff{")
    assert pkl("list").status == 0
    assert pkl("doctor").status in (0, 1)
    assert pkl("disable", "audit").status in (0, 4)
    pkl.ok("rollback", "-y")
    pkl.ok("disable", "audit")
    assert [each["name"] for each in pkl.json("list")["plugins"]] == ["audit"]
