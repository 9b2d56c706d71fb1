"""Real wheels for tests of installing: libraries, and plugins whose code is a trap by default."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Sequence

from tests.discovery.fakes import TRAP, Content, install, zip_up
from tests.registry.making import LONG_AGO

__all__ = ["GROUP", "library_wheel", "plugin_wheel", "wheel_of"]

GROUP = "shop.plugins"
"""The entry-point group of the hosts of these tests."""


def wheel_of(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, Content] = {},
    tags: str = "py3-none-any",
    generator: str = "tests",
    wheel_version: str = "1.0",
    purelib: bool = True,
    extra: Mapping[str, Content] = {},
    age: float = LONG_AGO,
    **more: Any,
) -> Path:
    """A wheel of any distribution, as a builder would leave it.

    Args:
        folder: Where it is put; made if it is not there.
        name: The name of the distribution.
        version: Its version.
        files: What it holds beside its own ``.dist-info``.
        tags: For which Pythons and platforms it is.
        generator: What built it.
        wheel_version: The version of the format.
        purelib: Whether it says that it is pure.
        extra: Further files of its ``.dist-info``.
        age: When it was last changed, in seconds since 1970.
        **more: What ``tests.discovery.fakes.install`` takes: ``requires`` (``Requires-Dist``),
            ``headers``, ``metadata``, ``entry_points``, ``record``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = (
        f"Wheel-Version: {wheel_version}\nGenerator: {generator}\n"
        f"Root-Is-Purelib: {str(purelib).lower()}\nTag: {tags}\n"
    )
    with tempfile.TemporaryDirectory() as site:
        install(Path(site), name, version, files=files, extra={"WHEEL": said, **extra}, **more)
        stem = f"{name.replace('-', '_')}-{version}-{tags}"
        made = zip_up(Path(site), folder / f"{stem}.whl")
    os.utime(made, (age, age))
    return made


def library_wheel(
    folder: Path, name: str, version: str = "1.0", requires: Iterable[str] = (), **more: Any
) -> Path:
    """A wheel of a library: one package of its name, which knows its version."""
    package = name.replace("-", "_")
    files = {f"{package}/__init__.py": f"version = {version!r}\n", **more.pop("files", {})}
    return wheel_of(folder, name, version, files=files, requires=requires, **more)


def plugin_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    libraries: Iterable[str] = (),
    manifest: str = "",
    code: str = TRAP,
    distribution: str = "",
    group: str = GROUP,
    **more: Any,
) -> Path:
    """A wheel of the distribution ``acme-NAME`` with one plugin, in the package ``acme_NAME``.

    Args:
        folder: Where it is put.
        name: The name of the plugin.
        version: The version of both.
        requires: Plugins that it requires, as its manifest states them. The distributions of
            these, ``acme-NAME``, are in its ``Requires-Dist`` with the same bounds.
        libraries: What else is in its ``Requires-Dist``.
        manifest: Further lines of its manifest, such as a table of permissions.
        code: Its ``plugin.py``.
        distribution: Another name of the distribution.
        group: Another entry-point group.
        **more: As for ``wheel_of``.
    """
    distribution = distribution or f"acme-{name}"
    package = distribution.replace("-", "_")
    lines = [f'name = "{name}"', f"requires = {list(requires)!r}", manifest, ""]
    files: Dict[str, Content] = {
        f"{package}/__init__.py": code if code == TRAP else "",
        f"{package}/plugin.py": code,
        f"{package}/plugin.toml": "\n".join(lines),
        **more.pop("files", {}),
    }
    more.setdefault("entry_points", {group: {name: package}})
    needed = [*(f"acme-{each}" for each in requires), *libraries]
    return wheel_of(folder, distribution, version, files=files, requires=needed, **more)
