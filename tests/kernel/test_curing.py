"""When what held plugins up is gone, they start by themselves: all, once, in order, no others."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pkl
from pkl.supervision import RestartPolicy, Supervision
from pkl.testing import FakeClock

from .conftest import Make, state

CODE = """
import builtins, pkl
@pkl.this.on_enable.on
def start():
    builtins.pkl_starts.append(pkl.this.name)
    if pkl.this.name in builtins.pkl_broken:
        raise OSError("no disk")
"""
CHAIN = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}
DIAMOND = {"a": [], "left": ["a"], "right": ["a"], "top": ["left", "right"]}


@pytest.fixture
def host(clock: FakeClock, tmp_path: Path, broken: "set[str]") -> Iterator[pkl.PluginHost]:
    """A host without jitter."""
    (tmp_path / "plugins").mkdir()
    supervision = Supervision(restart=RestartPolicy(jitter=0))
    made = pkl.PluginHost(paths=[tmp_path / "plugins"], clock=clock, supervision=supervision)
    pkl.set_default_host(made)
    yield made
    with suppress(pkl.CleanupError):
        made.close()
    pkl.set_default_host(None)


class Place(NamedTuple):
    """What a cause is laid out in, and undone."""

    host: pkl.PluginHost
    make: Make
    clock: FakeClock
    plugins: Path
    broken: "set[str]"

    @property
    def base(self) -> pkl.Plugin:
        """The plugin that everybody waits for."""
        return plugin(self.host, "a")


@pytest.fixture
def place(
    host: pkl.PluginHost, make: Make, clock: FakeClock, tmp_path: Path, broken: "set[str]"
) -> Place:
    """A place for plugins."""
    return Place(host, make, clock, tmp_path / "plugins", broken)


def plugin(host: pkl.PluginHost, name: str) -> pkl.Plugin:
    """The plugin of that name, which must be there."""
    found = host.get_plugin(name)
    assert found is not None
    return found


def states(host: pkl.PluginHost) -> Dict[str, str]:
    """The state of each plugin."""
    return {p.name: p.state.value for p in host.all_plugins()}


class Cause(NamedTuple):
    """Why the plugin ``a`` does not run."""

    lay: Callable[[Place], Any]
    """Before the start."""
    cure: Callable[[Place], Any]
    root: str
    """What is in everybody's ``reason.cause`` before."""
    after: Callable[[Place], Any] = lambda place: None
    """After the start."""


def _another_version(place: Place) -> None:
    place.make("a", CODE, version="2.0")
    place.host.refresh()


def _fail(place: Place) -> None:
    place.broken.add("a")


def _mend_and(act: Callable[[Place], Any]) -> Callable[[Place], Any]:
    def mend(place: Place) -> None:
        place.broken.clear()
        act(place)

    return mend


def _schema(place: Place) -> None:
    (place.plugins / "a" / "s.json").write_text('{"properties": {"port": {"minimum": 1}}}')
    place.make("a", CODE, config={"schema": "s.json", "defaults": {"port": 0}})


def _crash(place: Place) -> None:
    place.base.crash(OSError("the line went dead"))


def _write_anew(place: Place) -> None:
    place.make("a", CODE)
    place.host.refresh()


def _write_and_reset(place: Place) -> None:
    place.make("a", CODE)
    place.host.reset("a")


def _fail_again_and_again(place: Place) -> None:
    place.make("a", CODE, supervision={"restart": "on-failure"})
    _fail(place)


def _require_a_later_z(place: Place) -> None:
    place.make("a", CODE, requires=["z>=2"])
    place.make("z", version="1")
    place.host.set_desired("z", "disabled")


def _another_z(place: Place, version: str) -> None:
    place.make("z", version=version)
    place.host.refresh()


