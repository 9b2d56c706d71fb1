"""Whoever reads sees all that a plugin contributes, or nothing: in threads, and in any order."""

from __future__ import annotations

import json
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Set

from hypothesis import given, settings
from hypothesis import strategies as st

import pkl
from pkl.testing import FakeClock
from tests.contributions.conftest import Make, MakeHost, names
from tests.kernel.running import PATIENCE

POINTS = ("a", "b", "c")
EVERY = dict.fromkeys(POINTS)


def torn(seen: Any) -> List[str]:
    """The plugins of which one moment shows a part only."""
    shown: Dict[str, Set[str]] = {}
    for point in POINTS:
        for entry in seen[point]:
            shown.setdefault(entry.plugin, set()).add(point)
    return [name for name, points in shown.items() if points != set(POINTS)]


def test_no_reader_ever_sees_a_part_of_a_plugin(make: Make, host_of: MakeHost) -> None:
    """Two threads stop and start plugins, two read, and one listens."""
    for name in ("p", "q"):
        make(name, dict.fromkeys(POINTS, name))
    host = host_of(contributions=EVERY)
    host.start()
    wrong: List[Any] = []
    read = [0, 0]
    over = threading.Event()
    last: List[Any] = []
    host.on_contributions("a", lambda change: last.append(change))

    def reader(index: int) -> None:
        while not over.is_set():
            seen = host.all_contributions()
            wrong.extend(torn(seen))
            for point in POINTS:
                found = names(host.contributions(point))
                if found not in ([], ["p"], ["q"], ["p", "q"]):
                    wrong.append(found)
            read[index] += 1

    def writer(name: str) -> None:
        plugin = host.get_plugin(name)
        assert plugin is not None
        for _ in range(25):
            plugin.disable()
            if name in names(host.contributions("a")):
                wrong.append(f"{name} is there although it was disabled")
            plugin.enable()
            if name not in names(host.contributions("b")):
                wrong.append(f"{name} is not there although it was enabled")

    readers = [threading.Thread(target=reader, args=(i,)) for i in (0, 1)]
    writers = [threading.Thread(target=writer, args=(name,)) for name in ("p", "q")]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(PATIENCE)
    over.set()
    for thread in readers:
        thread.join(PATIENCE)
    assert wrong == []
    assert min(read) > 0
    assert names(last[-1].after) == ["p", "q"]
    for before, after in zip(last, last[1:]):
        assert before.after == after.before, "no change is heard twice, or out of order"


def test_a_change_that_is_made_while_handlers_run_is_told_by_who_runs_them(
    make: Make, host_of: MakeHost
) -> None:
    make("p", {"a": 1})
    make("q", {"a": 2})
    host = host_of(contributions=EVERY)
    host.start()
    inside, go_on = threading.Event(), threading.Event()
    heard: List[Any] = []

    def handler(change: pkl.ContributionsChange) -> None:
        heard.append((threading.current_thread().name, names(change.after)))
        inside.set()
        assert go_on.wait(PATIENCE)

    host.on_contributions("a", handler)
    p, q = host.get_plugin("p"), host.get_plugin("q")
    assert p is not None and q is not None
    first = threading.Thread(target=p.disable, name="first")
    first.start()
    assert inside.wait(PATIENCE)
    q.disable()  # does not wait for the handler
    assert host.contributions("a") == ()
    go_on.set()
    first.join(PATIENCE)
    assert heard == [("first", ["q"]), ("first", [])]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["p0", "p1", "p2", "p3"]),
        st.sampled_from(["enable", "disable", "unload", "crash", "mask", "unmask", "load"]),
    ),
    max_size=12,
)
GRAPH = st.fixed_dictionaries(
    {
        f"p{i}": st.tuples(
            st.sets(st.sampled_from([f"p{n}" for n in range(i)])) if i else st.just(set()),
            st.booleans(),
            st.booleans(),
        )
        for i in range(4)
    }
)


@settings(max_examples=25, deadline=None)
@given(graph=GRAPH, steps=STEPS, before=st.booleans())
def test_whatever_happens_what_counts_is_what_runs_or_waits(
    graph: Any, steps: Any, before: bool
) -> None:
    """Each plugin: what it requires, whether it is lazy, whether its code raises."""
    with tempfile.TemporaryDirectory() as directory:
        for name, (requires, lazy, raises) in graph.items():
            own = Path(directory, name)
            own.mkdir()
            manifest = {
                "name": name,
                "requires": sorted(requires),
                "contributes": dict.fromkeys(POINTS, name),
                "activation": ["import"] if lazy else ["startup"],
            }
            (own / "plugin.json").write_text(json.dumps(manifest))
            (own / "plugin.py").write_text("1 / 0" if raises else "")
        host = pkl.PluginHost(
            group="no.such", paths=[directory], clock=FakeClock(), contributions=EVERY
        )
        heard: List[Any] = []
        host.on_contributions("a", heard.append)
        if before:
            host.contributions("a")
        host.start()
        check(host, heard)
        for name, step in steps:
            plugin = host.get_plugin(name)
            assert plugin is not None
            with suppress(pkl.PklError):
                act(host, plugin, step)
            check(host, heard)
        host.close()
        assert host.contributions("a") == ()


def act(host: pkl.PluginHost, plugin: pkl.Plugin, step: str) -> None:
    """Does one thing to a plugin."""
    if step == "crash":
        plugin.crash(RuntimeError("lost"))
    elif step in ("mask", "unmask"):
        host.set_desired(plugin.name, "masked" if step == "mask" else "enabled")
        host.refresh()
    elif step == "load":
        host.load_plugin(plugin.name)
    else:
        getattr(plugin, step)()


def check(host: pkl.PluginHost, heard: List[Any]) -> None:
    """What counts is what runs or waits, in order, whole, and as it was told."""
    seen = host.all_contributions()
    assert torn(seen) == []
    found = names(seen["a"])
    expected = {
        plugin.name
        for plugin in host.all_plugins()
        if plugin.state is pkl.PluginState.ENABLED
        or (plugin.state.value in ("unloaded", "loaded") and plugin.waiting is not None)
    }
    assert sorted(found) == sorted(expected)
    for place, name in enumerate(found):
        plugin = host.get_plugin(name)
        assert plugin is not None
        needed = {each.name for each in plugin.metadata.requires}
        assert needed.isdisjoint(found[place + 1 :]), "a requirement stands before who needs it"
    assert names(heard[-1].after if heard else ()) == found
