"""The test command finds the Pythons of a machine by itself and says which it lacks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List, Optional

import pytest

from tests import run

HERE = "{}.{}".format(*sys.version_info[:2])


def executable(path: Path, text: str) -> Path:
    """A script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_running_python_is_found_first() -> None:
    assert run.find_python(HERE) == sys.executable


def test_a_shim_that_does_not_start_is_not_a_python(tmp_path: Path) -> None:
    shim = executable(tmp_path / "python3.99", "#!/bin/sh\necho 3.99\nexit 127\n")
    assert not run.answers(str(shim), "3.99")


def test_another_version_is_not_the_one_asked_for() -> None:
    assert run.answers(sys.executable, HERE)
    assert not run.answers(sys.executable, "3.99")


def test_a_python_that_only_pyenv_knows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "versions" / "3.99.1" / "bin"
    python = executable(folder / "python3.99", "#!/bin/sh\necho 3.99 /somewhere\n")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert run.find_python("3.99") == str(python)


def test_a_python_that_the_machine_lacks_is_named_and_the_rest_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def only_this(version: str) -> Optional[str]:
        return sys.executable if version == "3.12" else None

    says = (
        'echo "$@"',
        "echo '==== 3 passed, 1 skipped in 0.10s ===='",
        "echo '2 failed, 1 passed, 1 warning in 61.00s (0:01:01)'",
    )
    fake = executable(tmp_path / "tox", "\n".join(["#!/bin/sh", *says]))
    monkeypatch.setattr(run, "find_python", only_this)
    monkeypatch.setattr(run, "tox_python", lambda: str(fake))
    assert run.main(["py39", "py312", "lint", "--", "-x"]) == 0
    lines: List[str] = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[-2] == "skipped: py39, no Python 3.9 on this machine"
    assert lines[1].endswith(
        f"--skip-missing-interpreters false --discover {sys.executable} -e py312,lint -- -x"
    )
    assert lines[-1].startswith("==== 4 passed, 1 skipped, 2 failed in ")


def test_a_failing_environment_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = executable(tmp_path / "tox", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(run, "tox_python", lambda: str(fake))
    assert run.main(["lint"]) == 1


def test_what_the_user_has_set_for_python_and_pkl_does_not_reach_the_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PKL_HOME", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PKL_EXAMPLES", "7")
    kept = run.environment()
    assert kept["PKL_EXAMPLES"] == "7"
    assert not {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PKL_HOME", "PYTEST_ADDOPTS"} & set(kept)