CAUSES: Dict[str, Cause] = {
    "missing": Cause(
        lambda place: shutil.rmtree(place.plugins / "a"),
        _write_anew,
        "requires a",
    ),
    "manifest": Cause(
        lambda place: place.make("a", CODE, tier="soft"),
        _write_anew,
        "tier",
    ),
    "another version": Cause(_fail, _mend_and(_another_version), "no disk"),
    "code, enabled": Cause(_fail, _mend_and(lambda place: place.base.enable()), "no disk"),
    "code, reset": Cause(_fail, _mend_and(lambda place: place.host.reset("a")), "no disk"),
    "code that cannot be imported": Cause(
        lambda place: place.make("a", "1 / 0"),
        _write_and_reset,
        "division by zero",
    ),
    "code, restarted": Cause(
        _fail_again_and_again,
        _mend_and(lambda place: place.clock.advance(0.2)),
        "no disk",
    ),
    "quarantine": Cause(
        _fail_again_and_again,
        _mend_and(lambda place: place.host.reset("a")),
        "is in quarantine",
        lambda place: place.clock.advance(60),
    ),
    "crash": Cause(
        lambda place: None,
        lambda place: place.base.enable(),
        "the line went dead",
        _crash,
    ),
    "mask": Cause(
        lambda place: place.host.set_desired("a", "masked"),
        lambda place: place.host.set_desired("a", "enabled"),
        "a is masked",
    ),
    "mask lifted halfway": Cause(
        lambda place: place.host.set_desired("a", "masked"),
        lambda place: place.host.set_desired("a", "disabled"),
        "a is masked",
    ),
    "settings set": Cause(
        _schema, lambda place: place.host.set_config("a", {"port": 2}), "port = 0"
    ),
    "settings of the manifest": Cause(_schema, _write_anew, "port = 0"),
    "host version": Cause(
        lambda place: place.make("a", CODE, requires_python=">=4"),
        _write_anew,
        "needs Python >=4",
    ),
    "lack of a version": Cause(
        _require_a_later_z,
        lambda place: _another_z(place, "2"),
        "requires z>=2",
    ),
    "circle": Cause(
        lambda place: (place.make("a", CODE, requires=["z"]), place.make("z", requires=["a"])),
        lambda place: _another_z(place, "1"),
        "circle",
    ),
    "conflict": Cause(
        lambda place: (place.make("a", CODE, conflicts=["0"]), place.make("0")),
        lambda place: plugin(place.host, "0").disable(),
        "a 1.0.0 conflicts with 0",
    ),
}


@pytest.mark.parametrize("shape", [CHAIN, DIAMOND], ids=["chain", "diamond"])
@pytest.mark.parametrize("name", CAUSES)
def test_what_waited_starts_before_the_cure_returns_once_and_in_order(
    name: str, shape: Dict[str, List[str]], place: Place, starts: List[str]
) -> None:
    cause, host = CAUSES[name], place.host
    for each, requires in shape.items():
        place.make(each, CODE, requires=requires)
    cause.lay(place)
    host.start()
    cause.after(place)
    waiting = [each for each in shape if each != "a"]
    assert {states(host)[each] for each in waiting} == {"blocked"}
    roots = {plugin(host, each).reason.cause for each in waiting}  # type: ignore[union-attr]
    assert all(cause.root in root for root in roots)
    assert len(roots) == 1 or name == "missing", "there, each says which requirement is unmet"
    if host.get_plugin("a") is not None and "a" not in host.desired:
        known = place.base.reason
        assert known is not None and {known.remedy} == {
            plugin(host, each).reason.remedy  # type: ignore[union-attr]
            for each in waiting
        }
    starts.clear()
    cause.cure(place)
    assert {states(host)[each] for each in shape} == {"enabled"}
    assert starts == list(shape)


def test_a_refresh_tries_what_failed_again_only_if_it_is_another_one(
    place: Place, starts: List[str]
) -> None:
    for name, requires in DIAMOND.items():
        place.make(name, CODE, requires=requires)
    place.broken.add("a")
    place.host.start()
    starts.clear()
    place.broken.clear()
    place.host.refresh()
    assert starts == [] and states(place.host)["a"] == "error"
    assert {plugin(place.host, n).reason.code for n in ("left", "right", "top")} == {  # type: ignore[union-attr]
        "requirement-failed"
    }


def test_what_fails_once_more_is_tried_once_and_only_reported(
    place: Place, starts: List[str]
) -> None:
    for name, requires in DIAMOND.items():
        place.make(name, CODE, requires=requires)
    place.broken.update(("a", "left"))
    place.host.start()
    starts.clear()
    place.broken.remove("a")
    place.host.reset("a")
    assert starts == ["a", "left", "right"]
    top = plugin(place.host, "top")
    assert top.reason is not None and top.reason.cause.startswith("left 1.0.0: OSError: no disk")


