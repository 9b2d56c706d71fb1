"""What every test stands on: nothing of the user's own state, and repeatable property tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Iterator

import pytest
from hypothesis import settings

EXAMPLES = int(os.environ.get("PKL_EXAMPLES", "50"))
"""How many examples a property test tries."""

settings.register_profile("pkl", max_examples=EXAMPLES, deadline=None, database=None)
settings.load_profile("pkl")


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keeps state, cache and configuration of the machine's user out of the tests, and safe."""
    home = tmp_path_factory.mktemp("pkl-home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PKL_")]:
            patch.delenv(name)
        patch.setenv("PKL_HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def _own_states(_own_home: Path) -> Iterator[None]:
    """Lets no test know what an earlier one had a host keep."""
    yield
    shutil.rmtree(_own_home / "state", ignore_errors=True)
