"""The test command finds the Pythons of a machine by itself and says which it lacks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import List, Optional, Sequence

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


class Tox:
    """A fake of tox: a script that is told which environment to play."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = executable(
            folder / "tox",
            """#!/bin/sh
echo "$@"
while [ "$1" != -e ]; do shift; done
. "${0%/*}/$2"
""",
        )

    def plays(self, name: str, script: str) -> None:
        """Sets what the environment of this name does, as lines of sh."""
        (self._folder / name).write_text(script + "\n", encoding="utf-8")

    def prints(self, name: str, lines: Sequence[str], status: int) -> None:
        """Sets what the environment of this name prints, and its exit status."""
        (self._folder / f"{name}.out").write_text("\n".join([*lines, ""]), encoding="utf-8")
        self.plays(name, f'cat "${{0%/*}}/{name}.out"\nexit {status}')


@pytest.fixture
def tox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tox:
    """The fake, in the place of the real one."""
    fake = Tox(tmp_path)
    monkeypatch.setattr(run, "tox_python", lambda: str(fake.path))
    monkeypatch.setattr(run, "build_wheel", lambda: "pkl.whl")
    return fake


def test_a_python_that_the_machine_lacks_is_named_and_the_rest_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tox: Tox
) -> None:
    def only_this(version: str) -> Optional[str]:
        return sys.executable if version == "3.12" else None

    monkeypatch.setattr(run, "find_python", only_this)
    tox.prints("py312", ["==== 3 passed, 1 skipped in 0.10s ===="], 0)
    tox.prints("lint", ["2 failed, 1 passed, 1 warning in 61.00s (0:01:01)"], 0)
    assert run.main(["py39", "py312", "lint", "--", "-x"]) == 0
    lines: List[str] = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[-2] == "skipped: py39, no Python 3.9 on this machine"
    assert lines[1] == (
        "-m tox run --skip-missing-interpreters false --installpkg pkl.whl "
        f"--discover {sys.executable} -e py312 -- -x"
    )
    assert lines[3].endswith("-e lint -- -x")
    assert re.match(r"py312: passed in \d+ s$", lines[-4])
    assert lines[-1].startswith("==== 4 passed, 1 skipped, 2 failed in ")


def test_a_failing_environment_fails_the_run(tox: Tox) -> None:
    tox.plays("lint", "exit 1")
    tox.plays("types", "exit 0")
    assert run.main(["types"]) == 0
    assert run.main(["lint", "types"]) == 1


