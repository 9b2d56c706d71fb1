"""``pkl run``, in processes of its own: starts, waits, stops, and exits with the right status."""

from __future__ import annotations

import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.cli.conftest import Process
from tests.cli.running import directory_plugin
from tests.discovery.fakes import plugin, write

STEPS = """
import pkl, pathlib
def note(word):
    with open("steps", "a") as file:
        file.write(word + " ")
@pkl.this.on_enable.on
def start():
    note("enabled")
@pkl.this.on_disable.on
def stop():
    note("disabled")
"""

EXITS = """
import pkl
host = pkl.this.host
@pkl.this.on_enable.on
def start():
    host.exit(7)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


@pytest.fixture
def steps(work: Path) -> Path:
    """The file in which the plugin ``steps`` writes what happens to it."""
    directory_plugin(work / "p", "steps", code=STEPS)
    return work / "steps"


def test_plugins_are_started_shown_and_stopped_in_the_end(process: Process, steps: Path) -> None:
    ran = process.run("run", "--path", "p", "--timeout", "0.05")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[0].split() == ["NAME", "VERSION", "STATE", "MS"]
    assert ran.stdout.splitlines()[1].split()[:4] == ["steps", "1.0", "●", "enabled"]
    assert ran.stdout.splitlines()[-2].startswith("started in ")
    assert ran.stdout.splitlines()[-1] == "ok: 1 enabled"
    assert steps.read_text().split() == ["enabled", "disabled"]


def test_ten_plugins_have_a_row_and_all_with_verbose(process: Process, work: Path) -> None:
    for number in range(12):
        directory_plugin(work / "p", f"plugin-{number}", code="")
    ran = process.run("run", "--path", "p", "--timeout", "0")
    lines = ran.stdout.splitlines()
    assert len(lines) == 1 + 10 + 3
    assert lines[-3].startswith("and 2 more that are enabled, ")
    ran = process.run("run", "--path", "p", "--timeout", "0", "-v")
    assert len([line for line in ran.stdout.splitlines() if line.startswith("plugin-")]) == 12


def test_the_critical_path_is_a_line(process: Process, work: Path, steps: Path) -> None:
    code = "import time\ntime.sleep(0.05)\n"
    directory_plugin(work / "p", "user", code=code, requires=["steps"])
    ran = process.run("run", "--path", "p", "--timeout", "0")
    path = ran.stdout.splitlines()[-2].partition("critical path: ")[2]
    assert path.split()[0] == "steps" and " user " in path
    ran = process.run("run", "--path", "p", "--timeout", "0", "--json")
    assert json.loads(ran.stdout)["critical_path"] == ["steps", "user"]


def test_the_exit_code_is_the_hosts(process: Process, work: Path) -> None:
    directory_plugin(work / "p", "exits", code=EXITS)
    assert process.run("run", "--path", "p").returncode == 7


def test_one_json_object_says_how_the_start_went(process: Process, work: Path, steps: Path) -> None:
    directory_plugin(work / "p", "boom", code="raise RuntimeError('no database')")
    directory_plugin(work / "p", "lost", requires=["nowhere"])
    ran = process.run("run", "--path", "p", "--timeout", "0", "--json")
    found: Dict[str, Any] = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert list(found) == [
        "schema",
        "host",
        "group",
        "status",
        "seconds",
        "enabled",
        "blocked",
        "failed",
        "waiting",
        "stopped",
        "critical_path",
        "notes",
        "died",
        "safe_mode",
    ]
    assert (found["schema"], found["status"]) == ("pkl.run/1", "degraded")
    assert [each["name"] for each in found["enabled"]] == ["steps"]
    assert found["failed"][0]["reason"]["code"] == "load"
    assert "no database" in found["failed"][0]["reason"]["message"]
    assert found["blocked"][0]["reason"]["code"] == "missing"


def test_strict_exits_with_1_when_anything_wanted_does_not_run(
    process: Process, work: Path, steps: Path
) -> None:
    directory_plugin(work / "p", "lost", requires=["nowhere"])
    ran = process.run("run", "--path", "p", "--strict")
    assert ran.returncode == 1
    assert "degraded: 1 enabled, 1 blocked" in ran.stdout
    assert steps.read_text().split() == ["enabled", "disabled"]


def test_what_a_stopped_plugin_left_is_named_at_the_end(process: Process, work: Path) -> None:
    code = """
