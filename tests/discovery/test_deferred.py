"""Metadata that is worked out when it is first asked for, and then is like any other."""

from __future__ import annotations

import copy
import threading
from typing import Any, Dict, List

import pytest

from pkl.discovery.deferred import deferred
from pkl.model.manifest import PluginMetadata

DATA: Dict[str, Any] = {
    "name": "My_Plugin",
    "version": "1.0",
    "requires": ["auth>=1.2,<2"],
    "provides": ["log==2"],
    "requires-python": ">=3.9",
    "config": {"defaults": {"level": "info"}},
}


def made() -> PluginMetadata:
    return deferred(DATA, "my-plugin", "My_Plugin", "1.0", "", "/x/plugin.toml", "my-dist", True)


def whole() -> PluginMetadata:
    return PluginMetadata(DATA, file="/x/plugin.toml", distribution="my-dist")


ALL = sorted(PluginMetadata.__annotations__)


@pytest.mark.parametrize("key", ALL)
def test_every_attribute_is_what_the_whole_metadata_has(key: str) -> None:
    assert getattr(made(), key) == getattr(whole(), key)


def test_name_and_version_are_there_without_working_anything_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metadata = made()

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError("was worked out")

    monkeypatch.setattr(PluginMetadata, "__init__", refuse)
    assert (metadata.name, metadata.display_name, metadata.version) == (
        "my-plugin",
        "My_Plugin",
        "1.0",
    )
    assert metadata.summary == "" and metadata.data is DATA
    assert (metadata.file, metadata.distribution) == ("/x/plugin.toml", "my-dist")
    assert isinstance(metadata, PluginMetadata)
    with pytest.raises(AssertionError, match="was worked out"):
        assert metadata.requires


def test_it_equals_the_whole_metadata_either_way_round() -> None:
    assert made() == whole() and whole() == made() and made() == made()
    assert made() != PluginMetadata({"name": "other"}) and made() != "x"
    assert hash(made()) == hash(whole())


def test_it_becomes_plain_metadata() -> None:
    metadata = made()
    assert metadata.requires and type(metadata) is PluginMetadata
    assert repr(made()) == repr(whole())


def test_it_can_be_copied() -> None:
    assert copy.copy(made()) == whole()


def test_it_is_immutable() -> None:
    with pytest.raises(AttributeError):
        made().name = "x"
    with pytest.raises(AttributeError):
        del made().name


def test_foreign_names_are_kept() -> None:
    data = {"name": "Windows (alt)", "version": "1.0", "summary": "x"}
    metadata = deferred(data, "Windows (alt)", "Windows (alt)", "1.0", "x", None, "d", False)
    assert metadata.requires == () and metadata.name == "Windows (alt)"
    assert metadata == PluginMetadata(data, distribution="d", fold=False)


def ask_at_once(metadata: PluginMetadata, count: int) -> List[Any]:
    answers: List[Any] = []
    barrier = threading.Barrier(count)

    def ask() -> None:
        barrier.wait(10)
        answers.append((metadata.requires, metadata.provides, metadata.tier))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return answers


def test_threads_may_ask_at_once() -> None:
    expected = (whole().requires, whole().provides, whole().tier)
    for _ in range(50):
        assert ask_at_once(made(), 4) == [expected] * 4
