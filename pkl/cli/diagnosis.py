"""The checks of ``pkl doctor``: each looks at one side of the environment."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from importlib.util import find_spec
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..discovery import installed
from ..discovery.cache import Cache
from ..errors import PklError, RequirementError, StateCorrupt, StateNewer
from ..model.candidate import Candidate
from ..model.requirement import parse_requirement
from ..names import canonical
from ..paths import runtime_dir, user_state_dir
from ..store import StateStore, dead_starts
from .diagnosis_installed import delete_leftover, installed_well, what_is_installed
from .lint.finding import ERROR, WARNING, Finding
from .lint.installed import check_scope, of_failure
from .scope import Scope

__all__ = ["CHECKS", "FIXES", "Check"]


class Check(NamedTuple):
    """One check: what it is about, and the function that yields what is wrong."""

    name: str
    good: Callable[[Scope], str]
    """What to say if nothing is wrong."""
    look: Callable[[Scope], Iterator[Finding]]


def _distributions(scope: Scope) -> Iterator[Finding]:
    """What could not be read, and what was passed over."""
    for failure in scope.found.failures:
        yield of_failure(failure)
    for skipped in scope.found.skipped:
        hint = "pkl doctor --fix deletes it" if skipped.code in FIXES else ""
        yield Finding(WARNING, skipped.code, skipped.message, skipped.file, hint=hint)


def _plugins(scope: Scope) -> Iterator[Finding]:
    """Faults, collisions, requirements, Pythons, stale editables, hidden copies."""
    failures = {of_failure(each) for each in scope.found.failures}
    for finding in check_scope(scope, code=False):
        if finding not in failures:
            yield finding


def _dependencies(scope: Scope) -> Iterator[Finding]:
    """What the distributions of the plugins require and pip would find unmet."""
    carriers = {
        canonical(each.distribution): each
        for each in scope.found.candidates
        if each.distribution is not None and each.requires_dist and not _is_ours(scope, each)
    }
    there = installed() if carriers else {}
    for each in carriers.values():
        for text in each.requires_dist:
            try:
                asked = parse_requirement(_without_url(text))
                if not asked.applies({"extra": ""}):
                    continue
            except (RequirementError, ValueError):
                message = f"{each.source}: Requires-Dist {text!r} is not valid"
                yield Finding(WARNING, "requires-dist", message, each.location)
                continue
            found = there.get(asked.name)
            hint = f'pip install "{asked.name}{asked.specifier}"'
            if found is None:
                message = f"{each.source} requires {asked.text}, which is not installed"
                yield Finding(ERROR, "unmet-dependency", message, each.location, hint=hint)
            elif not asked.contains(found.version):
                message = f"{each.source} requires {asked.text}, but {found.version} is installed"
                yield Finding(ERROR, "unmet-dependency", message, each.location, hint=hint)


def _is_ours(scope: Scope, candidate: Candidate) -> bool:
    """Whether pkl has installed a plugin, which has a check of its own."""
    where = candidate.location or ""
    return any(where.startswith(os.path.join(each, "")) for each in scope.installed)


def _without_url(text: str) -> str:
    """A requirement without the place that it says to take the distribution from."""
    head, semicolon, marker = text.partition(";")
    return f"{head.partition('@')[0]}{semicolon}{marker}"


_EXTRAS = {"yaml": (("plugin.yaml", "plugin.yml"), "yaml")}
"""For each extra: the manifest files that ask for it, and the module that it brings."""


_SCHEMA = 'pip install "pkl[schema]"'


def _extras(scope: Scope) -> Iterator[Finding]:
    files = [c.manifest_file for c in scope.found.candidates if c.manifest_file is not None]
    files += [f.file for f in scope.found.failures if f.file is not None]
    for extra, (names, module) in _EXTRAS.items():
        if find_spec(module) is not None:
            continue
        for file in files:
            if file.endswith(names):
                message = f"reading {file} needs the extra {extra!r}, which is not installed"
                yield Finding(ERROR, "extra", message, file, hint=f'pip install "pkl[{extra}]"')
    stated = [c for c in scope.found.candidates if c.metadata.config.get("schema")]
    if stated and find_spec("jsonschema") is None:
        whose = ", ".join(c.name for c in stated)
        message = f"checking the settings of {whose} needs the extra 'schema', which is missing"
        yield Finding(ERROR, "extra", message, stated[0].manifest_file, hint=_SCHEMA)
    points = scope.points.declared if scope.points is not None else {}
    schemas = [point for point, schema in points.items() if schema is not None]
    if schemas and find_spec("jsonschema") is None:
        named = ", ".join(schemas)
        message = f"checking what is contributed to {named} needs the extra 'schema'"
        yield Finding(ERROR, "extra", f"{message}, which is missing", hint=_SCHEMA)


def _cache(_: Scope) -> Iterator[Finding]:
    cache = Cache()
    rule = "pkl works without its cache, but slower"
    for path, why in _no_directory(cache.directory):
        yield Finding(
            WARNING, "cache-directory", f"{path} {why}; {rule}", path, hint=_make_way(path)
        )
    try:
        unsound = cache.unsound()
    except OSError as e:
        unsound = [(cache.directory, f"it cannot be listed ({e.strerror})")]
    for path, why in unsound if os.path.isdir(cache.directory) else ():
        message = f"a file of the cache is ignored: {why}"
        yield Finding(WARNING, "cache-file", message, path, hint="pkl doctor --fix deletes it")


def _state(_: Scope) -> Iterator[Finding]:
    for path, why in _no_directory(user_state_dir()):
        message = f"{path} {why}; what people want of plugins cannot be kept there"
        yield Finding(ERROR, "state-directory", message, path, hint=_make_way(path))
    store = StateStore()
    for reading in store.hosts().values():
        problem = reading.problem
        if isinstance(problem, StateNewer):
            yield Finding(WARNING, "state-newer", problem.message, reading.path, hint=problem.hint)
        elif problem is not None:
            code = "state-file" if isinstance(problem, StateCorrupt) else "state-unreadable"
            yield Finding(ERROR, code, problem.message, reading.path, hint=problem.hint)
    for path, aside in store.leftovers():
        if aside:
            message = f"{path} is a damaged state file that was set aside"
            hint = "look at what is in it, say again what is missing, then delete it"
            yield Finding(WARNING, "state-aside", message, path, hint=hint)
    runtime = runtime_dir()
    if os.path.isdir(runtime) and sys.platform != "win32":
        found = os.lstat(runtime)
        if found.st_uid != os.geteuid() or stat.S_ISLNK(found.st_mode):
            message = f"{runtime} is not ours: no host can be reached through it"
            hint = "set PKL_RUNTIME_DIR to a directory of your own with mode 0700"
            yield Finding(ERROR, "runtime-directory", message, runtime, hint=hint)
        elif stat.S_IMODE(found.st_mode) & 0o077:
            message = f"others may enter {runtime}: no host can be reached through it"
            hint = "pkl doctor --fix closes it (mode 0700)"
            yield Finding(ERROR, "runtime-open", message, runtime, hint=hint)


def _starts(_: Scope) -> Iterator[Finding]:
    """Hosts whose process died while it was starting them, and that have not started since."""
    for died in dead_starts():
        message = f"{died.message} (process {died.pid}, {died.since})"
        yield Finding(WARNING, "dead-start", message, died.path, hint=died.remedy)


def _no_directory(path: str) -> List[Tuple[str, str]]:
    """Why files cannot be kept in a directory, that need not exist yet; nothing if they can."""
    nearest = path
    while not os.path.lexists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest):
        return [(nearest, "is not a directory")]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [(nearest, "may not be written to")]
    return []


def _make_way(path: str) -> str:
    what = "make it writable" if os.path.isdir(path) else f"move {path} out of the way"
    return f"{what}, or set PKL_HOME to a directory of your own"


def _counted(scope: Scope) -> str:
    count = len(scope.found.candidates)
    plugins = "1 plugin" if count == 1 else f"{count} plugins"
    return f"{plugins} in {scope.where}, all of them sound"


CHECKS: Sequence[Check] = (
    Check("distributions", lambda _: "every distribution can be read", _distributions),
    Check("plugins", _counted, _plugins),
    Check("dependencies", lambda _: "what their distributions require is installed", _dependencies),
    Check("extras", lambda _: "no extra is missing", _extras),
    Check("cache", lambda _: f"the cache in {Cache().directory} is sound", _cache),
    Check("installed", installed_well, what_is_installed),
    Check("state", lambda _: f"state can be kept in {user_state_dir()}", _state),
    Check("starts", lambda _: "no host died while it was starting", _starts),
)
"""In the order in which they are shown."""


# What --fix may do: nothing that a person could miss.


def _delete_leftover(path: str) -> bool:
    name = os.path.basename(path)
    if not name.startswith("~") or not name.endswith("-info") or os.path.islink(path):
        return False
    shutil.rmtree(path)
    return True


def _delete_link(path: str) -> bool:
    if not os.path.islink(path) or os.path.exists(path):
        return False
    os.unlink(path)
    return True


def _delete_file(path: str) -> bool:
    if os.path.dirname(path) != Cache().directory or os.path.isdir(path):
        return False
    os.unlink(path)
    return True


def _set_state_aside(path: str) -> bool:
    try:
        return StateStore().repair(path).problem is not None
    except PklError as e:
        raise OSError(e.message) from e


def _close_directory(path: str) -> bool:
    os.chmod(path, 0o700)
    return True


FIXES: Dict[str, Callable[[str], bool]] = {
    "leftover": _delete_leftover,
    "dangling": _delete_link,
    "cache-file": _delete_file,
    "generation-leftover": delete_leftover,
    "state-file": _set_state_aside,
    "runtime-open": _close_directory,
}
"""What repairs a finding, by its code: takes its file, and says whether it did something."""