import threading
def work(): threading.Event().wait()
threading.Thread(target=work, name="worker", daemon=True).start()
"""
    directory_plugin(work / "p", "leaky", code=code)
    ran = process.run("run", "--path", "p", "--timeout", "0")
    assert ran.returncode == 0
    assert ran.stderr.startswith("left behind by leaky 1.0: thread worker (in work (")
    assert process.run("-q", "run", "--path", "p", "--timeout", "0").stderr == ""


def test_a_critical_plugin_that_cannot_run_is_exit_9(process: Process, work: Path) -> None:
    directory_plugin(work / "p", "lost", "critical = true\n", requires=["nowhere"])
    ran = process.run("run", "--path", "p")
    assert ran.returncode == 9
    assert "refused" in ran.stdout


def test_only_starts_what_is_named_and_what_it_needs(
    process: Process, work: Path, steps: Path
) -> None:
    directory_plugin(work / "p", "user", code="", requires=["steps"])
    directory_plugin(work / "p", "other", "critical = true\n", code="raise RuntimeError")
    ran = process.run(
        "run", "--path", "p", "--only", "user", "--timeout", "0", "--strict", "--json"
    )
    found = json.loads(ran.stdout)
    assert ran.returncode == 0, ran
    assert [each["name"] for each in found["enabled"]] == ["steps", "user"]
    assert found["status"] == "ok"


def test_only_of_an_unknown_plugin_is_exit_4(process: Process, steps: Path) -> None:
    ran = process.run("run", "--path", "p", "--only", "setps")
    assert ran.returncode == 4
    assert "did you mean 'steps'?" in ran.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_stops_the_plugins_first(
    process: Process, steps: Path, number: signal.Signals, status: int
) -> None:
    # Whoever runs the tests in the background has them ignore SIGINT, and so what they start.
    heard = partial(signal.signal, number, signal.SIG_DFL)
    running = process.start("run", "--path", "p", "--json", preexec_fn=heard)
    assert running.stdout is not None
    line = ""
    while line != "}\n":  # the object is complete: everything has been started
        line = running.stdout.readline()
        assert line, running.communicate()
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == status, err
    assert "Traceback" not in err
    assert steps.read_text().split() == ["enabled", "disabled"]


HANGS = """
import pkl, threading
@pkl.this.on_disable.on
def stop():
    threading.Event().wait()
"""

IMPATIENT = """
import pkl
host = pkl.PluginHost(paths=["p"], stop_timeout=0.1)
"""


def test_sigterm_ends_a_process_whose_plugin_does_not_stop_and_names_it(
    process: Process, work: Path, steps: Path
) -> None:
    directory_plugin(work / "p", "stuck", code=HANGS)
    write(work / "shop.py", IMPATIENT)
    running = process.start("run", "--app", "shop:host", "--json")
    assert running.stdout is not None
    while running.stdout.readline() != "}\n":
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 9, err
    assert "StopTimeout: stop (" in err and "plugin 'stuck' 1.0 did not return" in err
    assert "pkl-stop-stuck" in err
    assert steps.read_text().split() == ["enabled", "disabled"]


def test_a_cleanup_that_fails_is_told_and_exit_9(process: Process, work: Path) -> None:
    code = "import pkl\n@pkl.this.on_disable.on\ndef stop():\n    raise OSError('disk full')\n"
    directory_plugin(work / "p", "dirty", code=code)
    ran = process.run("run", "--path", "p", "--timeout", "0")
    assert ran.returncode == 9
    assert ran.stderr.splitlines()[-1].strip()
    assert "E_CLEANUP" in ran.stderr
    assert "disk full" in ran.stderr
    ran = process.run("run", "--path", "p", "--timeout", "0", "--json")
    assert json.loads(ran.stdout)["status"] == "ok"  # one object, whatever comes after it
    assert "E_CLEANUP" in ran.stderr


APP = """
import pkl
host = pkl.PluginHost("shop", paths=["p"])
def make():
    return host
