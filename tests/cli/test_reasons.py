"""Every way in which a plugin does not run or is impaired: produced, told, documented, remedied."""

from __future__ import annotations

import ast
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import click
import pytest

import pkl as api
from pkl.cli.app import app
from pkl.errors import PklError
from pkl.model.reason_kinds import KINDS
from pkl.model.state import Reason
from pkl.store import StateStore
from pkl.supervision import RestartPolicy, Supervision
from pkl.testing import FakeClock
from tests.cli.running import Pkl, directory_plugin
from tests.discovery.fakes import install
from tests.discovery.fakes import plugin as distribution

ROOT = Path(__file__).resolve().parents[2]
FAILS = "import pkl\n@pkl.this.on_enable.on\ndef start(): raise OSError('no disk')\n"
EVENT = "import pkl\n@pkl.event\ndef rung(): pass\n@pkl.hook\ndef render(): pass\n"


class Place:
    """A host with a name over directories and distributions; ``a`` is the plugin in question."""

    def __init__(self, pkl: Pkl, work: Path, site: Path) -> None:
        self.pkl, self.work, self.site = pkl, work, site
        self.plugins = work / "p"
        self.plugins.mkdir()
        self.clock = FakeClock()
        self.report: Optional[api.StartReport] = None
        self.host = api.PluginHost(
            "shop",
            version="2.1",
            paths=[self.plugins, work / "q"],
            clock=self.clock,
            transition_timeout=0.2,
            supervision=Supervision(restart=RestartPolicy(jitter=0)),
        )

    def write(self, name: str, manifest: str = "", code: str = "", **more: Any) -> None:
        """Writes a directory plugin."""
        directory_plugin(self.plugins, name, manifest, code, **more)

    def start(self, *names: str) -> None:
        """Starts the host."""
        self.report = self.host.start(*names)

    def plugin(self, name: str = "a") -> api.Plugin:
        """The plugin of that name, which must be there."""
        found = self.host.get_plugin(name)
        assert found is not None
        return found


@pytest.fixture
def place(pkl: Pkl, work: Path, site: Path) -> Iterator[Place]:
    """A place for plugins; they are imported by the host, and never by the command line."""
    made = Place(pkl, work, site)
    api.set_default_host(made.host)
    yield made
    with suppress(api.CleanupError):
        made.host.close()
    api.set_default_host(None)


class Case(NamedTuple):
    """A way not to run."""

    code: str
    lay: Callable[[Place], Any]
    cause: str
    """What the root cause says."""
    remedy: str
    """What the remedy says."""
    reported: str = ""
    """Where the report of the start has it: failed, blocked or waiting; empty for nowhere."""
    offline: bool = False
    """Whether ``pkl why`` can see it with no host running."""


CASES: List[Case] = []
Lay = Callable[[Place], Any]


def case(
    code: str, cause: str, remedy: str, reported: str = "", *, offline: bool = False
) -> Callable[[Lay], Lay]:
    """Declares what the decorated function produces."""

    def declare(lay: Lay) -> Lay:
        CASES.append(Case(code, lay, cause, remedy, reported, offline))
        return lay

    return declare


# People's wishes.


@case("disabled", "a is disabled", "pkl enable a", offline=True)
def _disabled(place: Place) -> None:
    place.write("a")
    place.host.set_desired("a", "disabled")
    place.start()


@case("masked", "a is masked", "pkl enable a", offline=True)
def _masked(place: Place) -> None:
    place.write("a")
    place.host.set_desired("a", "masked")
    place.start()


@case("safe-mode", "the host was started in safe mode", "pkl doctor", "blocked")
def _safe_mode(place: Place) -> None:
    place.write("a")
    place.host.safe_mode = True
    place.start()


@case("waiting", "has not been needed yet", "pkl run --only a", "waiting", offline=True)
def _waiting(place: Place) -> None:
    place.write("a", 'activation = ["import"]\n')
    place.start()