def test_what_was_disabled_meanwhile_does_not_start_nor_what_requires_it(
    place: Place, starts: List[str]
) -> None:
    for name, requires in DIAMOND.items():
        place.make(name, CODE, requires=requires)
    shutil.rmtree(place.plugins / "a")
    place.host.start()
    plugin(place.host, "left").disable()
    place.make("a", CODE)
    place.host.refresh()
    assert starts == ["a", "right"]
    left, top = plugin(place.host, "left"), plugin(place.host, "top")
    assert (state(left), state(top)) == ("disabled", "blocked")
    assert top.reason is not None and top.reason.cause == "left 1.0.0 was disabled"
    assert top.reason.remedy == "enable it: host.get_plugin('left').enable()"
    left.enable()
    assert starts == ["a", "right", "left", "top"]


def test_what_is_not_wanted_any_more_does_not_start(place: Place, starts: List[str]) -> None:
    for name, requires in CHAIN.items():
        place.make(name, CODE, requires=requires)
    place.broken.add("a")
    place.host.start()
    place.host.set_desired("d", "disabled")
    place.host.set_desired("c", "masked")
    starts.clear()
    place.broken.clear()
    place.base.enable()
    assert starts == ["a", "b"]
    place.host.refresh()
    assert starts == ["a", "b"]
    place.host.set_desired("d", "enabled")
    assert starts == ["a", "b"]
    d = plugin(place.host, "d")
    assert d.reason is not None and d.reason.cause == "c is masked"
    place.host.set_desired("c", "enabled")
    assert starts == ["a", "b", "c", "d"]


@pytest.mark.parametrize("first", ["left", "right"])
def test_while_another_cause_is_left_the_reason_names_that(
    first: str, place: Place, starts: List[str]
) -> None:
    for name, requires in DIAMOND.items():
        place.make(name, CODE, requires=requires)
    place.make("up", CODE, requires=["top"])
    place.broken.update(("left", "right"))
    place.host.start()
    starts.clear()
    other = "right" if first == "left" else "left"
    place.broken.remove(first)
    plugin(place.host, first).enable()
    assert starts == [first]
    for name in ("top", "up"):
        reason = plugin(place.host, name).reason
        assert reason is not None and reason.code in ("requirement-failed", "requirement-blocked")
        assert reason.cause.startswith(f"{other} 1.0.0: OSError: no disk")
    place.broken.clear()
    place.host.reset(other)
    assert starts == [first, other, "top", "up"]


def test_a_second_missing_plugin_is_named_when_the_first_is_there(
    place: Place, starts: List[str], tmp_path: Path
) -> None:
    place.make("top", CODE, requires=["x", "y"])
    place.make("up", CODE, requires=["top"])
    place.host.start()
    top, up = plugin(place.host, "top"), plugin(place.host, "up")
    assert top.reason is not None and "requires x" in top.reason.cause
    elsewhere = tmp_path / "elsewhere"
    place.host.load_plugin(path=place.make("x", under=elsewhere)).enable()
    assert up.reason is not None
    assert top.reason.cause == up.reason.cause == "y is missing (top 1.0.0 requires y)"
    place.host.load_plugin(path=place.make("y", under=elsewhere)).enable()
    assert starts == ["top", "up"]


def test_what_the_resolver_said_of_a_cause_that_is_left_is_kept(place: Place) -> None:
    place.make("auth")
    place.make("top", requires=["auht"])
    place.make("other", "1 / 0")
    place.host.start()
    before = plugin(place.host, "top").reason
    assert before is not None and "did you mean auth?" in before.message
    (place.plugins / "other" / "plugin.py").write_text("")
    plugin(place.host, "other").enable()
    assert plugin(place.host, "top").reason == before


