"""What was unpacked is compared with what was audited; nothing else stays."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Callable

import pytest

from pkl.errors import BackendFailed
from pkl.install.solution import Chosen
from pkl.install.wheels.audit import WheelContent, audit_wheel
from pkl.install.wheels.placed import check_placed
from tests.install import hostile


@pytest.fixture
def content(tmp_path: Path) -> WheelContent:
    """A wheel, unpacked into ``site``."""
    made = hostile.wheel(tmp_path / "wheels")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "site")
    return audit_wheel(str(made), Chosen("acme-audit", "1.0"), {})


def test_what_is_as_it_was_audited_stays(tmp_path: Path, content: WheelContent) -> None:
    site = tmp_path / "site"
    for name in ("bin", "include", "acme_audit-1.0.dist-info"):
        (site / name).mkdir(exist_ok=True)
    (site / "bin" / "audit").write_text("#!python\n")
    (site / ".lock").write_text("")
    info = site / "acme_audit-1.0.dist-info"
    (info / "INSTALLER").write_text("pip\n")
    (info / "direct_url.json").write_text("{}")
    (info / "RECORD").write_text("as the installer wrote it\n")
    check_placed(str(site), [content])
    assert {path.name for path in site.iterdir()} == {"acme_audit", info.name}
    assert {path.name for path in info.iterdir()} == {"METADATA", "WHEEL", "RECORD", "INSTALLER"}


def _link(site: Path) -> None:
    (site / "acme_audit" / "plugin.py").unlink()
    (site / "acme_audit" / "plugin.py").symlink_to(site / "acme_audit" / "__init__.py")


def _linked_directory(site: Path) -> None:
    (site / "more").symlink_to(site / "acme_audit")


@pytest.mark.skipif(sys.platform == "win32", reason="links as POSIX has them")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: (s / "acme_audit/plugin.py").write_text("evil"), "is not what the wheel holds"),
        (lambda s: (s / "acme_audit/plugin.py").unlink(), "acme_audit/plugin.py is missing"),
        (lambda s: (s / "evil.pth").write_text(""), "evil.pth is in no wheel"),
        (lambda s: (s / "acme_audit/x.pyc").write_text(""), "acme_audit/x.pyc is in no wheel"),
        (_link, "acme_audit/plugin.py is not what the wheel holds"),
        (_linked_directory, "more is in no wheel"),
    ],
)
def test_what_differs_is_refused(
    tmp_path: Path, content: WheelContent, change: Callable[[Path], object], says: str
) -> None:
    change(tmp_path / "site")
    with pytest.raises(BackendFailed, match=f"is not what was audited\n  .*{says}"):
        check_placed(str(tmp_path / "site"), [content])