@case("not-loaded", "a 1.0 is unloaded", "host.get_plugin('a').enable()")
def _not_loaded(place: Place) -> None:
    place.write("a")
    place.write("b")
    place.start("b")


@case("not-loaded", "a 1.0 is unloaded", "host.get_plugin('a').enable()")
def _unloaded(place: Place) -> None:
    place.write("a")
    place.start()
    place.plugin().unload()
    assert "was unloaded" in place.plugin().reason.message  # type: ignore[union-attr]


@case("not-enabled", "a 1.0 is loaded", "host.get_plugin('a').enable()")
def _not_enabled(place: Place) -> None:
    place.write("a")
    place.host.load_plugin("a")


# Somebody stopped it.


@case("stopped", "a 1.0 was disabled", "host.get_plugin('a').enable()")
def _stopped(place: Place) -> None:
    place.write("a")
    place.start()
    place.plugin().disable()


PARENT = "import pkl\nkid = pkl.this.host.load_plugin(path='a').enable()\n"


def _family(place: Place, more: str = "", **keys: Any) -> None:
    place.write("parent", code=PARENT + more, **keys)
    directory_plugin(place.plugins / "parent", "a", code="")
    place.start()
    place.report = None  # a child is its parent's to know, not the command line's


@case("stopped", "was disabled by parent 1.0, which loaded it", "host.get_plugin('a').enable()")
def _stopped_by_parent_alone(place: Place) -> None:
    _family(place, "@pkl.syscall\ndef drop(): kid.disable()\n")
    place.plugin("parent").module.drop()


@case("stopped-itself", "a 1.0 disabled itself", "host.get_plugin('a').enable()")
def _stopped_itself(place: Place) -> None:
    place.write("a", code="import pkl\n@pkl.syscall\ndef leave(): pkl.this.disable()\n")
    place.start()
    place.plugin().module.leave()


def _three(place: Place) -> None:
    place.write("base", 'conflicts = ["rival"]\n')
    place.write("mid", requires=["base"])
    place.write("a", requires=["mid"])
    place.start()


@case("stopped-with", "base 1.0 was disabled", "host.get_plugin('a').enable()")
def _stopped_with(place: Place) -> None:
    _three(place)
    place.plugin("base").disable()
    assert "needs through others" in place.plugin().reason.message  # type: ignore[union-attr]


@case("stopped-with", "rival 1.0 was enabled in its place", "host.get_plugin('a').enable()")
def _stopped_with_what_was_replaced(place: Place) -> None:
    place.write("rival")
    place.host.set_desired("rival", "disabled")
    _three(place)
    place.plugin("rival").enable(replace=True)


@case("stopped-with", "parent 1.0 was disabled", "host.get_plugin('a').enable()")
def _stopped_with_a_child_of_another(place: Place) -> None:
    place.write("parent", code="import pkl\npkl.this.host.load_plugin(path='kid').enable()\n")
    directory_plugin(place.plugins / "parent", "kid", code="")
    place.write("a", requires=["kid"])
    place.start()
    place.plugin().enable()
    place.plugin("parent").disable()
    assert "together with 'kid'" in place.plugin().reason.message  # type: ignore[union-attr]


@case("parent-stopped", "parent 1.0 was disabled", "host.get_plugin('parent').enable()")
def _parent_stopped(place: Place) -> None:
    _family(place)
    place.plugin("parent").disable()


@case("parent-stopped", "parent 1.0: OSError: gone", "host.get_plugin('parent').enable()")
def _parent_crashed(place: Place) -> None:
    _family(place)
    place.plugin("parent").crash(OSError("gone"))


@case("parent-stopped", "parent 1.0: ZeroDivisionError", "host.get_plugin('parent').enable()")
def _parent_failed(place: Place) -> None:
    _family(place, "1 / 0\n")


@case("parent-stopped", "base 1.0 was disabled", "host.get_plugin('parent').enable()")
def _parent_stopped_with_what_it_requires(place: Place) -> None:
    place.write("base")
    _family(place, requires=["base"])
    place.plugin("base").disable()


