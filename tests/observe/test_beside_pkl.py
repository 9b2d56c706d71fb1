"""What a plugin changes is known to be its own although pkl itself has threads."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import List

from pkl.kernel.quiet import is_quiet, loud, quiet, stirrings
from tests.kernel.conftest import Make

CHANGES = """
    import os, sys
    os.environ["PKL_TEST_MINE"] = "1"
    sys.path.append("/no/such/place")
    sys.excepthook = lambda *error: None
"""


def run(directory: Path, script: str) -> List[str]:
    """Runs a script in a process that has no other threads than it makes; what it prints."""
    before = """
        import os, sys, threading, time
        import pkl
        host = pkl.PluginHost(paths=[sys.argv[1]])
        def stop(name):
            plugin = host.get_plugin(name)
            plugin.disable()
            receipt = plugin.receipt
            for held in (receipt.taken_back, receipt.left, receipt.unsure):
                print(*sorted(each.kind for each in held))
            print(os.environ.get("PKL_TEST_MINE"), "/no/such/place" in sys.path)
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(before) + dedent(script), str(directory)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0 and not ran.stderr, ran.stderr
    return ran.stdout.splitlines()


def test_what_a_plugin_changes_is_undone_although_others_have_started_before_it(
    make: Make, tmp_path: Path
) -> None:
    """By then the watchdog looks, timers run, and a thread of the pool waits for work."""
    timers = """
        import pkl, threading
        ticked = threading.Event()
        pkl.set_timeout(ticked.set, 0.01)
        pkl.set_interval(print, 1000)
        """
    make("a", timers)
    make("b", CHANGES, requires=["a"])
    script = """
        from pkl.kernel.quiet import is_quiet
        host.start("a")
        assert host.get_plugin("a").module.ticked.wait(20)
        others = [t for t in threading.enumerate() if t is not threading.main_thread()]
        assert len(others) >= 2, others
        while not all(is_quiet(each.ident) or not each.is_alive() for each in others):
            time.sleep(0.001)
        host.start()
        stop("b")
    """
    assert run(tmp_path / "plugins", script) == [
        "environment hook sys.path",
        "",
        "",
        "None False",
    ]


def test_a_thread_of_the_plugin_itself_makes_nothing_uncertain(make: Make, tmp_path: Path) -> None:
    """It is named, once."""
    code = """
        import threading
        from pkl import this
        def work(): threading.Event().wait()
        threading.Thread(target=work, daemon=True).start()
        @this.on_enable.on
        def start():
        """
    make("a", dedent(code) + dedent(CHANGES).replace("\n", "\n    "))
    make("b", "", requires=["a"])
    assert run(tmp_path / "plugins", "host.start()\nstop('a')") == [
        "environment hook sys.path",
        "thread",
        "",
        "None False",
    ]


def test_what_changes_while_a_timer_of_another_runs_is_uncertain(
    make: Make, tmp_path: Path
) -> None:
    make(
        "a",
        """
        import pkl, threading
        ran = threading.Event()
        @pkl.syscall
        def later(): pkl.set_timeout(ran.set, 0)
        """,
    )
    make(
        "b",
        "from pkl.plugins import a\na.later()\nassert a.ran.wait(20)\n" + dedent(CHANGES),
        requires=["a"],
    )
    lines = run(tmp_path / "plugins", "host.start()\nstop('b')")
    assert lines[2:] == ["environment sys.path", "1 True"]


def test_a_quiet_thread_is_loud_while_it_calls_code_and_afterwards() -> None:
    seen: List[bool] = []
    ident = threading.get_ident()
    before = stirrings()
    with quiet():
        seen.append(is_quiet(ident))
        assert stirrings() == before
        with loud():
            seen.append(is_quiet(ident))
        seen.append(is_quiet(ident))
        assert stirrings() == before + 1
    assert seen == [True, False, True] and not is_quiet(ident)