def test_environments_run_at_a_time_and_print_one_after_the_other(
    tox: Tox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each waits for a file that the other makes, so that neither can end alone."""
    for name, other in (("lint", "types"), ("types", "lint")):
        wait = f"until [ -e {tmp_path}/{other}.here ]; do sleep 0.01; done"
        tox.plays(name, f"echo {name} 1\ntouch {tmp_path}/{name}.here\n{wait}\necho {name} 2")
    assert run.main(["-j", "2", "lint", "types"]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line[-1] in "12"]
    assert printed == ["lint 1", "lint 2", "types 1", "types 2"]


def test_environments_write_their_temporary_files_each_to_its_own_folder(
    tox: Tox, tmp_path: Path
) -> None:
    for name in ("lint", "types"):
        written = 'echo x > "$PYTEST_DEBUG_TEMPROOT/x" || exit 1'
        tox.plays(name, f'{written}\necho "$PYTEST_DEBUG_TEMPROOT" > {tmp_path}/{name}')
    assert run.main(["lint", "types"]) == 0
    folders = {Path((tmp_path / name).read_text().strip()) for name in ("lint", "types")}
    assert len(folders) == 2 and all(folder.name.startswith("pkl-") for folder in folders)
    assert not [folder for folder in folders if folder.exists()]


def test_one_job_runs_them_one_after_the_other(tox: Tox, tmp_path: Path) -> None:
    tox.plays("lint", f"echo done > {tmp_path}/first")
    tox.plays("types", f"grep done {tmp_path}/first")
    assert run.main(["-j", "1", "lint", "types"]) == 0


def test_no_job_at_all_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        run.main(["-j", "0"])
    assert exited.value.code == 2
    assert "at least one environment" in capsys.readouterr().err


def test_an_environment_that_cannot_even_start_is_an_error_not_a_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "tox_python", lambda: str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError):
        run.main(["lint"])


FAILING = """\
lint: commands[0]> pytest
============================= test session starts ==============================
tests/test_a.py ..F.E                                                    [100%]

==================================== ERRORS ====================================
____________________ ERROR at teardown of test_it_is_taken_back ________________
E   ResourceWarning: unclosed file
=================================== FAILURES ===================================
__________________________________ test_it_is_so _______________________________
E   assert 1 == 2
=============================== warnings summary ===============================
a warning that nobody asked for
=========================== short test summary info ============================
SKIPPED [9] tests/test_b.py:3: uv is not installed
FAILED tests/test_a.py::test_it_is_so - assert 1 == 2
ERROR tests/test_a.py::test_it_is_taken_back - ResourceWarning: unclosed file
=================== 1 failed, 3 passed, 9 skipped, 1 error in 0.10s ============
lint: FAIL code 1
""".splitlines()


def test_the_end_says_again_what_failed_where_and_why(
    tox: Tox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who sees only the tail of the output sees what failed in an early environment."""
    tox.prints("lint", FAILING, 1)
    tox.prints("types", [f"line {number}" for number in range(1000)], 0)
    assert run.main(["lint", "types"]) == 1
    lines = capsys.readouterr().out.splitlines()
    end = lines[lines.index("==== lint failed ====") + 1 :]
    told = [line for line in FAILING[4:] if "SKIPPED" not in line and "warning" not in line]
    assert end[: len(told) - 1] == told[:-1]
    assert re.match(r"lint: failed in \d+ s$", end[-3])
    assert re.match(r"types: passed in \d+ s$", end[-2])
    assert end[-1].startswith("==== 1 failed, 3 passed, 9 skipped, 1 error in ")


def test_an_account_is_bounded_and_keeps_the_first_failure_and_the_summary() -> None:
    failed = [f"FAILED tests/test_a.py::test_{number}" for number in range(500)]
    end = FAILING.index("FAILED tests/test_a.py::test_it_is_so - assert 1 == 2")
    told = run.account([*FAILING[:end], *failed, *FAILING[end:]], 20)
    assert len(told) == 21
    assert told[:2] == FAILING[4:6]
    assert told[10] == "... 490 lines left out"
    assert told[-1].startswith("=================== 1 failed")


def test_all_accounts_together_are_bounded(tox: Tox, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("lint", "types", "docs"):
        tox.prints(name, [f"{name} {number}" for number in range(1000)], 1)
    assert run.main(["lint", "types", "docs"]) == 1
    out = capsys.readouterr().out.splitlines()
    end = out[out.index("==== lint failed ====") :]
    assert len(end) < run.ACCOUNT + 20
    assert {"lint 999", "types 999", "docs 999"} <= set(end)


def test_what_fails_without_a_word_of_pytest_shows_its_last_lines() -> None:
    lines = ["lint: commands[0]> ruff check .", "E501 line too long", "lint: FAIL code 1"]
    assert run.account(lines, 2) == lines[1:]
    passing = ["== short test summary info ==", "SKIPPED [1] a", "== 1 skipped in 1.00s ==", *lines]
    assert run.account(passing, 3) == lines


def test_the_account_of_several_runs_of_pytest_has_the_failures_of_each() -> None:
    told = run.account([*FAILING, "in between", *FAILING], 100)
    assert told.count("E   assert 1 == 2") == 2
    assert "in between" not in told


def test_what_the_user_has_set_for_python_and_pkl_does_not_reach_the_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PKL_HOME", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PKL_EXAMPLES", "7")
    kept = run.environment()
    assert kept["PKL_EXAMPLES"] == "7"
    assert not {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PKL_HOME", "PYTEST_ADDOPTS"} & set(kept)