@case("replaced", "b 1.0 was enabled in its place", "enable(replace=True)")
def _replaced(place: Place) -> None:
    place.write("a")
    place.write("b", 'conflicts = ["a"]\n')
    place.host.set_desired("b", "disabled")
    place.start()
    place.plugin("b").enable(replace=True)


HANGS = """
import threading
import pkl

def hang():
    gate.wait(60)

gate = threading.Event()
pkl.start_thread(hang, name="deaf")
"""


@case("deadline", "thread deaf, at ", "only a new process is rid of what still runs")
def _deadline(place: Place) -> None:
    place.write("a", code=HANGS)
    place.start()
    gate = place.plugin().module.gate
    try:
        with pytest.raises(api.CleanupError):
            place.plugin().disable(timeout=0.1)
    finally:
        gate.set()
    reason = place.plugin().reason
    assert reason is not None and reason.message.startswith("plugin 'a' 1.0 was disabled; it was")
    assert reason.cause.endswith("(a 1.0 was disabled)")


@case("refused", "vital 1.0: ZeroDivisionError", "correct its code")
def _refused(place: Place) -> None:
    place.write("a")
    place.write("vital", "critical = true\n", "1 / 0")
    place.start()
    assert place.report is not None and place.report.status == "refused"


@case("refused", "vital 1.0: ZeroDivisionError", "correct its code")
def _refused_before_it_was_needed(place: Place) -> None:
    place.write("a", 'activation = ["import"]\n')
    place.write("vital", "critical = true\n", "1 / 0")
    place.start()
    with pytest.raises(api.PluginNotRunning, match=r"vital 1\.0 is critical and does not run"):
        place.host.plugins.a.anything  # noqa: B018


@case("host-closed", "the host 'shop' was closed", "make a new PluginHost")
def _host_closed(place: Place) -> None:
    place.write("a")
    place.start()
    place.host.close()


# It failed.


@case("manifest", "tier", "pkl check", "failed", offline=True)
def _manifest(place: Place) -> None:
    place.write("a", 'tier = "soft"\n')
    place.start()


@case("config", "port = 0", "pkl config a", "failed")
def _config(place: Place) -> None:
    place.write("a", '[config]\nschema = "s.json"\ndefaults = { port = 0 }\n')
    (place.plugins / "a" / "s.json").write_text('{"properties": {"port": {"minimum": 1}}}')
    place.start()


@case("load", "ZeroDivisionError: division by zero", "correct its code", "failed")
def _load(place: Place) -> None:
    place.write("a", code="1 / 0")
    place.start()


@case("load", "No module named 'no_such_client'", "pip install no_such_client", "failed")
def _import(place: Place) -> None:
    place.write("a", code="import no_such_client")
    place.start()


@case("enable", "OSError: no disk", "correct its code", "failed")
def _enable(place: Place) -> None:
    place.write("a", code=FAILS)
    place.start()


@case("enable", "OSError: no disk", "or wait: restart 1 of 3 comes 0.1 s after it failed", "failed")
def _to_be_restarted(place: Place) -> None:
    place.write("a", '[supervision]\nrestart = "on-failure"\n', FAILS)
    place.start()


@case("enable", "OSError: no disk", "correct its code, then enable it again", "failed")
def _not_restarted_after_all(place: Place) -> None:
    _to_be_restarted(place)
    place.plugin().disable()
    place.report = None


@case("crash", "OSError: gone", "correct its code")
def _crash(place: Place) -> None:
    place.write("a")
    place.start()
    place.plugin().crash(OSError("gone"))


@case("quarantined", "OSError: no disk", "pkl reset a", "blocked", offline=True)
def _quarantined(place: Place) -> None:
    place.write("a", '[supervision]\nrestart = "on-failure"\n', FAILS)
    place.start()
    place.clock.advance(60)
    place.start()


# It lacks something.


@case("missing", "a 1.0 requires b", "pkl install b", "blocked", offline=True)
def _missing(place: Place) -> None:
    place.write("a", requires=["b"])
    place.start()


