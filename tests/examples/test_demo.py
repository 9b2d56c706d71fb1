"""The demo's installer; that the demo succeeds is shown by running it (``tox -e demo``)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ..run_examples import EXAMPLES

DEMO = EXAMPLES / "demo.py"


@pytest.fixture
def demo() -> ModuleType:
    """The module ``demo``, which is in no package."""
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_needs_nothing_but_the_standard_library() -> None:
    """``-S``: without site-packages."""
    subprocess.run([sys.executable, "-I", "-S", DEMO, "--help"], check=True, capture_output=True)


def test_a_step_that_fails_says_which_and_what_it_printed(demo: ModuleType, tmp_path: Path) -> None:
    step = [sys.executable, "-c", "import sys; print('no such wheel'); sys.exit(3)"]
    with pytest.raises(demo.Failed, match=r"^pip wheel failed with status 3:\nno such wheel$"):
        demo.run("pip wheel", step, tmp_path)


def test_the_users_own_settings_do_not_lead_the_installation_astray(
    demo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "PIP_TARGET", "PIP_USER", "VIRTUAL_ENV", "PKL_HOME", "DESK_HOME"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.org/simple")
    kept = demo.environment(tmp_path)
    assert "elsewhere" not in kept.values()
    assert kept["PIP_INDEX_URL"] == "https://index.example.org/simple"
    assert Path(kept["PKL_HOME"]).parent == Path(kept["DESK_HOME"]).parent == tmp_path


def test_a_failed_installation_ends_with_status_1_and_the_reason(
    demo: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(home: Path) -> Path:
        raise demo.Failed("pip wheel failed with status 3:\nno such wheel")

    monkeypatch.setattr(demo, "install", fail)
    assert demo.main(["--dir", str(tmp_path)]) == 1
    assert "demo failed: pip wheel failed with status 3" in capsys.readouterr().err
