"""Every host's name gets a file of its own, whatever it is made of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.model.state import Desired
from pkl.store import StateStore
from pkl.store.naming import aside_name, file_name, is_aside, is_temporary, lock_name

ODD = [
    *("", ".", "..", "../../etc/passwd", "/etc/passwd", "C:\\Windows", "a/b", "a\\b"),
    *("nul\0byte", "con", "CON", "lpt1.txt", "a" * 5000, "Shop", "SHOP", "shop.", ".shop"),
    *("sh\u00f6p", "\ud800", "a b", "a\nb", "shop~1", "shop:stream", "*", "-", "~", "shop.json."),
]


@pytest.mark.parametrize("name", ["shop", "a", "my-app", "shop.eu", "shop_2", "shop.json", "0"])
def test_a_harmless_name_is_its_file(name: str) -> None:
    assert file_name(name) == f"{name}.json"


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_any_other_name_becomes_a_harmless_one(name: str) -> None:
    file = file_name(name)
    assert file.isascii() and file.islower() and len(file) < 100
    assert not set(file) & set('/\\\0:*?"<>| ')
    assert not file.startswith(".") and file.endswith(".json")
    assert "~" in file


@given(st.lists(st.text(max_size=80) | st.sampled_from(ODD), unique=True, max_size=20))
def test_no_two_names_share_a_file_even_where_case_is_ignored(names: "list[str]") -> None:
    files = {file_name(name).casefold() for name in names}
    assert len(files) == len(names)


@given(st.text(max_size=40) | st.sampled_from(ODD), st.text(max_size=40))
def test_no_other_file_of_the_store_is_ever_taken_for_a_state(one: str, two: str) -> None:
    """Set-aside files, locks and temporary files of one host are no state of another's."""
    file = file_name(one)
    aside = aside_name(file, "20261125T030000Z", 3)
    assert is_aside(aside) and not is_aside(file)
    assert file_name(two) not in (aside, lock_name(file), f".{file}.0123456789ab.tmp")
    assert is_temporary(f".{file}.0123456789ab.tmp", file)
    assert not is_temporary(lock_name(file), file)


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_a_host_of_any_name_keeps_its_state_inside_the_directory(name: str, tmp_path: Path) -> None:
    store = StateStore(str(tmp_path / "state" / "hosts"))
    store.set_desired(name, {"auth": "masked"})
    assert store.read(name).state.desired == {"auth": Desired.MASKED}
    assert os.listdir(tmp_path) == ["state"]
    assert os.listdir(tmp_path / "state") == ["hosts"]
    assert store.read("shop").state.desired == {}