def test_a_trigger_starts_what_waited_for_a_lazy_plugin(place: Place, starts: List[str]) -> None:
    bell = "import pkl\n@pkl.event\ndef rung(): pass\n"
    place.make("bell", bell)
    place.make("a", CODE, activation=["event:bell.rung"])
    place.make("b", CODE, requires=["a"], activation=["import"])
    place.broken.add("a")
    place.host.start()
    with pytest.raises(pkl.PluginBlocked):
        place.host.plugins.b.anything  # noqa: B018
    assert states(place.host) == {"a": "error", "b": "blocked", "bell": "enabled"}
    done = plugin(place.host, "b").activation
    assert done is not None and done.failed.startswith("a 1.0.0: OSError: no disk")
    assert done.told.startswith("could not be started by import in ")
    place.broken.clear()
    starts.clear()
    place.host.plugins.bell.rung()
    assert starts == [], "its triggers do not count before a second is over"
    place.clock.advance(1)
    place.host.plugins.bell.rung()
    assert starts == ["a", "b"]
    done = plugin(place.host, "a").activation
    assert done is not None and not done.failed and done.told.startswith("started by event:bell")


def test_a_lazy_plugin_that_failed_waits_for_its_triggers_after_a_reset(
    place: Place, starts: List[str]
) -> None:
    place.make("bell", "import pkl\n@pkl.event\ndef rung(): pass\n")
    place.make("a", CODE, activation=["event:bell.rung"])
    place.broken.add("a")
    place.host.start()
    place.host.plugins.bell.rung()
    assert states(place.host)["a"] == "error"
    place.broken.clear()
    starts.clear()
    place.host.reset("a")
    assert starts == [] and place.base.reason is not None
    assert place.base.reason.code == "waiting"
    place.host.plugins.bell.rung()
    assert starts == ["a"]


def test_a_wish_before_the_start_or_of_a_plugin_that_starts_starts_nothing(
    place: Place, starts: List[str]
) -> None:
    place.make("a", CODE)
    place.make("b", "import pkl\npkl.this.host.set_desired('a', 'enabled')\n")
    place.host.set_desired("a", "masked")
    place.host.set_desired("a", "enabled")
    assert starts == []
    place.host.set_desired("a", "masked")
    place.host.start()
    assert starts == [] and states(place.host) == {"a": "unloaded", "b": "enabled"}
    place.host.set_desired("b", "masked")
    place.host.set_desired("b", "enabled")
    assert starts == ["a"], "and what waits is seen to at the next occasion"


def test_what_people_lift_does_not_start_what_they_stopped_in_this_run(
    place: Place, starts: List[str]
) -> None:
    place.make("a", CODE)
    place.host.start()
    place.base.disable()
    place.host.set_desired("a", "masked")
    place.host.set_desired("a", "enabled")
    assert states(place.host) == {"a": "disabled"} and starts == ["a"]


def test_on_the_hosts_loop_a_lifted_mask_is_a_task_that_awaits_handlers(
    make: Make, tmp_path: Path, starts: List[str]
) -> None:
    code = """
    import asyncio, builtins, pkl
    @pkl.this.on_enable.on
    async def start():
        await asyncio.sleep(0)
        builtins.pkl_starts.append(pkl.this.name)
    """
    make("a", code)
    make("b", code, requires=["a"])

    async def main() -> None:
        async with pkl.PluginHost(paths=[tmp_path / "plugins"]) as host:
            host.set_desired("a", "masked")
            await host.astart()
            host.set_desired("a", "enabled")
            assert starts == []
            while len(starts) < 2:
                await asyncio.sleep(0.001)
            assert starts == ["a", "b"]

    asyncio.run(main())


def test_a_wish_or_a_setting_of_a_closed_host_starts_nothing(
    place: Place, starts: List[str]
) -> None:
    place.make("a", CODE)
    place.host.set_desired("a", "masked")
    place.host.start()
    place.host.close()
    place.host.set_desired("a", "enabled")
    assert starts == []


