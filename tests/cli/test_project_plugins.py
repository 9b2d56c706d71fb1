"""``plugins`` of ``[tool.pkl]``: what a lock is to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.cli.project import read_project
from pkl.errors import UsageError


def project(folder: Path, line: str) -> str:
    """A directory whose ``pkl.toml`` has one line."""
    (folder / "pkl.toml").write_text(f"{line}\n")
    return str(folder)


def test_a_project_states_requirements_of_plugins(tmp_path: Path) -> None:
    stated = read_project(project(tmp_path, 'plugins = ["auth>=1.2,<2", "Mail"]')).plugins
    assert stated == ("auth>=1.2,<2", "Mail")


def test_no_plugins_and_an_empty_list_are_not_the_same(tmp_path: Path) -> None:
    assert read_project(project(tmp_path, 'name = "shop"')).plugins is None
    assert read_project(project(tmp_path, "plugins = []")).plugins == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            'plugins = "auth"',
            "'plugins' must be a list of requirements, such as [\"auth>=1.2,<2\"]",
        ),
        ("plugins = [1]", "'plugins' must be a list of requirements"),
        ('plugins = ["auth=1"]', "'plugins': 'auth=1' is not a requirement (PEP 508)"),
        ('plugins = ["auth", "Auth>1"]', "'plugins': 'Auth>1' and 'auth' are about one plugin"),
    ],
)
def test_what_is_no_list_of_requirements_is_refused(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_project(project(tmp_path, line))
    assert fault in caught.value.message
    assert caught.value.hint.startswith("correct ")
