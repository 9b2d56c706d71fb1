"""What every part of the scenario shows and checks with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Type

import pkl
from pkl import PluginHost, PluginState

from desk.lines import shorten

GROUP = "desk.plugins"
SOUND = {"auth", "audit", "storage", "tickets", "http", "board", "reminders", "reports"}
"""The plugins with which nothing is wrong."""
CHILDREN = {"report-text", "report-csv", "report-archive"}


class Unexpected(Exception):
    """Something that the demo shows did not happen."""


def heading(text: str) -> None:
    """Starts a section."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def expect(what: str, holds: object) -> None:
    """Says that something is so, having looked.

    Raises:
        Unexpected: It is not so.
    """
    if not holds:
        raise Unexpected(what)
    print(f"ok        {what}", flush=True)


def refused(what: str, kind: Type[Exception], call: Callable[[], object]) -> None:
    """Says that a call is refused, with the words of the error.

    Raises:
        Unexpected: It is not, or otherwise.
    """
    try:
        call()
    except kind as error:
        expect(f"{what}: {shorten(str(error).splitlines()[0])}", True)
    else:
        raise Unexpected(what)


def soon(holds: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether something becomes so within a few seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def command(*arguments: str, status: int = 0) -> str:
    """Runs the installed command ``pkl`` and shows what it prints, which is returned.

    Raises:
        Unexpected: It exits with another status.
    """
    print(f"$ pkl {' '.join(arguments)}", flush=True)
    program = shutil.which("pkl", path=str(Path(sys.executable).parent)) or "pkl"
    ran = subprocess.run(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"},
    )
    print(ran.stdout, flush=True)
    if ran.returncode != status:
        what = f"pkl {' '.join(arguments)} exits with {status}, not with {ran.returncode}"
        raise Unexpected(what)
    return ran.stdout


def plugin(host: PluginHost, name: str) -> pkl.Plugin:
    """A plugin that the host has to know."""
    found = host.get_plugin(name)
    if found is None:
        raise Unexpected(f"the host knows the plugin {name}")
    return found


def enabled(host: PluginHost) -> List[str]:
    """The names of the plugins that run, sorted."""
    return [p.name for p in host.all_plugins() if p.state is PluginState.ENABLED]


def holdings(host: PluginHost) -> Dict[str, int]:
    """How many resources each plugin holds, for those that hold any."""
    held = {p.name: len(host.resource_manager.get_resources(p)) for p in host.all_plugins()}
    return {name: count for name, count in held.items() if count}


def show_state(host: PluginHost) -> None:
    """Shows who runs, what they hold, and the threads."""
    counts = ", ".join(f"{name} {count}" for name, count in holdings(host).items())
    print(f"running    {', '.join(enabled(host)) or 'nobody'}")
    print(f"resources  {counts or 'none'}")
    print(f"threads    {', '.join(threads()) or 'none'}", flush=True)


def threads() -> List[str]:
    """The names of the threads other than this one."""
    return sorted(t.name for t in threading.enumerate() if t is not threading.current_thread())


def plugin_modules() -> List[str]:
    """The plugins' modules in ``sys.modules``; ``desk`` and ``desk_broken`` are libraries."""
    return sorted(
        name
        for name in sys.modules
        if name.startswith(("desk_", "pkl_local_")) and name != "desk_broken"
    )


def ask(port: int, method: str, path: str, body: Any = None) -> Tuple[int, Any]:
    """A real HTTP request to the desk: the status and the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        status, said = answer.status, json.loads(answer.read())
    finally:
        connection.close()
    print(f"{method} {path} -> {status} {json.dumps(said)}")
    return status, said
