"""Capabilities of manifests and services at run time are one thing seen twice."""

from __future__ import annotations

import logging
from typing import Any, Iterator, List, Protocol

import pytest

import pkl

from .synthetic import Synthetic


class Log(Protocol):
    def note(self) -> str: ...


class Book:
    def note(self) -> str:
        return pkl.this.name


@pytest.fixture
def world() -> Iterator[Synthetic]:
    made = Synthetic()
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    pkl.set_default_host(None)


def as_both(module: Any) -> None:
    module.provision = pkl.provide(Log, Book(), capability="Audit_Log")


def test_a_service_is_found_by_interface_and_by_capability(world: Synthetic) -> None:
    plugin = world.add("a", as_both, provides=["audit-log==1.1"]).enable()
    provision = plugin.module.provision
    assert (provision.capability, provision.version) == ("audit-log", "1.1"), "as promised"
    assert pkl.use(Log).api.note() == pkl.use("audit-log>=1.1,<2").api.note() == "a"
    assert pkl.use("audit.log", ">=1").provider is provision
    assert not pkl.use("audit-log>=2")
    assert world.host.check()[0].code == "service-missing"


def test_a_capability_needs_no_interface(world: Synthetic) -> None:
    world.add("a", lambda module: pkl.provide("audit-log", Book()), provides=["audit-log"]).enable()
    assert pkl.use("audit-log").api.note() == "a"
    assert world.host.check() == ()


def test_a_capability_that_nobody_promised_may_be_provided(world: Synthetic) -> None:
    world.add("a", as_both).enable()
    assert pkl.use("audit-log>=1").api.note() == "a"
    assert world.host.check() == ()


def test_another_version_than_the_promised_one_is_refused(world: Synthetic) -> None:
    def body(module: Any) -> None:
        pkl.provide("audit-log", Book(), version="2.0")

    with pytest.raises(pkl.PluginLoadError) as caught:
        world.add("a", body, provides=["audit-log==1.1"]).enable()
    refused = caught.value.__cause__
    assert isinstance(refused, pkl.ServiceRefused) and refused.plugin == "a"
    assert str(refused) == (
        "plugin 'a' 1.0 provides audit-log 2.0, but its manifest promises audit-log 1.1\n"
        "hint: leave version= out, or correct provides in the manifest"
    )


def test_the_same_version_in_other_words_is_not_refused(world: Synthetic) -> None:
    def body(module: Any) -> None:
        pkl.provide("audit-log", Book(), version="1.1.0")

    world.add("a", body, provides=["audit-log==1.1"]).enable()
    assert pkl.use("audit-log==1.1")


def test_a_promise_that_is_not_kept_is_reported_and_the_plugin_runs(
    world: Synthetic, caplog: pytest.LogCaptureFixture
) -> None:
    faults: List[Any] = []
    world.host.on_error.subscribe(faults.append)
    with caplog.at_level(logging.WARNING):
        plugin = world.add("a", provides=["audit-log==1.1", "a"]).enable()
    (fault,) = faults
    assert fault.plugin is plugin and isinstance(fault.error, pkl.CapabilityNotProvided)
    assert str(fault.error) == (
        "plugin 'a' 1.0 promises the capability audit-log==1.1 in its manifest and does not "
        "provide it\n"
        'hint: call provide(…, capability="audit-log") in its module or in on_enable, or take it '
        "out of provides"
    )
    assert "promises the capability audit-log==1.1" in caplog.text
    (finding,) = world.host.check()
    assert (finding.code, finding.severity) == ("capability-not-provided", "warning")
    plugin.disable()
    assert world.host.check() == (), "what does not run breaks no promise"


def test_a_promise_taken_back_is_found_by_check(world: Synthetic) -> None:
    plugin = world.add("a", as_both, provides=["audit-log"]).enable()
    assert world.host.check() == ()
    plugin.module.provision.release()
    assert [f.code for f in world.host.check()] == ["capability-not-provided"]


def test_the_provider_that_the_manifest_is_bound_to_comes_first(world: Synthetic) -> None:
    """It is the one with which the user is stopped; rank decides among the rest."""
    world.add("a", as_both, provides=["audit-log"]).enable()

    def louder(module: Any) -> None:
        pkl.provide("audit-log", Book(), rank=9)

    world.add("b", louder, provides=["audit-log"]).enable()
    got: List[Any] = []

    def body(module: Any) -> None:
        got[:] = [pkl.use("audit-log"), pkl.use("audit-log", greedy=True), pkl.use(Log)]

    user = world.add("user", body, requires=["audit-log"]).enable()
    assert [h.api.note() for h in got] == ["a", "a", "a"]
    assert user.bindings["audit-log"].name == "a"
    assert pkl.use("audit-log").api.note() == "b"


def test_the_error_names_plugins_that_promise_the_capability(world: Synthetic) -> None:
    world.add("a", as_both, provides=["audit-log==1.1"])
    with pytest.raises(pkl.ServiceUnavailable) as caught:
        pkl.use("audit-log").api.note()
    assert str(caught.value) == (
        f"the host {world.host.kernel.name!r} uses the capability audit-log, which nobody "
        "provides\n"
        "  plugin 'a' 1.0 promises it and is not running (state: unloaded): a 1.0 is unloaded\n"
        "hint: enable it: host.get_plugin('a').enable()"
    )
    world.add("b", provides=["audit-log"]).enable()
    with pytest.raises(pkl.ServiceUnavailable, match="promises it and does not provide"):
        pkl.use("audit-log").api.note()
