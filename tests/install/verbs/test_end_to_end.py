"""The whole of it with real installers: from a served registry into a host that runs the plugin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from tests.install.market import Shop

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import pkl
with pkl.PluginHost("shop", version="2.0", group="shop.plugins") as host:
    print(host.start())
    print(*(f"{p.name} {p.version}" for p in host.all_plugins()))
"""
BACKENDS = [
    "pip",
    pytest.param(
        "uv", marks=pytest.mark.skipif(shutil.which("uv") is None, reason="there is no uv here")
    ),
]


@pytest.fixture
def environment(home: Path) -> Dict[str, str]:
    """What processes are started with."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PKL_HOME": str(home), "NO_COLOR": "1"}


@pytest.fixture
def run(tmp_path: Path, environment: Dict[str, str]) -> "Callable[..., str]":
    """Runs a process in the directory of a host, which has to exit with 0; what it printed."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "pkl.toml").write_text('name = "shop"\nversion = "2.0"\ngroup = "shop.plugins"\n')

    def act(*arguments: str, path: str = "") -> str:
        more = {"PYTHONPATH": os.pathsep.join((str(ROOT), path))} if path else {}
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, **more},
            text=True,
        )
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
        return ran.stdout

    return act


def broken(run: "Callable[..., str]", path: str = "") -> List[str]:
    """What ``pip check`` finds, as lines; the tests' own environment may have faults already."""
    code = "import subprocess, sys; sys.exit(0 if subprocess.run([sys.executable, '-m', 'pip', "
    code += "'check']).returncode in (0, 1) else 2)"
    lines = run("-c", code, path=path).splitlines()
    return [line for line in lines if line != "No broken requirements found."]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plugin_with_a_library_is_installed_runs_and_leaves_pip_check_as_it_was(
    served: Shop, run: "Callable[..., str]", home: Path, backend: str
) -> None:
    served.plugin("audit", "1.4", requires=["auth>=1"], libraries=["libx"], code="import libx\n")
    served.plugin(
        "auth",
        "1.2",
        code="",
        entry_points={
            "shop.plugins": {"auth": "acme_auth"},
            "console_scripts": {"acme-auth": "acme_auth:main"},
        },
    )
    served.library("libx", "3.0")
    served.publish()
    served.known()
    out = run("-m", "pkl", "install", "audit", "-y", "--backend", backend)
    assert out.splitlines() == [
        "+ audit 1.4 (acme-audit)",
        "+ auth 1.2 (acme-auth)",
        "+ libx 3.0 (library)",
    ]
    (site,) = home.glob("data/hosts/shop/*/gens/1/site")
    assert sorted(each.name for each in site.iterdir()) == [
        "acme_audit",
        "acme_audit-1.4.dist-info",
        "acme_auth",
        "acme_auth-1.2.dist-info",
        "libx",
        "libx-3.0.dist-info",
    ]
    for info in site.glob("*.dist-info"):
        assert (info / "INSTALLER").read_text() == "pkl\n"
        assert not (info / "direct_url.json").exists() and not (info / "REQUESTED").exists()
    assert run("-c", RUN).splitlines() == ["ok: 2 enabled", "audit 1.4 auth 1.2"]
    assert broken(run, str(site)) == broken(run), "what was installed fits into the environment"
    doctor = json.loads(run("-m", "pkl", "doctor", "--json"))
    assert doctor["ok"] and {"name": "installed", "status": "ok"} in doctor["checks"]
    assert run("-m", "pkl", "uninstall", "audit", "-y").splitlines()[0].startswith("- audit")
    assert "ok: 0 enabled" in run("-c", RUN)


@pytest.mark.skipif(shutil.which("uv") is None, reason="there is no uv here")
def test_uv_and_pip_leave_the_same_bytes(
    served: Shop, run: "Callable[..., str]", home: Path
) -> None:
    served.plugin("auth", "1.2", libraries=["libx"])
    served.library("libx", "3.0")
    served.publish()
    served.known()
    found = []
    for backend in ("uv", "pip"):
        run("-m", "pkl", "install", "auth", "-y", "--backend", backend)
        (site,) = home.glob("data/hosts/shop/*/gens/1/site")
        found.append(
            {
                str(path.relative_to(site)): path.read_bytes()
                for path in sorted(site.rglob("*"))
                if path.is_file()
            }
        )
        shutil.rmtree(home / "data")
    assert found[0] == found[1]
