"""What a lock means on this machine: wheels by tag, markers, and what the host has already."""

from __future__ import annotations

from typing import Any, List

import pytest
from packaging.tags import Tag, parse_tag

from pkl.errors import NoSolution
from pkl.install.locks.lock import Lock
from pkl.install.locks.lock_fitting import solution_of
from pkl.install.wanted import Root
from pkl.model.candidate import Candidate, Origin
from pkl.model.manifest import PluginMetadata
from tests.install.lock.making import (
    a_host,
    a_library,
    a_lock,
    a_plugin,
    a_solution,
    reparsed,
    text_of,
)

LINUX = "cp311-cp311-manylinux_2_17_x86_64"
WINDOWS = "cp311-cp311-win_amd64"


def tags(*texts: str) -> List[Tag]:
    """The tags of a machine, the best first."""
    return [tag for text in texts for tag in parse_tag(text)]


def proof(lock: Lock, *pins: str, **more: Any) -> List[str]:
    """Why a lock does not fit."""
    with pytest.raises(NoSolution) as caught:
        solution_of(lock, a_host(*pins), **more)
    error = caught.value
    assert error.message.startswith(f"the lock {lock.path} does not fit this host and this Python")
    assert error.hint == "solve anew for what is here: pkl lock"
    return list(error.proof)


def test_a_lock_is_the_solution_that_it_was_made_of() -> None:
    audit = a_plugin("audit", "1.1", "libx>=2", requires=["auth>=1"])
    made = a_solution(audit, a_plugin("auth"), a_library("libx", "2.1"))
    again = solution_of(reparsed(text_of(made)), a_host())
    assert again.chosen == made.chosen
    assert again.roots == made.roots
    assert [step.name for step in again.plan.steps] == ["auth", "audit"]
    assert again.notes == ()


@pytest.mark.parametrize(("machine", "chosen"), [(LINUX, 0), (WINDOWS, 1)])
def test_each_machine_gets_the_wheel_of_its_tags(machine: str, chosen: int) -> None:
    both = a_library("libx", "2.1", tags=(LINUX, WINDOWS))
    lock = a_lock(both)
    (found,) = solution_of(lock, a_host(), tags=tags(machine, "py3-none-any")).chosen
    assert found.wheel == both.wheels[chosen]
    assert sorted(found.wheels) == sorted(both.wheels)


def test_the_best_tag_wins() -> None:
    both = a_library("libx", "2.1", tags=("py3-none-any", LINUX))
    (found,) = solution_of(a_lock(both), a_host(), tags=tags(LINUX, "py3-none-any")).chosen
    assert found.wheel == both.wheels[1]


def test_no_wheel_for_this_machine_names_those_that_there_are() -> None:
    lock = a_lock(a_library("libx", "2.1", tags=(LINUX, WINDOWS)), a_plugin("audit"))
    assert proof(lock, tags=tags("cp39-cp39-macosx_11_0_arm64", "py3-none-any")) == [
        f"libx 2.1 has no wheel for this Python and platform, only for {LINUX}, {WINDOWS}"
    ]


def test_a_marker_that_decides_otherwise_here_refuses_the_lock() -> None:
    audit = a_plugin("audit", "1.0", 'tomli>=2; python_version < "3.2"')
    lock = a_lock(audit, environment={"python_version": "3.9"})
    elsewhere = {"python_version": "3.1", "python_full_version": "3.1.0"}
    (found,) = solution_of(lock, a_host(), environment={"python_version": "3.9"}).chosen
    assert found.name == "acme-audit"
    assert "environment does not satisfy" in proof(lock, environment=elsewhere)[0]


def test_a_python_that_a_plugin_is_not_for_is_refused() -> None:
    lock = a_lock(a_plugin("audit", requires_python=">=3.9"))
    elsewhere = {"python_version": "3.8", "python_full_version": "3.8.1"}
    assert "'>=3.9'" in proof(lock, environment=elsewhere)[0]


def test_two_packages_of_one_name_that_both_apply_are_refused() -> None:
    text = text_of(a_solution(a_library("libx", "2.1")))
    head, package = text.split("[[packages]]")[:2]
    package, _, tail = package.partition("[tool.pkl]")
    twice = f"{head}[[packages]]{package}[[packages]]{package}[tool.pkl]{tail}"
    assert "Multiple packages with the name 'libx'" in proof(reparsed(twice))[0]