@case("unsatisfied", "a 1.0 requires b>=2, but b is 1.0", "b>=2", "blocked", offline=True)
def _unsatisfied(place: Place) -> None:
    place.write("a", requires=["b>=2"])
    place.write("b")
    place.start()


@case("capability", "a 1.0 requires log>=2", "pkl upgrade b", "blocked", offline=True)
def _capability(place: Place) -> None:
    place.write("a", requires=["log>=2"])
    place.write("b", 'provides = ["log==1"]\n')
    place.start()


@case("requirement-blocked", "b 1.0 requires c", "pkl install c", "blocked", offline=True)
def _requirement_blocked(place: Place) -> None:
    place.write("a", requires=["b"])
    place.write("b", requires=["c"])
    place.start()


@case("requirement-failed", "c 1.0: OSError: no disk", "correct its code", "blocked")
def _requirement_failed(place: Place) -> None:
    place.write("a", requires=["b"])
    place.write("b", requires=["c"])
    place.write("c", code=FAILS)
    place.start()


@case("requirement-failed", "c 1.0: OSError: gone", "correct its code")
def _requirement_crashed(place: Place) -> None:
    place.write("a", requires=["b"])
    place.write("b", requires=["c"])
    place.write("c")
    place.start()
    place.plugin("c").crash(OSError("gone"))


@case("cycle", "a -> b -> a", '"wants"', "blocked", offline=True)
def _cycle(place: Place) -> None:
    place.write("a", requires=["b"])
    place.write("b", requires=["a"])
    place.start()


@case("conflict", "conflicts with", "pkl disable", "blocked", offline=True)
def _conflict(place: Place) -> None:
    place.write("a", 'conflicts = ["0"]\n')
    place.write("0")
    place.start()


# It does not fit here.


@case("host-version", "a 1.0 needs host >=3, and this host is 2.1", "", "blocked", offline=True)
def _host_version(place: Place) -> None:
    place.write("a", 'requires-host = ">=3"\n')
    place.start()


@case("host-version", "needs the host >=3, which is 2.1", "pkl upgrade a")
def _host_version_by_hand(place: Place) -> None:
    place.write("a", 'requires-host = ">=3"\n')
    with pytest.raises(api.PluginBlocked):
        place.host.load_plugin("a")


@case("python-version", "a 1.0 needs Python >=4", "", "blocked", offline=True)
def _python_version(place: Place) -> None:
    place.write("a", 'requires-python = ">=4"\n')
    place.start()


@case("tier", "asks for tier 'sandbox'", 'tier = "in-process"', "blocked", offline=True)
def _tier(place: Place) -> None:
    place.write("a", 'tier = "sandbox"\n')
    place.start()


# What is installed is not in order.


@case("collision", "a is offered by", "precedence=", "blocked", offline=True)
def _collision(place: Place) -> None:
    place.write("a")
    directory_plugin(place.work / "q", "a", code="")
    place.start()


@case("metadata", "METADATA", "pip install --force-reinstall a", "blocked", offline=True)
def _metadata(place: Place) -> None:
    info = distribution(place.site, "a")
    (info / "METADATA").unlink()
    place.start()


@case("version", "'one' of a is not a version", "pip uninstall", "blocked", offline=True)
def _version(place: Place) -> None:
    distribution(place.site, "a", "one")
    place.start()


@case(
    "entry-point-target", "there is no such module", "pip uninstall acme", "blocked", offline=True
)
def _entry_point_target(place: Place) -> None:
    install(place.site, "acme", entry_points={"pkl.plugins": {"a": "acme_gone"}})
    place.start()


@case("stale", "is installed in editable mode", "pip install -e", "blocked", offline=True)
def _stale(place: Place) -> None:
    install(
        place.site,
        "acme",
        entry_points={"pkl.plugins": {"a": "acme"}},
        extra={"direct_url.json": '{"url": "file:///gone/acme", "dir_info": {"editable": true}}'},
        files={"acme.pth": "/gone/acme\n"},
    )
    place.start()


