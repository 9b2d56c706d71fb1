"""Distributions inside a zip on ``sys.path``."""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback
import zipfile
from typing import Any, Dict

import pytest

from .fakes import FakeHost, World

FILES = {
    "acme/__init__.py": "",
    "acme/models.py": "VERSION = 1\ndef fail():\n    raise ValueError  # the first text\n",
    "acme/plugin.py": """
from . import models
from acme.models import VERSION
def late():
    import acme.late
    return acme.late
def read(name):
    import pkgutil
    return pkgutil.get_data(__package__, name)
""",
    "acme/late.py": "",
    "acme/data.txt": "hello",
}


def pack(world: World, files: Dict[str, str], name: str = "plugins.zip") -> str:
    """Makes a zip and puts it on ``sys.path``."""
    path = os.path.join(world.path, name)
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            info = zipfile.ZipInfo(member, time.localtime()[:6])
            archive.writestr(info, text)
    if path not in sys.path:
        sys.path.insert(0, path)
    return path


def shown(models: Any) -> str:
    """The traceback of its failure."""
    try:
        models.fail()
    except ValueError:
        return traceback.format_exc()
    raise AssertionError


@pytest.mark.parametrize("name", ["plugins.zip", "acme-1.0-py3-none-any.whl", "acme.egg"])
def test_a_package_in_a_zip_is_a_generation(world: World, name: str) -> None:
    path = pack(world, FILES, name)
    loaded = world.load(world.installed("audit", "acme", manifest=True))
    module = loaded.module
    assert module.__file__ == os.path.join(path, "acme", "plugin.py")
    late = module.late()
    for each in (loaded.api, module, module.models, late):
        assert each.__dict__["__pkl_generation__"].number == 1
    assert module.read("data.txt") == b"hello"
    assert importlib.resources.files("acme").joinpath("data.txt").read_text() == "hello"
    loaded.drop()
    assert not [each for each in sys.modules if each.startswith("acme")]


def test_another_hosts_generation_in_a_zip_has_private_names(world: World) -> None:
    pack(world, FILES)
    first = world.load(world.installed("audit", "acme", manifest=True))
    other = world.load(world.installed("audit", "acme", manifest=True, host=FakeHost()))
    assert other.module.late() is not first.module.late()
    assert other.module.read("data.txt") == b"hello"
    assert importlib.resources.files(other.api).joinpath("data.txt").read_text() == "hello"
    assert other.module.__loader__.get_source(other.module.__name__) == FILES["acme/plugin.py"]


def test_a_zip_that_was_replaced_is_read_again(world: World) -> None:
    pack(world, FILES)
    plugin = world.installed("audit", "acme", manifest=True)
    old = world.load(plugin).module
    assert "the first text" in shown(old.models)
    changed = {
        "padding.py": "X = 1\n" * 100,
        **FILES,
        "acme/models.py": "VERSION = 2\n#\n\ndef fail():\n    raise ValueError  # second text\n",
        "acme/new.py": "",
    }
    pack(world, changed)
    new = world.load(plugin).module
    assert (old.VERSION, new.VERSION) == (1, 2)
    importlib.import_module("acme.new")
    assert "second text" in shown(new.models)
