"""``host.check()``: findings as values, the worst first, and no plugin code run for them."""

from __future__ import annotations

import pkl
from pkl.model.finding import ERROR, NOTE, WARNING, Finding, sort_findings


def test_a_host_with_nothing_wrong_has_no_findings(host: pkl.PluginHost) -> None:
    assert host.check() == ()


def test_a_plugin_whose_handlers_are_blocked_is_a_note_until_they_are_not(
    host: pkl.PluginHost,
) -> None:
    undo = host.block_handlers("Some_Plugin")
    (found,) = host.check()
    assert (found.severity, found.code, found.plugin) == (NOTE, "handlers-blocked", "some-plugin")
    assert "some-plugin" in found.message and "block_handlers" in found.hint
    undo()
    assert host.check() == ()


def test_findings_are_in_order_of_severity_and_place_and_not_repeated() -> None:
    note = Finding(NOTE, "n", "m")
    late = Finding(ERROR, "e", "m", plugin="a", file="f", line=9)
    early = Finding(ERROR, "e", "m", plugin="a", file="f", line=2)
    warning = Finding(WARNING, "w", "m", plugin="z")
    assert sort_findings([note, late, warning, early, note]) == (early, late, warning, note)


def test_a_finding_is_a_line_for_people_and_an_object_for_json() -> None:
    found = Finding(ERROR, "unknown-hook", "no such hook", plugin="a", file="a.py", line=3)
    assert str(found) == "a.py:3: error unknown-hook: no such hook"
    assert str(Finding(NOTE, "n", "m")) == "note n: m"
    assert found.as_dict()["line"] == 3 and found.as_dict()["hook"] is None