# Its start did not come about.


@case("busy", "has been in a transition of plugin 'a'", "on_enable", "blocked")
def _busy(place: Place) -> None:
    place.write("a")
    place.write("b")
    place.start("b")
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        transitions = place.host.kernel.transitions
        actor = (threading.get_ident(), 0)
        assert transitions.take(place.plugin(), actor)
        taken.set()
        over.wait(60)
        transitions.give(place.plugin(), actor)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(60)
    try:
        place.start()
    finally:
        over.set()
        thread.join()


def _start_with(place: Place, error: PklError) -> None:
    place.write("a")

    async def enable(*_: Any, **__: Any) -> None:
        raise error

    place.host.kernel.lifecycle.enable = enable  # type: ignore[method-assign]
    place.start()


@case("deadlock", "would wait for this very call", "from elsewhere", "blocked")
def _deadlock(place: Place) -> None:
    error = api.TransitionDeadlock(
        "it would wait for this very call", hint="start it from elsewhere"
    )
    _start_with(place, error)


@case("not-started", "something odd", "host.refresh() tries again", "blocked")
def _not_started(place: Place) -> None:
    _start_with(place, PklError("something odd"))


ELSEWHERE = {
    "held": "tests/install/test_holding.py",
    "too-young": "tests/install/test_age.py",
    "libraries": "",
    "source": "",
    "slow": "tests/supervision/test_watchdog.py",
    "hung": "tests/supervision/test_watchdog.py",
    "set-aside": "tests/cli/test_options.py",
    "prerelease-only": "tests/resolver/test_choice.py",
    "not-installed": "tests/cli/test_registries.py",
    "revoked": "tests/registry/client/test_with_host.py",
    "yanked": "tests/registry/client/test_catalog.py",
    "platform": "tests/registry/client/test_catalog.py",
    "budget": "tests/resolver/test_constraints.py",
    "want-missing": __file__,
    "breaker-open": __file__,
    "handlers-blocked": __file__,
}


def _id(each: Case) -> str:
    return each.lay.__name__.lstrip("_")


@pytest.mark.parametrize("each", CASES, ids=_id)
def test_a_way_not_to_run_is_told_by_its_reason_the_report_and_offline(
    each: Case, place: Place
) -> None:
    place.pkl.may_import = True  # by the host
    each.lay(place)
    plugin = place.plugin()
    reason = plugin.reason
    assert reason is not None and reason.code == each.code, reason
    kind = KINDS[each.code]
    assert plugin.state.value in kind.state.split(", ")
    assert re.search(r"\ba\b", reason.message), reason.message
    assert each.cause in reason.cause, reason
    assert each.remedy in reason.remedy and reason.remedy, reason
    for command in commands_in(reason.remedy):
        parse(command)
    report = place.report
    if report is not None:
        for where in ("failed", "blocked", "waiting"):
            assert ("a" in getattr(report, where)) == (each.reported == where)
        if each.reported:
            text, row = " ".join(report.as_text().split()), report.as_dict()[each.reported]["a"]
            first = " ".join(reason.message.split("\n")[0].split())
            assert first in text and row["code"] == each.code and row["cause"] == reason.cause
    found = place.pkl.json("why", "a", "--host", "shop") if report is not None else {}
    if each.offline:
        assert found["reason"]["code"] == each.code
        assert found["reason"]["cause"] == reason.cause
        said = place.pkl.ok("why", "a", "--host", "shop").out
        assert " ".join(found["reason"]["remedy"].split()) in " ".join(said.split())
    elif found:
        assert found["state"] in ("enabled", "blocked", "unloaded")


def test_the_cases_and_the_table_are_of_the_same_codes() -> None:
    assert {each.code for each in CASES} | set(ELSEWHERE) == set(KINDS)
    assert not {each.code for each in CASES} & set(ELSEWHERE)
    for code, file in ELSEWHERE.items():
        assert not file or f'"{code}"' in (ROOT / file).read_text(encoding="utf-8"), code


