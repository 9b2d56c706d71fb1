"""What stays after many lives of plugins: nothing; and what ten threads at once break: nothing.

``PKL_EXAMPLES`` (a factor, 1 by default) makes the runs longer: 100 gives ten thousand cycles and
thousands of generations, 10000 about a minute of the ten threads.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, List, Optional
from typing import Counter as Counts

import pytest

import pkl
from pkl.loader.names import NAMES
from pkl.testing import FakeClock

from .conftest import Make, enabled
from .running import PATIENCE, wait_until
from .synthetic import Synthetic, check_settled

FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))

CODE = """
    import pkl
    from pkl.plugins import owner
    from . import part

    class Held(pkl.Resource):
        def _cleanup(self): pass

    @owner.happened.on
    def handler(): part.count += 1

    @pkl.event
    def mine(): pass

    @pkl.syscall
    def call(): return pkl.this.name

    @pkl.this.on_enable.on
    def start():
        pkl.this.host.resource_manager.register(Held())
        mine.subscribe(call)

    @pkl.this.on_disable.on
    def stop(): pass

    pkl.set_timeout(call, 1000)
    pkl.set_interval(call, 1000)
    pkl.start_thread(lambda stop: stop.wait())
    pkl.submit(call)
    """


def things(host: Optional[pkl.PluginHost]) -> Counts[str]:
    """Every object that the collector knows, by type, but for cancelled timers' empty entries."""
    if host is not None:
        scheduler = host.kernel.scheduler
        assert len(scheduler._heap) <= 2 * 66, "cancelled entries gather without bound"
        scheduler._heap = [entry for entry in scheduler._heap if not entry[2].cancelled]
        scheduler._stale = 0
    for _ in range(3):
        gc.collect()
    return Counter(f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.get_objects())


def assert_no_growth(
    cycle: Callable[[], Any], times: int, host: Optional[pkl.PluginHost] = None
) -> None:
    """Runs cycles; from the first few on, no kind of object, thread or module becomes more."""
    for _ in range(5):
        cycle()
    before, threads, modules = things(host), threading.active_count(), set(sys.modules)
    for _ in range(times):
        cycle()
    wait_until(lambda: threading.active_count() <= threads)
    assert set(sys.modules) == modules
    # Some differ by where the caches of abc and of pools stand; what leaks comes once in a cycle.
    grown = {k: n for k, n in (things(host) - before).items() if n >= 0.9 * times}
    assert not grown, grown


@pytest.fixture
def busy(host: pkl.PluginHost, make: Make) -> pkl.Plugin:
    enabled(host, make("owner", "import pkl\n@pkl.event\ndef happened(): pass"))
    path = make("a", CODE, init="from .plugin import call", requires=["owner"])
    (path / "part.py").write_text("count = 0")
    return host.load_plugin(path=path)


def test_plugins_of_functions_leave_nothing_after_many_cycles() -> None:
    hosts = Synthetic()

    def body(module: Any) -> None:
        plugin = module.plugin
        pkl.set_timeout(print, 1000)
        base.module.happened.subscribe(lambda: plugin)
        plugin.on_enable.subscribe(lambda: None)
        plugin.on_unload.subscribe(lambda: None)

    def owner(module: Any) -> None:
        @pkl.event
        def happened() -> None: ...

        module.happened = happened

    base = hosts.add("base", owner)
    user = hosts.add("user", body, requires=["base"])

    def cycle() -> None:
        user.enable()
        base.module.happened()
        base.disable()

    assert_no_growth(cycle, 100 * FACTOR, hosts.host)
    check_settled(hosts.host)
    hosts.host.close()


def test_generations_of_files_leave_nothing_after_many_loads(
    host: pkl.PluginHost, busy: pkl.Plugin
) -> None:
    owner = host.get_plugin("owner")
    assert owner is not None

    def cycle() -> None:
        busy.enable()
        owner.module.happened()
        assert busy.module.call() == "a" and busy.module.part.count == 1
        busy.unload()

    assert_no_growth(cycle, 40 * min(FACTOR, 70), host)
    check_settled(host)
    mine = [each.plugin for each in NAMES.claims.values() if each.is_of(host, each.plugin)]
    assert mine == ["owner"]


def test_hosts_leave_nothing(make: Make, tmp_path: Path) -> None:
    make("owner", "import pkl\n@pkl.event\ndef happened(): pass")
    (make("a", CODE, init="", requires=["owner"]) / "part.py").write_text("count = 0")

    def cycle() -> None:
        with pkl.PluginHost(paths=[tmp_path / "plugins"], clock=FakeClock()) as host:
            pkl.set_default_host(host)
            assert host.start().status == "ok"
        pkl.set_default_host(None)

    assert_no_growth(cycle, 40 * min(FACTOR, 20))


def test_ten_threads_emit_subscribe_and_disable_at_once() -> None:
    """No deadlock, no lost undo, no call into a stopped plugin."""
    hosts = Synthetic(transition_timeout=PATIENCE, stop_timeout=PATIENCE)
    host = hosts.host
    wrong: List[str] = []
    calls: Counts[str] = Counter()

    def owner(module: Any) -> None:
        @pkl.event
        def happened() -> None: ...

        module.happened = happened

    def body(module: Any) -> None:
        plugin = module.plugin
        generation = plugin.generation

        def handler() -> None:
            # From close() on no handler is called; one that has begun is waited for.
            if generation.dead or pkl.get_current_plugin() is not plugin:
                wrong.append(f"{generation!r} was called")
            calls[plugin.name] += 1

        base.module.happened.subscribe(handler)

    base = hosts.add("base", owner).enable()
    users = [hosts.add(f"user{i}", body, requires=["base"]) for i in range(4)]
    for user in users:
        user.enable()
    route = base.module.happened._route
    errors: List[BaseException] = []

    def emits(chance: Random) -> None:
        base.module.happened()

    def subscribes(chance: Random) -> None:
        seen: List[int] = []
        undo = base.module.happened.subscribe(lambda: seen.append(1))
        base.module.happened()
        undo()
        undo()
        if not seen:
            wrong.append("a subscriber was not called")

    def toggles(chance: Random) -> None:
        user = chance.choice(users)
        (user.disable if chance.random() < 0.5 else user.enable)()

    def work(act: Callable[[Random], None], seed: int) -> None:
        chance = Random(seed)
        try:
            for _ in range(25 * FACTOR):
                act(chance)
        except BaseException as error:
            errors.append(error)

    acts = [emits] * 4 + [subscribes] * 3 + [toggles] * 3
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [
            threading.Thread(target=work, args=(act, seed), daemon=True)
            for seed, act in enumerate(acts)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE * (FACTOR + 1))
        assert not [t.name for t in threads if t.is_alive()], "deadlock"
    finally:
        sys.setswitchinterval(interval)
    assert errors == [] and wrong == []
    check_settled(host)
    live: Dict[Any, int] = Counter(s._subject for s in route.subscriptions)
    assert live == {user.generation: 1 for user in users if user.running}
    for user in users:
        user.enable()
    calls.clear()
    base.module.happened()
    assert calls == {user.name: 1 for user in users}
    host.close()
    assert not route.subscriptions
