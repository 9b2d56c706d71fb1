"""Every way in which a plugin's code can outlive it is undone or reported, each in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Dict, Tuple

import pytest

from tests.source_tree import ROOT

from .vectors import VECTORS

LEAKS = [name for name, vector in VECTORS.items() if vector.outcome != "freed"]

Results = Dict[Tuple[str, str], Dict[str, Any]]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each is tried in a fork")


@pytest.fixture(scope="module")
def results() -> Results:
    """What each leaves, in a process of its own, with and without a host."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.observe.each_vector"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0 and not ran.stderr, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {(name, way): found for name, way, found in rows}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_without_a_host_it_leaks_or_not(name: str, results: Results) -> None:
    found = results[name, "bare"]
    assert (found["alive"] or found["effect"]) == (name in LEAKS)


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_a_host_undoes_it_or_says_who_holds_it(name: str, results: Results) -> None:
    vector = VECTORS[name]
    found = results[name, "host"]
    assert vector.said in found["text"]
    if vector.outcome == "reported":
        assert not found["clean"], found["text"]
        assert found["status"] == ("retained" if found["alive"] else "released")
    else:
        assert not found["alive"], found["text"]
        assert not found["effect"], found["text"]
        assert found["clean"], found["text"]
        assert found["status"] == "released"


def test_most_of_what_leaks_is_undone() -> None:
    undone = [name for name in LEAKS if VECTORS[name].outcome == "undone"]
    assert len(VECTORS) >= 51
    assert len(undone) * 40 >= len(LEAKS) * 33