FACTOR = int(os.environ.get("PKL_EXAMPLES", "1"))
KINDS = ("missing", "manifest", "code", "mask", "settings")
Laid = Tuple[Dict[int, Set[int]], Dict[int, str], List[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Laid:
    """Who requires whom, why each plugin does not run, and in which order that is cured."""
    size = draw(st.integers(2, 6))
    requires = {
        i: draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set() for i in range(size)
    }
    causes = draw(st.dictionaries(st.integers(0, size - 1), st.sampled_from(KINDS), min_size=1))
    for number in set(causes).difference(*requires.values()):
        if causes[number] == "missing":
            causes[number] = "code"  # what is new and nobody requires is left to start()
    return requires, causes, draw(st.permutations(sorted(causes)))


class Garden:
    """A host over generated plugins, each with a cause or without, and what is to be so of it."""

    def __init__(self, directory: Path, laid: Laid, broken: Set[str]) -> None:
        self.directory, self.broken = directory, broken
        self.requires, self.causes, _ = laid
        self.new = {number for number, cause in self.causes.items() if cause == "missing"}
        self.host = self.make_host()
        for number in self.requires:
            if self.causes.get(number) != "missing":
                self.write(number)
            if self.causes.get(number) == "code":
                broken.add(f"p{number}")
            if self.causes.get(number) == "mask":
                self.host.set_desired(f"p{number}", "masked")

    def make_host(self) -> pkl.PluginHost:
        """A host over these plugins."""
        return pkl.PluginHost(paths=[self.directory], clock=FakeClock())

    def write(self, number: int) -> None:
        """Writes a plugin with the faults that it has now."""
        place = self.directory / f"p{number}"
        place.mkdir(exist_ok=True)
        manifest: Dict[str, Any] = {"name": f"p{number}", "version": "1.0.0"}
        manifest["requires"] = [f"p{other}" for other in sorted(self.requires[number])]
        if self.causes.get(number) == "manifest":
            manifest["tier"] = "soft"
        if self.causes.get(number) == "settings":
            (place / "s.json").write_text('{"properties": {"port": {"minimum": 1}}}')
            manifest["config"] = {"schema": "s.json", "defaults": {"port": 0}}
        (place / "plugin.json").write_text(json.dumps(manifest))
        (place / "plugin.py").write_text(CODE)

    def cure(self, number: int) -> None:
        """Undoes the cause of one plugin, the way it is undone."""
        name, kind = f"p{number}", self.causes.pop(number)
        if kind in ("missing", "manifest"):
            self.write(number)
            self.host.refresh()
        elif kind == "code":
            self.broken.remove(name)
            self.host.reset(name)
        elif kind == "mask":
            self.host.set_desired(name, "enabled")
        else:
            self.host.set_config(name, {"port": 1})

    def sound(self, number: int) -> bool:
        """Whether nothing holds a plugin up."""
        return number not in self.causes and all(self.sound(n) for n in self.requires[number])

    def check(self) -> None:
        """What is to run does, and what does not names one that is at fault."""
        running = {p.name for p in self.host.all_plugins() if p.state is pkl.PluginState.ENABLED}
        wanted = {n for n in self.requires if self.sound(n)}
        for number in sorted(self.new, reverse=True):
            # What is new is started for the sake of others only.
            if not any(number in self.requires[user] for user in wanted):
                wanted.discard(number)
                running.discard(f"p{number}")
        assert running == {f"p{n}" for n in wanted}
        at_fault = {f"p{n}" for n in self.causes}
        for each in self.host.all_plugins():
            if not each.running:
                assert each.reason is not None
                if each.reason.code == "not-loaded" and int(each.name[1:]) in self.new:
                    continue
                words = {word.strip("\"':,;()") for word in each.reason.cause.split()}
                assert words & at_fault, (each, each.reason, at_fault)


@settings(
    max_examples=15 * FACTOR,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(laid=graphs())
def test_whatever_the_graph_and_the_causes_each_cure_starts_what_a_fresh_start_would(
    laid: Laid, starts: List[str], broken: Set[str]
) -> None:
    starts.clear()
    broken.clear()
    with tempfile.TemporaryDirectory() as directory:
        garden = Garden(Path(directory), laid, broken)
        with garden.host:
            garden.host.start()
            garden.check()
            for number in laid[2]:
                before = {p.name for p in garden.host.all_plugins() if p.running}
                starts.clear()
                garden.cure(number)
                garden.check()
                assert len(starts) == len(set(starts)), "each is tried once"
                assert not before & set(starts), "and nothing that runs is started again"
            assert len(garden.host.all_plugins()) == len(garden.requires)
            assert all(p.running for p in garden.host.all_plugins())
            with garden.make_host() as fresh:
                for name in garden.requires:
                    fresh.set_config(f"p{name}", {"port": 1})
                assert set(fresh.start().enabled) == {p.name for p in garden.host.all_plugins()}