"""


@pytest.mark.parametrize("attribute", ["host", "make"])
def test_an_application_brings_its_host(
    process: Process, work: Path, steps: Path, attribute: str
) -> None:
    write(work / "shop.py", APP)
    ran = process.run("run", "--app", f"shop:{attribute}", "--timeout", "0", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["host"]) == (0, "shop")
    assert steps.exists()


def test_the_application_of_the_table_is_run(process: Process, work: Path, steps: Path) -> None:
    write(work / "shop.py", APP)
    write(work / "pyproject.toml", '[tool.pkl]\nname = "x"\napp = "shop:host"\n')
    ran = process.run("run", "--timeout", "0", "--json")
    assert json.loads(ran.stdout)["host"] == "shop"


def test_without_an_application_the_table_makes_the_host(
    process: Process, work: Path, steps: Path
) -> None:
    write(work / "pkl.toml", 'name = "shop"\nversion = "3"\npaths = ["p"]\n')
    found = json.loads(process.run("run", "--timeout", "0", "--json").stdout)
    assert (found["host"], len(found["enabled"])) == ("shop", 1)


def test_plugins_reach_the_host_that_is_run_as_the_default_one(
    process: Process, work: Path
) -> None:
    code = "import pkl\nassert pkl.get_default_host() is pkl.this.host\n"
    directory_plugin(work / "p", "asks", code=code)
    ran = process.run("run", "--path", "p", "--timeout", "0", "--strict")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing says which host to run"),
        (("--app", "shop:host", "--path", "p"), "leave --host, --group and --path out"),
        (("--app", "nowhere:host"), "ModuleNotFoundError"),
        (("--app", "shop:nothing"), "has no nothing"),
        (("--app", "shop"), "MODULE:ATTR"),
        (("--app", "fails:host"), "no database"),
    ],
)
def test_a_host_that_cannot_be_had_is_exit_2(
    process: Process, work: Path, arguments: "tuple[str, ...]", said: str
) -> None:
    write(work / "shop.py", APP)
    write(work / "fails.py", "raise RuntimeError('no database')")
    ran = process.run("run", *arguments)
    assert ran.returncode == 2, ran
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_log_lines_cannot_control_the_terminal(process: Process, work: Path) -> None:
    directory_plugin(work / "p", "loud", code="from pkl import log\nlog.warning('a\\x1b[2Jb')\n")
    ran = process.run("run", "--path", "p", "--timeout", "0")
    assert "a\\x1b[2Jb" in ran.stderr
    assert "\x1b" not in ran.stderr


def test_path_outranks_what_is_installed(process: Process, work: Path, site: Path) -> None:
    plugin(site, "steps", "0.5", 'name = "steps"\n')
    directory_plugin(work / "p", "steps", code=STEPS)
    ran = process.run("run", "--path", "p", "--timeout", "0", "--json")
    assert json.loads(ran.stdout)["enabled"][0]["version"] == "1.0"
    ran = process.run("run", "--path", "p/steps", "--timeout", "0", "--json")
    assert json.loads(ran.stdout)["enabled"][0]["version"] == "1.0"


@pytest.mark.parametrize("way", ["option", "environment", "application"])
def test_in_safe_mode_only_what_is_critical_starts(process: Process, work: Path, way: str) -> None:
    directory_plugin(work / "p", "db", "critical = true\n", "import pkl\n")
    directory_plugin(work / "p", "auth", code="import os\nos._exit(3)\n")
    arguments, environment = ["run", "--path", "p"], {}
    if way == "environment":
        environment["PKL_SAFE_MODE"] = "1"
    else:
        arguments.append("--safe-mode")
    if way == "application":
        write(work / "app.py", "import pkl\nhost = pkl.PluginHost(paths=['p'], group='none')\n")
        arguments[1:3] = ["--app", "app:host"]
        environment["PYTHONPATH"] = f"{work}:{process.environment['PYTHONPATH']}"
    ran = process.run(*arguments, "--timeout", "0", "--json", environment=environment)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [each["name"] for each in found["enabled"]] == ["db"]
    assert [each["reason"]["code"] for each in found["blocked"]] == ["safe-mode"]
    assert (found["safe_mode"], found["status"]) == (True, "degraded")
    ran = process.run(*arguments, "--timeout", "0", environment=environment)
    assert "safe mode: only what is critical was to start" in ran.stderr
