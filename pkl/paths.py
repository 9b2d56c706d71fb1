"""Where the files of a user live: state, cache, configuration, data, and the sockets of hosts.

``PKL_HOME`` moves everything; without it the directories are those of ``platformdirs``.
"""

from __future__ import annotations

import os
import stat
import sys

from .errors import NotPermitted

__all__ = ["runtime_dir", "user_cache_dir", "user_config_dir", "user_data_dir", "user_state_dir"]

_XDG = {
    "state": ("XDG_STATE_HOME", "~/.local/state"),
    "cache": ("XDG_CACHE_HOME", "~/.cache"),
    "config": ("XDG_CONFIG_HOME", "~/.config"),
    "data": ("XDG_DATA_HOME", "~/.local/share"),
}


def user_state_dir() -> str:
    """Where desired states, pins and consents are kept; the directory may not exist yet."""
    return _user_dir("state")


def user_cache_dir() -> str:
    """Where things are kept that can be made again; the directory may not exist yet."""
    return _user_dir("cache")


def user_config_dir() -> str:
    """Where the user's settings are; the directory may not exist yet."""
    return _user_dir("config")


def user_data_dir() -> str:
    """Where generations of installed plugins are; the directory may not exist yet."""
    return _user_dir("data")


def _home() -> str:
    home = os.environ.get("PKL_HOME", "")
    return os.path.abspath(os.path.expanduser(home)) if home.strip() else ""


def _user_dir(kind: str) -> str:
    home = _home()
    if home:
        return os.path.join(home, kind)
    if sys.platform == "linux":
        # The rule platformdirs has for Linux, without the cost of importing it on a warm start.
        variable, default = _XDG[kind]
        base = os.environ.get(variable, "")
        return os.path.join(base if base.strip() else os.path.expanduser(default), "pkl")
    import platformdirs

    found: str = getattr(platformdirs, f"user_{kind}_dir")("pkl", appauthor=False)
    return found


def runtime_dir(*, create: bool = False) -> str:
    """Where the control sockets of running hosts are: a directory of ours that no one else enters.

    ``PKL_RUNTIME_DIR``; else, under ``PKL_HOME``, its ``state/run``; else ``pkl`` in
    ``XDG_RUNTIME_DIR`` if that is a directory of ours with mode 0700 and no symbolic link; else
    ``run`` in the state directory. Servers and clients get the same answer. The path of a Unix
    socket may have 107 bytes at most, which is for the caller to see to.

    Args:
        create: Makes the directory, with mode 0700, and checks that it is ours and closed.

    Raises:
        NotPermitted: With ``create``: what is there belongs to someone else, is a symbolic link,
            or is no directory; or others may enter ``PKL_RUNTIME_DIR``.
        OSError: With ``create``: the directory cannot be made.
    """
    given = os.environ.get("PKL_RUNTIME_DIR", "")
    xdg = os.environ.get("XDG_RUNTIME_DIR", "")
    if given.strip():
        path = os.path.abspath(os.path.expanduser(given))
    elif not _home() and xdg.strip() and os.path.isabs(xdg) and not _objection(xdg):
        path = os.path.join(xdg, "pkl")
    else:
        path = os.path.join(user_state_dir(), "run")
    if create:
        _make_private(path, repair=not given.strip())
    return path


def _objection(path: str) -> str:
    """Why the directory is not ours alone; empty if it is."""
    try:
        found = os.lstat(path)
    except OSError as e:
        return f"it cannot be read ({e.strerror})"
    if stat.S_ISLNK(found.st_mode):
        return "it is a symbolic link"
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a directory"
    if sys.platform == "win32":
        return ""
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    mode = stat.S_IMODE(found.st_mode)
    return f"others may enter it (mode {mode:04o})" if mode & 0o077 else ""


def _make_private(path: str, *, repair: bool) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if repair and _objection(path).startswith("others"):
            os.chmod(path, 0o700)
    objection = _objection(path)
    if objection:
        raise NotPermitted(
            f"the runtime directory {path} is not safe to use: {objection}",
            hint="set PKL_RUNTIME_DIR to a directory of your own with mode 0700",
            path=path,
        )
