"""``importlib_metadata`` is imported rarely, and without taking the standard finder off duty."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .fakes import install, plugin

ROOT = Path(__file__).resolve().parents[2]

HOOK = """
import importlib.metadata, sys
class Text(importlib.metadata.Distribution):
    def __init__(self, texts): self.texts = texts
    def read_text(self, name):
        found = self.texts.get(name)
        if isinstance(found, Exception): raise found
        return found
    def locate_file(self, path): return path
def made(name, points):
    return Text({"METADATA": f"Name: {name}\\nVersion: 1.0\\n", "entry_points.txt": points})
class Hook:
    @staticmethod
    def find_spec(*arguments): return None
    @staticmethod
    def find_distributions(context):
        yield made("frozen", "[pkl.plugins]\\nfrozen = frozen_app:plugin\\n")
        yield made("malformed", "[pkl.plugins]\\nwords\\n")
        yield Text({"METADATA": RuntimeError("no")})
        yield made("acme", "[pkl.plugins]\\nacme = other\\n")
sys.meta_path.append(Hook())
"""

REPORT = """
def state():
    from importlib.machinery import PathFinder
    return [
        [f.__name__ if isinstance(f, type) else type(f).__name__ for f in sys.meta_path],
        "find_distributions" in vars(PathFinder),
    ]
"""


def run(code: str, site: Path) -> str:
    """Runs a program in a fresh interpreter whose last entry of ``sys.path`` is ``site``."""
    entries = [str(ROOT), *(entry for entry in sys.path if entry), str(site)]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{REPORT}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entries)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOOK = """
from pkl.discovery import discover
found = discover(cache=False)
"""


def test_ordinary_environments_do_not_need_it(site: Path) -> None:
    plugin(site, "acme", metadata=b"\xff\nName: acme\r\nVersion: 1.0\n")
    code = LOOK + "print(found.named('acme')[0].fault, 'importlib_metadata' in sys.modules)"
    assert run(code, site).split() == ["None", "False"]


def test_after_its_import_the_standard_finder_is_on_duty_as_before(site: Path) -> None:
    code = (
        "before = state()\n"
        "from pkl.discovery.backport import import_importlib_metadata\n"
        "module = import_importlib_metadata()\n"
        "assert module.__name__ == 'importlib_metadata'\n"
        "assert state() == before, (before, state())\n"
        "assert before[1]\n"
        "import importlib.metadata as standard\n"
        "assert all(type(d) is standard.PathDistribution for d in standard.distributions())\n"
        "assert list(standard.distributions())\n"
        "import importlib_metadata\n"
        "assert importlib_metadata is module and state() == before\n"
        "assert module.PathDistribution.__module__.startswith('importlib_metadata')\n"
    )
    run(code, site)


def test_if_another_package_imported_it_first_its_finder_stays(site: Path) -> None:
    code = (
        "import importlib_metadata\n"
        "before = state()\n"
        "assert 'MetadataPathFinder' in before[0] and not before[1]\n"
        "from pkl.discovery.backport import import_importlib_metadata\n"
        "assert import_importlib_metadata() is importlib_metadata\n"
        "assert state() == before\n"
    )
    run(code, site)


def test_an_import_that_fails_leaves_the_finders_as_they_were(site: Path) -> None:
    code = (
        "before = state()\n"
        "sys.modules['zipp'] = None\n"
        "from pkl.discovery.backport import import_importlib_metadata\n"
        "try: import_importlib_metadata()\n"
        "except ImportError: pass\n"
        "else: print('was imported')\n"
        "assert state() == before\n"
    )
    run(code, site)


def test_import_hooks_that_know_of_distributions_are_asked(site: Path) -> None:
    """As frozen applications have them; what is on ``sys.path`` hides them, as for imports."""
    plugin(site, "acme", manifest='name = "acme"')
    code = (
        f"{HOOK}\nbefore = state()\n{LOOK}\n"
        "assert state() == before\n"
        "[frozen] = found.named('frozen')\n"
        "print(frozen.distribution, frozen.version, frozen.target, frozen.location)\n"
        "[acme] = found.named('acme')\n"
        "print(acme.location is not None, [row.location for row in found.shadowed])\n"
        "print([(row.code, row.distribution) for row in found.failures])\n"
        "from pkl.discovery import discover\n"
        "print([c.name for c in discover(cache=False, sys_path=[]).candidates])\n"
    )
    lines = run(code, site).splitlines()
    assert lines[0] == "frozen 1.0 frozen_app:plugin None"
    assert lines[1] == "True ['<import hooks>/acme-1.0.dist-info']"
    assert "('finder', None)" in lines[2]
    assert "('entry-point-syntax', 'malformed')" in lines[2]
    assert lines[3] == "[]"


def test_a_hook_that_raises_is_a_failure_and_hides_nothing(site: Path) -> None:
    plugin(site, "acme", manifest='name = "acme"')
    code = (
        "class Hook:\n"
        "    @staticmethod\n"
        "    def find_spec(*arguments): return None\n"
        "    def find_distributions(self, context): raise RuntimeError('broken hook')\n"
        f"sys.meta_path.append(Hook())\n{LOOK}\n"
        "print([c.name for c in found.named('acme')], [row.message for row in found.failures])\n"
    )
    assert "['acme'] [" in run(code, site) and "broken hook" in run(code, site)


def test_it_reads_the_same_distributions_as_the_standard_library(site: Path) -> None:
    """What pkl lists in this very environment is what ``importlib.metadata`` lists."""
    install(site, "acme", "1.0")
    code = (
        "from pkl.discovery import installed\n"
        "from pkl.names import canonical\n"
        "import importlib.metadata as standard\n"
        "theirs = {}\n"
        "for each in standard.distributions():\n"
        "    theirs.setdefault(canonical(each.metadata['Name']), each.version)\n"
        "ours = {key: each.version for key, each in installed().items()}\n"
        "assert ours == theirs, set(ours.items()) ^ set(theirs.items())\n"
        "assert len(ours) > 5 and ours['acme'] == '1.0'\n"
    )
    run(code, site)
