"""Makes the corpus anew: ``python tests/discovery/corpus/fetch.py``.

Every distribution of ``pins.txt`` is downloaded without its dependencies, and what discovery
reads is kept: ``entry_points.txt`` as it is, and of METADATA the fields that it looks at.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIELDS = re.compile(
    r"^(?:Metadata-Version|Name|Version|Summary|Requires-Python|Requires-Dist|Provides-Extra):"
    r".*\n(?:[ \t].*\n)*",
    re.MULTILINE,
)


def keep(wheel: Path) -> None:
    """Lays out the information directory of a wheel beside this file."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            info, _, file = name.partition("/")
            if not info.endswith(".dist-info") or file not in ("METADATA", "entry_points.txt"):
                continue
            text = archive.read(name).decode()
            if file == "METADATA":
                text = "".join(FIELDS.findall(text.partition("\n\n")[0] + "\n"))
            (HERE / info).mkdir(exist_ok=True)
            (HERE / info / file).write_bytes((text.rstrip() + "\n").encode())


def main() -> None:
    """Replaces the whole corpus."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary", ":all:", "-d", directory, "-r", str(HERE / "pins.txt")]
        subprocess.run(command, check=True)
        for old in HERE.glob("*.dist-info"):
            shutil.rmtree(old)
        for wheel in sorted(Path(directory).iterdir()):
            keep(wheel)


if __name__ == "__main__":
    main()
