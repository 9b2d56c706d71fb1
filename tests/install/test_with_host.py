"""A host takes the generation that counts when it starts, keeps it while it runs, and lets go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator

import pytest

from pkl import PluginHost, PluginState
from pkl.install.environment.generations import Generations
from pkl.install.solution import Chosen, Solution
from pkl.names import canonical
from tests.discovery.fakes import Content, install
from tests.discovery.fakes import plugin as fake_plugin

ROOT = Path(__file__).resolve().parents[2]
CODE = "import {library}\nfrom pkl import log\nVALUE = {library}.VALUE\n"


@pytest.fixture(autouse=True)
def _clean_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Fails a test that leaves something on ``sys.path``; PKL_HOME is the test's own."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    before = list(sys.path)
    yield
    assert sys.path == before


def site_of(directory: str, name: str, version: str) -> None:
    """A plugin with a library of its own."""
    site = Path(directory)
    library = f"{name}_lib"
    files: Dict[str, Content] = {
        f"{name}/__init__.py": "",
        f"{name}/plugin.toml": f'name = "{name}"\n',
        f"{name}/plugin.py": CODE.format(library=library),
    }
    entry_points = {"pkl.plugins": {name: name}}
    install(site, name, version, files=files, entry_points=entry_points)
    install(site, f"{name}-lib", version, files={f"{library}.py": f"VALUE = {version!r}\n"})


def installed(host: str, name: str, version: str, **more: str) -> Generations:
    """Makes a generation with that plugin; ``also`` is another plugin in it."""
    generations = Generations(host)
    solution = Solution((), (Chosen(canonical(name), version),))

    def place(site: str) -> None:
        site_of(site, name, version)
        if "also" in more:
            site_of(site, more["also"], version)

    with generations.changing():
        generations.build(solution, place, by=f"pkl install {name}")
    return generations


def test_a_plugin_that_was_installed_starts_with_its_library() -> None:
    generations = installed("shop-a", "gens_a", "1.0")
    site = generations.places.site(1)
    with PluginHost("shop-a") as host:
        assert [c.version for c in host.discover().named("gens-a")] == ["1.0"]
        assert site not in sys.path, "looking pins nothing"
        report = host.start()
        assert report.enabled == ("gens-a",) and report.ok, report
        assert sys.path[-1] == site, "what is in the environment comes first"
        assert generations.in_use() == {1: (os.getpid(),)}
        assert sys.modules["gens_a_lib"].__file__ == os.path.join(site, "gens_a_lib.py")
    assert site not in sys.path and generations.in_use() == {}
    sys.modules.pop("gens_a_lib", None)


def test_a_running_host_keeps_its_generation_and_the_next_takes_the_new_one() -> None:
    generations = installed("shop-b", "gens_b", "1.0")
    with PluginHost("shop-b") as host:
        host.start()
        installed("shop-b", "gens_b", "2.0", also="gens_b2")
        host.refresh()
        plugin = host.get_plugin("gens-b")
        assert plugin is not None and plugin.version == "1.0"
        assert host.get_plugin("gens-b2") is None
        assert list(generations.in_use()) == [1]
    with PluginHost("shop-b") as host:
        host.start()
        plugin = host.get_plugin("gens-b")
        assert plugin is not None and plugin.version == "2.0"
    for name in ("gens_b_lib", "gens_b2_lib"):
        sys.modules.pop(name, None)


def test_a_plugin_can_be_loaded_by_name_without_a_start() -> None:
    installed("shop-c", "gens_c", "1.0")
    with PluginHost("shop-c") as host:
        plugin = host.load_plugin("gens-c")
        plugin.enable()
        assert plugin.state is PluginState.ENABLED
    sys.modules.pop("gens_c_lib", None)


def test_hosts_of_one_process_do_not_see_what_is_installed_for_the_other() -> None:
    installed("shop-d", "gens_d", "1.0")
    installed("shop-e", "gens_e", "1.0")
    with PluginHost("shop-d") as one, PluginHost("shop-e") as other, PluginHost() as unnamed:
        assert one.start().enabled == ("gens-d",)
        assert other.start().enabled == ("gens-e",)
        assert [c.name for c in one.discover().candidates] == ["gens-d"]
        assert [c.name for c in other.discover(refresh=True).candidates] == ["gens-e"]
        assert unnamed.discover().candidates == ()
    for name in ("gens_d_lib", "gens_e_lib"):
        sys.modules.pop(name, None)


def test_two_hosts_of_one_name_share_the_entry_until_both_have_closed() -> None:
    generations = installed("shop-f", "gens_f", "1.0")
    site = generations.places.site(1)
    one, other = PluginHost("shop-f"), PluginHost("shop-f")
    one.start()
    other.start()
    assert sys.path.count(site) == 1
    one.close()
    one.close()
    assert site in sys.path and list(generations.in_use()) == [1]
    other.close()
    assert site not in sys.path and generations.in_use() == {}
    sys.modules.pop("gens_f_lib", None)


def test_a_damaged_generation_is_a_warning_and_the_rest_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generations = installed("shop-g", "gens_g", "1.0")
    Path(generations.places.current).write_text("seven\n")
    directory = tmp_path / "plugins" / "local"
    directory.mkdir(parents=True)
    (directory / "plugin.toml").write_text('name = "local"\n')
    (directory / "plugin.py").write_text("")
    with PluginHost("shop-g", paths=[tmp_path / "plugins"]) as host:
        report = host.start()
    assert report.enabled == ("local",) and report.status == "degraded"
    (note,) = [each for each in report.notes if "what is installed" in each]
    assert "pkl rollback" in note
    assert "what is installed for the host 'shop-g' cannot be used" in caplog.text


def test_what_pip_put_into_the_environment_outranks_and_the_other_copy_is_shadowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("shop-h", "gens_h", "2.0")
    environment = tmp_path / "environment"
    environment.mkdir()
    site_of(str(environment), "gens_h", "1.0")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(environment))
        with PluginHost("shop-h") as host:
            found = host.discover()
            assert [c.version for c in found.named("gens-h")] == ["1.0"]
            assert [(s.distribution, s.version) for s in found.shadowed] == [("gens_h", "2.0")]
            host.start()
            plugin = host.get_plugin("gens-h")
            assert plugin is not None and plugin.version == "1.0"
    sys.modules.pop("gens_h_lib", None)


def test_the_generation_of_another_python_or_environment_is_never_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed("shop-i", "gens_i", "1.0")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "prefix", str(tmp_path))
        assert PluginHost("shop-i").discover().candidates == ()
    assert len(PluginHost("shop-i").discover().candidates) == 1


def test_no_pth_file_of_a_generation_is_heeded(tmp_path: Path) -> None:
    """The audit refuses them, and if one is there all the same it does nothing."""
    marker = tmp_path / "ran"
    generations = Generations("shop-j")

    def place(site: str) -> None:
        fake_plugin(Path(site), "gens-j")
        Path(site, "evil.pth").write_text(f"import os; open({str(marker)!r}, 'w')\n")

    with generations.changing():
        generations.build(Solution((), ()), place, by="x")
    with PluginHost("shop-j") as host:
        host.discover()
        host._generation.pin()
        assert not marker.exists()


def test_a_fresh_process_finds_and_runs_it(tmp_path: Path) -> None:
    installed("shop-k", "gens_k", "1.0")
    code = "import pkl; h = pkl.PluginHost('shop-k'); print(*h.start().enabled); h.close()"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (ran.stdout, ran.stderr) == ("gens-k\n", "")