def codes_in(file: Path) -> Set[str]:
    """The codes of the reasons that a module makes, as far as they are written in it."""
    found: Set[str] = set()
    text = file.read_text(encoding="utf-8")
    if "Reason(" not in text and "Out(" not in text:
        return found
    tree = ast.parse(text)
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
            continue
        named = False
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Reason", "Out"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
                named = named or (isinstance(first, ast.Name) and first.id == "code")
        if named and not isinstance(function, ast.Module):
            found |= set(_assigned(function))
    return found


def _assigned(function: ast.AST) -> Iterator[str]:
    """What a function assigns to ``code``."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            names: List[ast.expr] = [target]
            values: List[ast.expr] = [node.value]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                names, values = target.elts, node.value.elts
            for name, value in zip(names, values):
                if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                    continue
                if isinstance(name, ast.Name) and name.id == "code":
                    yield value.value


def test_every_code_that_pkl_gives_is_in_the_table() -> None:
    files = [f for f in sorted((ROOT / "pkl").rglob("*.py")) if f.name != "reason_kinds.py"]
    used = {code for file in files for code in codes_in(file)}
    assert len(used) > 30, "the search finds them"
    internal = {"blocked", "unmet"}  # of the resolver, which says it in other words
    assert used - internal <= set(KINDS)
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    errors = {"busy", "deadlock"}  # the codes of errors, as reasons
    unused = {code for code in KINDS if f'"{code}"' not in text} - errors
    assert not unused


# What is impaired.


def test_a_plugin_that_runs_without_a_want_says_which_and_why(place: Place) -> None:
    place.pkl.may_import = True
    place.write(
        "a", 'version = "1.0"\nwants = ["b", "c>=2", "gone", "d", "e; python_version < \'3\'"]\n'
    )
    place.write("b", code=FAILS)
    place.write("c")
    place.write("d")
    place.host.set_desired("d", "disabled")
    place.start()
    found = place.plugin().impairments
    assert {each.code for each in found} == {"want-missing"}
    assert [each.cause.split(" (")[0] for each in found] == [
        "b 1.0: OSError: no disk",
        "c is 1.0",
        "there is no gone",
        "d is disabled",
    ]
    assert found[1].message == "plugin 'a' 1.0 goes without c>=2, which it wants: c is 1.0"
    assert [each.remedy for each in found[1:]] == [
        'pkl install "c>=2"',
        'pkl install "gone"',
        "pkl enable d",
    ]
    assert place.plugin("c").impairments == ()
    offline = place.pkl.json("why", "a", "--host", "shop")["impairments"]
    assert [each["cause"] for each in offline] == ["c is 1.0", "there is no gone", "d is disabled"]
    assert "goes without gone, which it wants" in place.pkl.ok("why", "a", "--host", "shop").out
    place.plugin("b").disable()
    place.plugin().disable()
    assert place.plugin().impairments == (), "one that does not run has a reason instead"


def test_a_want_that_is_there_again_is_no_impairment_any_more(place: Place) -> None:
    place.pkl.may_import = True
    place.write("a", 'wants = ["b"]\n')
    place.write("b")
    place.start()
    assert place.plugin().impairments == ()
    place.plugin("b").disable()
    (gone,) = place.plugin().impairments
    assert gone.cause == "b 1.0 was disabled" and "host.get_plugin('b').enable()" in gone.remedy
    place.plugin("b").enable()
    assert place.plugin().impairments == ()


def test_an_open_breaker_and_blocked_handlers_are_impairments_until_they_are_over(
    place: Place,
) -> None:
    place.pkl.may_import = True
    handler = "from pkl.plugins import bell\n@bell.rung.on\ndef hear():\n    if broken: 1 / 0\n"
    place.write("bell", code=EVENT)
    place.write("a", code="broken = True\n" + handler, requires=["bell"])
    place.start()
    for _ in range(7):
        place.host.plugins.bell.rung()
    (shut,) = place.plugin().impairments
    assert (
        shut.code == "breaker-open"
        and shut.cause == "a 1.0: its handlers for bell.rung keep failing"
    )
    assert "skipped after 5 failures, 2 calls so far; tried again in 1 s" in shut.message
    undo = place.host.block_handlers("a")
    assert [each.code for each in place.plugin().impairments] == [
        "handlers-blocked",
        "breaker-open",
    ]
    assert place.plugin().impairments[0].remedy == "host.unblock_handlers('a')"
    undo()
    place.plugin().module.broken = False
    place.clock.advance(1)
    place.host.plugins.bell.rung()
    assert place.plugin().impairments == () and place.plugin().reason is None


# The remedies.


def commands_in(remedy: str) -> List[List[str]]:
    """The ``pkl`` command lines in a remedy."""
    found = []
    for text in re.findall(r"\bpkl ([a-z].*?)(?=, | or |; | shows| changes|[`)]|\.$|$)", remedy):
        found.append([word.strip('"') for word in text.split()])
    return found


NOT_YET = ("lock",)
"""Verbs of DESIGN that this version may not have."""


def parse(command: List[str]) -> None:
    """Parses a command line as the command does, and runs nothing."""
    context = app.make_context("pkl", list(command), resilient_parsing=False)
    group: click.Command = app
    arguments = list(command)
    while isinstance(group, click.Group):
        name = arguments.pop(0)
        found = group.get_command(context, name)
        if found is None:
            assert name in NOT_YET, command
            return
        if isinstance(found, click.Group) and not arguments:
            return
        context = found.make_context(name, arguments, parent=context)
        if isinstance(found, click.Group) and not found.commands:
            return
        group, arguments = found, list(context.args)
        if not isinstance(found, click.Group):
            return


COMMANDS = [
    (code, command)
    for code, kind in KINDS.items()
    for text in re.findall(r"`(pkl .+?)`", kind.remedy)
    for command in [text.split()[1:]]
]


@pytest.mark.parametrize(("code", "command"), COMMANDS, ids=[" ".join(c) for _, c in COMMANDS])
def test_every_command_of_the_table_is_one(code: str, command: List[str]) -> None:
    parse(command)


def test_a_command_that_there_is_not_would_be_noticed() -> None:
    for wrong in (["resett", "a"], ["reset", "--nonsense", "a"], ["why"]):
        with pytest.raises((click.UsageError, AssertionError, PklError)):
            parse(wrong)


def test_every_call_of_the_table_can_be_made() -> None:
    for kind in KINDS.values():
        for call in re.findall(r"`(host\..+?)`", kind.remedy):
            expression = ast.parse(call, mode="eval").body
            assert isinstance(expression, ast.Call)
            name = expression.func
            assert isinstance(name, ast.Attribute)
            owner = api.Plugin if "get_plugin" in call else api.PluginHost
            assert hasattr(owner, name.attr), call


def tables_of(page: str) -> Dict[str, Tuple[str, ...]]:
    """The rows of a page's tables that begin with a code."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page, flags=re.MULTILINE)
    return {code: tuple(cell.strip() for cell in rest.split(" | ")) for code, rest in rows}


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs" / "why.md").read_text(encoding="utf-8")
    documented = tables_of(page)
    assert documented == {
        code: (kind.state, kind.meaning, kind.cause, kind.remedy) for code, kind in KINDS.items()
    }
    assert list(documented) == list(KINDS)


def test_who_wished_it_and_when_is_said_offline(place: Place) -> None:
    place.pkl.may_import = True
    place.write("a")
    place.start()
    place.pkl.ok("disable", "a", "--host", "shop")
    said = place.pkl.ok("why", "a", "--host", "shop").out
    wish = StateStore().read("shop").state.record("a").wish
    assert wish is not None
    assert f"disabled (since {wish.since}, pkl disable a)" in said
    assert "pkl enable a" in said


def test_a_reason_is_a_plain_value() -> None:
    reason = Reason("a", "b", "c", "d")
    assert reason.as_dict() == {"code": "a", "message": "b", "cause": "c", "remedy": "d"}