def test_a_package_whose_marker_does_not_hold_is_left_out() -> None:
    text = text_of(a_solution(a_library("libx", "2.1"), a_library("liby", "1.0")))
    text = text.replace('name = "liby"\n', 'name = "liby"\nmarker = "python_version < \'3\'"\n')
    assert [each.name for each in solution_of(reparsed(text), a_host()).chosen] == ["libx"]


def test_what_the_host_has_by_now_is_not_installed_again() -> None:
    lock = a_lock(a_plugin("audit", "1.0", "libx>=2"), a_library("libx", "2.1"))
    same = solution_of(lock, a_host("libx==2.1.0"))
    assert [each.name for each in same.chosen] == ["acme-audit"]
    assert same.notes == ()
    other = solution_of(lock, a_host("libx==2.5"))
    assert [each.name for each in other.chosen] == ["acme-audit"]
    assert other.notes == ("libx: the host's environment has 2.5, which is used in place of 2.1",)


def test_what_the_host_has_and_will_not_do_is_refused_with_the_place() -> None:
    lock = a_lock(a_plugin("audit", "1.0", "libx>=2"), a_library("libx", "2.1"))
    assert proof(lock, "libx==1.0") == [
        "acme-audit 1.0 requires libx>=2, and the host has 1.0 (/venv/lib)"
    ]


def test_what_the_host_had_when_the_lock_was_made_is_missed_where_it_is_not() -> None:
    lock = a_lock(a_plugin("audit", "1.0", "libx>=2", "pkl"), host=a_host("libx==2.0", "pkl==1.0"))
    assert proof(lock, "pkl==1.0") == ["acme-audit 1.0 requires libx>=2, and nobody has it"]
    assert solution_of(lock, a_host("libx==2.0", "pkl==1.0")).chosen


def test_extras_are_required_by_whoever_asks_for_them_alone() -> None:
    liby = a_library("liby", "1.0", 'libz>=1; extra == "fast"', 'none; extra == "slow"')
    lock = a_lock(a_plugin("audit", "1.0", "liby[fast]"), liby)
    assert proof(lock) == ['liby 1.0 requires libz>=1; extra == "fast", and nobody has it']
    assert solution_of(a_lock(a_plugin("audit", "1.0", "liby"), liby), a_host()).chosen


def test_a_version_that_does_not_fit_inside_the_lock_is_refused() -> None:
    lock = a_lock(a_plugin("audit", "1.0", "libx>=3"), a_library("libx", "2.1"))
    assert proof(lock) == ["acme-audit 1.0 requires libx>=3, and the lock has 2.1"]


def test_a_plugin_that_pip_installed_in_another_version_is_in_the_way() -> None:
    lock = a_lock(a_plugin("audit", "1.1"))
    assert solution_of(lock, a_host("libx==1")).chosen
    assert proof(lock, "acme-audit==1.0")[0] == (
        "acme-audit 1.0 is installed in /venv/lib, where pkl changes nothing, and comes before the "
        "1.1 of the lock (plugin audit): pip install acme-audit==1.1, or pip uninstall acme-audit"
    )


def test_a_plugin_that_pip_installed_in_the_locked_version_is_used() -> None:
    audit = a_plugin("audit", "1.1")
    there = Candidate(
        "audit",
        audit.plugins[0],
        Origin.ENTRY_POINT,
        location="/venv/lib/acme_audit",
        distribution="acme-audit",
        distribution_version="1.1",
    )
    host = a_host("acme-audit==1.1", found=[there])
    solution = solution_of(a_lock(audit), host)
    assert solution.chosen == ()
    assert [step.candidate for step in solution.plan.steps] == [there]


def test_a_root_that_no_distribution_has_is_refused() -> None:
    text = text_of(a_solution(a_plugin("auth"), roots=[Root("audit", "audit>=1")]))
    assert proof(reparsed(text)) == ["audit: it is in no distribution of the lock"]


def test_a_root_that_this_host_is_too_old_for_is_refused_with_the_reason() -> None:
    lock = a_lock(a_plugin("audit", "1.1", requires_host=">=3"))
    (fault,) = proof(lock)
    assert fault.startswith("audit: ") and ">=3" in fault


def test_a_plugin_of_a_directory_with_the_same_name_is_a_collision() -> None:
    there = Candidate(
        "audit", PluginMetadata({"name": "audit"}), Origin.DIRECTORY, "/plugins/audit"
    )
    with pytest.raises(NoSolution) as caught:
        solution_of(a_lock(a_plugin("audit", "1.1")), a_host(found=[there]))
    assert "/plugins/audit" in caught.value.message
