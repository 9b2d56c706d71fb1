"""uv and pip: the same answers, apart from the user's settings, and failures told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from pkl.errors import (
    BackendFailed,
    MissingTool,
    NoSolution,
    RegistryGarbage,
    RequirementError,
    UsageError,
)
from pkl.install.backends import asking, choose_backend
from pkl.install.backends.backend import Query
from pkl.install.backends.choose_backend import FoundInstaller, find_backend, installers
from pkl.install.backends.pip import Pip
from pkl.install.backends.processes import Ran, environment
from pkl.install.backends.proof_text import pip_proof, uv_proof
from pkl.install.backends.uv import Uv
from pkl.install.solution import Chosen
from pkl.install.wanted import Pinned
from pkl.install.wheels.audit import audit_wheel
from pkl.install.wheels.placed import check_placed
from tests.discovery.fakes import install
from tests.install.installers import both, installer
from tests.install.making import library_wheel, wheel_of
from tests.install.market import Shop, serving
from tests.registry.client.server import answers, running

BACKENDS = pytest.mark.parametrize("name", both())


@pytest.fixture
def stocked(served: Shop) -> Shop:
    """A registry in which A 2.0 and B 2.0 need different versions of a library."""
    served.library("liby", "1.0")
    served.library("liby", "2.0")
    served.plugin("a", "1.9", libraries=["liby"])
    served.plugin("a", "2.0", libraries=["liby>=2"])
    served.plugin("b", "2.0", libraries=["liby<2"])
    served.publish()
    return served


# The real ones


@BACKENDS
def test_versions_are_found_that_fit_together(stocked: Shop, name: str) -> None:
    query = Query(("acme-a", "acme-b>=1"), indexes=(stocked.simple,))
    found = {each.name: each for each in installer(name).resolve(query)}
    assert {n: each.version for n, each in found.items()} == {
        "acme-a": "1.9",
        "acme-b": "2.0",
        "liby": "1.0",
    }
    one = found["acme-b"]
    assert one.url == f"{stocked.url}/files/acme_b-2.0-py3-none-any.whl"
    assert (one.source, one.requires) == (stocked.simple, ("liby<2",))
    assert [(each.url, each.sha256) for each in one.wheels] == [(one.url, one.sha256)]
    assert one.wheels[0].size == (stocked.wheels / "acme_b-2.0-py3-none-any.whl").stat().st_size
    assert list(found) == sorted(found)


@BACKENDS
def test_a_library_of_the_host_is_never_moved_and_the_proof_names_it(
    stocked: Shop, name: str, tmp_path: Path
) -> None:
    """Case 23: pip and uv by themselves would move it and break the host."""
    info = install(tmp_path / "site", "liby", "1.0", files={"liby/__init__.py": ""})
    query = Query(
        ("acme-a==2.0",),
        indexes=(stocked.simple,),
        installed=(Pinned("liby", "1.0", str(info)),),
    )
    with pytest.raises(NoSolution) as caught:
        installer(name).resolve(query)
    proof = "\n".join(caught.value.proof)
    assert caught.value.message == "no versions fit together for acme-a==2.0"
    assert "liby>=2" in proof
    assert "liby==1.0" in proof
    assert caught.value.exit_status == 5
    assert not [path for path in stocked.asked if "/liby/" in path]


@BACKENDS
def test_what_the_environment_has_is_taken_as_it_is(
    stocked: Shop, name: str, tmp_path: Path
) -> None:
    """It is in no index, what it lacks itself is its affair, and its extras are completed."""
    info = install(
        tmp_path / "site",
        "host-lib",
        "3.1+local.1",
        requires=["not-there", 'liby<2; extra == "fast"'],
        headers="Provides-Extra: fast\n",
    )
    stocked.plugin("c", libraries=["host-lib[fast]>=3"])
    stocked.publish()
    query = Query(
        ("acme-c",),
        indexes=(stocked.simple,),
        installed=(Pinned("host-lib", "3.1+local.1", str(info)),),
    )
    found = {each.name: (each.version, bool(each.url)) for each in installer(name).resolve(query)}
    assert found == {
        "acme-c": ("1.0", True),
        "host-lib": ("3.1+local.1", False),
        "liby": ("1.0", True),
    }


@BACKENDS
def test_the_first_index_that_has_a_name_serves_it(
    stocked: Shop, name: str, tmp_path: Path
) -> None:
    """A higher version in another index is not what was meant (dependency confusion)."""
    evil = Shop(tmp_path, "evil")
    evil.library("liby", "99.0")
    evil.library("other", "1.0")
    evil.publish()
    with serving(evil):
        query = Query(("liby", "other"), indexes=(stocked.simple, evil.simple))
        found = {each.name: each for each in installer(name).resolve(query)}
        assert found["liby"].version == "2.0"
        assert (found["liby"].source, found["other"].source) == (stocked.simple, evil.simple)
        assert "/simple/liby/" not in " ".join(evil.asked)


@BACKENDS
def test_an_index_that_cannot_be_asked_is_not_one_without_the_name(name: str) -> None:
    """pip says "no matching distribution" to a page of a network that wants you to sign in."""
    with running() as server:
        page = b"<html><body><a href='/login'>Sign in</a></body></html>"
        server.does("/simple/liby/", answers(200, page))
        with pytest.raises(RegistryGarbage, match="it lists no files"):
            installer(name).resolve(Query(("liby",), indexes=(f"{server.url}/simple",)))


@BACKENDS
def test_wheels_are_unpacked_apart_from_the_users_settings(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        wheel_of(
            tmp_path / "wheels",
            "acme-audit",
            files={
                "acme_audit/__init__.py": "raise SystemExit('run')\n",
                "acme_audit-1.0.data/scripts/audit-all": "#!python\n",
                "acme_audit-1.0.data/data/share/audit.1": "",
                "acme_audit-1.0.data/headers/audit.h": "",
            },
            entry_points={"console_scripts": {"audit": "acme_audit:main"}},
            requires=["not-there>=9"],
        ),
        library_wheel(tmp_path / "wheels", "liby", "2.0"),
    ]
    hostile = tmp_path / "here"
    hostile.mkdir()
    for module in ("sitecustomize", "pip", "json", "uv"):
        (hostile / f"{module}.py").write_text("open('run', 'w')\n")
    (hostile / "uv.toml").write_text("nonsense = [")
    (hostile / "pip.conf").write_text("[install]\ntarget = elsewhere\n")
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("PYTHONPATH", str(hostile))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(hostile / "pip.conf"))
    monkeypatch.setenv("PIP_PREFIX", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("UV_CONFIG_FILE", str(hostile / "uv.toml"))
    monkeypatch.setenv("HOME", str(hostile))
    target = tmp_path / "site"
    target.mkdir()
    installer(name).place([str(each) for each in made], str(target))
    contents = [
        audit_wheel(str(made[0]), Chosen("acme-audit", "1.0"), {}),
        audit_wheel(str(made[1]), Chosen("liby", "2.0"), {}),
    ]
    check_placed(str(target), contents)
    assert {path.name for path in target.iterdir()} == {
        "acme_audit",
        "acme_audit-1.0.dist-info",
        "liby",
        "liby-2.0.dist-info",
    }
    assert not list(target.rglob("*.pyc"))
    assert not list(target.rglob("direct_url.json"))
    assert not (hostile / "run").exists()
    assert not (tmp_path / "elsewhere").exists()


@BACKENDS
def test_an_older_version_is_taken_if_it_is_preferred(stocked: Shop, name: str) -> None:
    def versions(*requirements: str) -> Dict[str, str]:
        query = Query(requirements, indexes=(stocked.simple,), preferred=("acme-a==1.9",))
        return {each.name: each.version for each in installer(name).resolve(query)}

    assert versions("acme-a")["acme-a"] == "1.9"
    if name == "uv":  # of pip, which takes two runs, another test says so
        assert versions("acme-a>1.9")["acme-a"] == "2.0"


@pytest.mark.parametrize("name", both()[:1])
def test_pre_releases_are_taken_only_if_wanted_or_nothing_else_is_there(
    served: Shop, name: str
) -> None:
    served.library("liby", "1.0")
    served.library("liby", "2.0rc1")
    served.library("only", "1.0b1")
    served.publish()

    def versions(**more: Any) -> Dict[str, str]:
        query = Query(("liby", "only"), indexes=(served.simple,), **more)
        return {each.name: each.version for each in installer(name).resolve(query)}

    assert versions() == {"liby": "1.0", "only": "1.0b1"}
    assert versions(prereleases=True) == {"liby": "2.0rc1", "only": "1.0b1"}


# Which one


def test_the_installers_of_this_machine_are_named() -> None:
    found = installers()
    assert {each.name for each in found} <= {"uv", "pip"}
    assert [bool(each.problem) for each in found] == sorted(bool(each.problem) for each in found)


def _found(monkeypatch: pytest.MonkeyPatch, *found: FoundInstaller) -> None:
    monkeypatch.setattr(choose_backend, "_uvs", lambda: (e for e in found if e.name == "uv"))
    monkeypatch.setattr(choose_backend, "_pips", lambda: (e for e in found if e.name == "pip"))


UV = FoundInstaller("uv", "0.13.9", ("uv",))
PIP = FoundInstaller("pip", "26.3", ("python", "-m", "pip"))
OLD = FoundInstaller("uv", "0.1.0", ("uv",), "is older than 0.4.25")


def test_uv_is_used_where_it_is_and_else_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch, UV, PIP)
    assert isinstance(find_backend(), Uv)
    assert isinstance(find_backend("pip"), Pip)
    _found(monkeypatch, OLD, PIP)
    assert repr(find_backend()) == "<pip 26.3>"


def test_without_any_the_error_says_what_was_found_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _found(monkeypatch, OLD)
    with pytest.raises(MissingTool) as caught:
        find_backend()
    assert str(caught.value) == (
        f"installing needs uv or pip, and there is none for {sys.executable} "
        "(uv 0.1.0 is older than 0.4.25)\n"
        "hint: install uv (https://docs.astral.sh/uv/), or pip: "
        f"{sys.executable} -m ensurepip --upgrade"
    )
    assert caught.value.exit_status == 69
    _found(monkeypatch, PIP)
    with pytest.raises(MissingTool, match="installing needs uv, and there is none"):
        find_backend("uv")
    with pytest.raises(UsageError, match="no installer 'conda'"):
        find_backend("conda")


@pytest.mark.skipif(sys.platform == "win32", reason="a script as POSIX has it")
@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("echo uv 0.13.9", ""),
        ("echo uv 0.4.24", "is older than 0.4.25"),
        ("echo nonsense", "cannot be run"),
        ("exit 1", "cannot be run"),
    ],
)
def test_a_uv_on_the_path_is_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, problem: str
) -> None:
    program = tmp_path / "uv"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (found,) = [e for e in choose_backend._uvs() if e.command == (str(program),)]
    assert found.problem == problem


def test_a_pip_that_is_too_old_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "pip", "21.2.4")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (found,) = choose_backend._pips()
    assert (found.version, found.problem) == ("21.2.4", "is older than 22.2")
    with pytest.raises(MissingTool, match=r"that takes pip 22\.2 or later, or uv"):
        Pip(("pip",), "21.2.4").resolve(Query(("liby",)))


# Failures


def _answering(monkeypatch: pytest.MonkeyPatch, *answers: Ran) -> List[Sequence[str]]:
    """Has installers answer so, in order; gives the commands."""
    asked: List[Sequence[str]] = []
    left = list(answers)

    def run(command: Sequence[str], scratch: str, **more: Any) -> Ran:
        asked.append(command)
        ran = left.pop(0)
        if "--report" in command and ran.status == 0:
            Path(command[list(command).index("--report") + 1]).write_text(ran.out)
        if "--output-file" in command and ran.status == 0:
            Path(command[list(command).index("--output-file") + 1]).write_text(ran.out)
        return ran

    monkeypatch.setattr(asking, "run", run)
    return asked


def test_a_failure_that_is_no_proof_holds_the_end_of_what_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _answering(monkeypatch, Ran(2, "one\n\x1b[31mtwo\n", "error: out of luck\n"))
    with pytest.raises(BackendFailed) as caught:
        Uv(("uv",), "0.13.9").resolve(Query(("liby",)))
    assert str(caught.value) == (
        "uv 0.13.9 found no answer (exit status 2)\n"
        "  one\n"
        "  \\x1b[31mtwo\n"
        "  error: out of luck\n"
        "hint: pkl doctor says which installer is used; nothing was changed"
    )
    assert (caught.value.exit_status, caught.value.details["backend"]) == (6, "uv")


@pytest.mark.parametrize(
    "out", ["", "{", "[]", '{"install": [1]}', '{"install": [{"metadata": {"name": "liby"}}]}']
)
def test_an_answer_of_pip_that_makes_no_sense_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    _answering(monkeypatch, Ran(0, out, ""))
    with pytest.raises(BackendFailed, match="gave an answer that cannot be used"):
        Pip(("pip",), "26.3").resolve(Query(("liby",)))


@pytest.mark.parametrize("out", ["liby @ https://example.org/liby.whl\n", "liby==2.0\n"])
def test_an_answer_of_uv_that_is_in_no_index_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    _answering(monkeypatch, Ran(0, out, ""))
    with pytest.raises(BackendFailed, match="gave an answer that cannot be used"):
        Uv(("uv",), "0.13.9").resolve(Query(("liby",)))


def test_what_is_preferred_and_cannot_be_had_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    no = Ran(1, "", "ERROR: ResolutionImpossible: for help visit\n")
    asked = _answering(monkeypatch, no, Ran(0, json.dumps({"install": []}), ""))
    assert Pip(("pip",), "26.3").resolve(Query(("liby",), preferred=("liby==1.0",))) == ()
    assert len(asked) == 2


@pytest.mark.parametrize(
    "text",
    [
        "liby @ https://example.org/x.whl",
        "-r /etc/passwd",
        "liby\n--index-url https://x",
        "./liby",
        "",
    ],
)
def test_a_requirement_that_would_lead_elsewhere_is_refused(text: str) -> None:
    for query in (Query((text,)), Query(("liby",), constraints=(text,))):
        with pytest.raises(RequirementError, match="cannot be given to an installer"):
            Uv(("uv",), "0.13.9").resolve(query)


def test_a_requirement_of_a_wheel_that_names_a_url_is_met_by_nothing(tmp_path: Path) -> None:
    """An installer would fetch from there whatever the index is."""
    name = "uv" if "uv" in {each.name for each in installers() if not each.problem} else "pip"
    shop = Shop(tmp_path)
    shop.library("liby", "1.0")
    shop.library("liby", "2.0", "evil @ https://127.0.0.1:1/evil-1.0-py3-none-any.whl")
    shop.publish()
    (found,) = installer(name).resolve(Query(("liby",), indexes=(shop.simple,)))
    assert found.version == "1.0"


def test_nothing_to_unpack_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _answering(monkeypatch) == []
    Pip(("pip",), "26.3").place([], str(tmp_path))


def test_an_installer_that_cannot_be_started_or_does_not_end_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(BackendFailed, match=r"uv 1 cannot be started \(No such file"):
        Uv((str(tmp_path / "uv"),), "1").place(["x.whl"], str(tmp_path))
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    began = time.monotonic()
    with pytest.raises(BackendFailed, match=r"did not end within 0\.5 s, and was ended"):
        Uv(sleeper, "1", timeout=0.5).place(["x.whl"], str(tmp_path))
    assert time.monotonic() - began < 60


# What an installer says


def test_what_uv_says_is_read_in_its_old_and_its_new_form() -> None:
    proof = (
        "Because all versions of pb depend on liby<2 and pa>=2.0 depends on liby>=2, we can "
        "conclude that pa>=2.0 and all versions of pb are incompatible.",
        "And because you require pa==2.0 and pb, we can conclude that your requirements are "
        "unsatisfiable.",
    )
    new = (
        "warning: something\n"
        "error: No solution found when resolving dependencies\n"
        f"  cause: {proof[0]}\n"
        f"         {proof[1]}\n"
    )
    old = (
        "  \u00d7 No solution found when resolving dependencies:\n"
        "  \u2570\u2500\u25b6 Because all versions of pb depend on liby<2 and pa>=2.0 depends on\n"
        "      liby>=2, we can conclude that pa>=2.0 and all versions of pb are incompatible.\n"
        "      And because you require pa==2.0 and pb, we can conclude that your requirements are\n"
        "      unsatisfiable.\n\n"
        "      hint: Pre-releases are available for pb\n"
    )
    assert uv_proof(new) == proof
    assert uv_proof(old) == proof
    assert uv_proof("error: Failed to fetch\n  cause: Connection refused\n") is None


def test_what_pip_says_is_read() -> None:
    text = (
        "Looking in indexes: http://127.0.0.1/simple\n"
        "\n"
        "The conflict is caused by:\n"
        "    acme-a 2.0 depends on liby>=2\n"
        "    The user requested (constraint) liby==1.0\n"
        "\n"
        "To fix this you could try to:\n"
        "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io\n"
    )
    assert pip_proof(text) == (
        "acme-a 2.0 depends on liby>=2",
        "The user requested (constraint) liby==1.0",
    )
    assert pip_proof(
        "ERROR: Could not find a version that satisfies the requirement libz>3 (from acme-a) "
        "(from versions: 1.0, 2.0)\n"
    ) == ("libz>3 (from acme-a) is required, and there are only 1.0, 2.0",)
    assert pip_proof(
        "ERROR: Could not find a version that satisfies the requirement libz (from versions: none)"
    ) == ("libz is required, and there is none",)
    assert pip_proof("ERROR: Exception:\nTraceback\n") is None


# Programs


def test_nothing_of_the_users_environment_gets_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PIP_INDEX_URL", "UV_INDEX", "PYTHONPATH", "HTTPS_PROXY", "NETRC", "HOME"):
        monkeypatch.setenv(variable, "the user's")
    found = environment(str(tmp_path), {"PIP_CONFIG_FILE": os.devnull})
    assert "the user's" not in found.values()
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)
    assert found["PATH"] == os.environ["PATH"]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups as POSIX has them")
def test_ctrl_c_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    code = (
        "import os, signal, subprocess, sys, threading, time\n"
        "from pkl.install.backends.processes import run\n"
        "signal.signal(signal.SIGUSR1, signal.default_int_handler)\n"
        "inner = 'import time; time.sleep(600)'\n"
        "outer = (\n"
        "    'import subprocess, sys;'\n"
        "    'child = subprocess.Popen([sys.executable, \"-c\", sys.argv[1]]);'\n"
        '    \'open("pid", "w").write(str(child.pid)); child.wait()\'\n'
        ")\n"
        "scratch = sys.argv[1]\n"
        "def interrupt():\n"
        "    path = os.path.join(scratch, 'pid')\n"
        "    while not os.path.exists(path) or not open(path).read():\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "threading.Thread(target=interrupt, daemon=True).start()\n"
        "try:\n"
        "    run([sys.executable, '-c', outer, inner], scratch)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=str(Path(__file__).resolve().parents[2]),
    )
    assert ran.stdout == "interrupted\n", ran.stderr
    pid = int((tmp_path / "pid").read_text())
    _until(lambda: not _is_running(pid))


def _is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return not Path("/proc").exists()
    return status != "Z"


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
