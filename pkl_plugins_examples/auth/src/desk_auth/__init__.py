"""Who is at the desk. Other plugins write ``from pkl.plugins import auth``.

Accounts and sessions are in memory. A session is a resource of this plugin: when the plugin
stops, every session ends with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
from typing import AsyncIterator, Dict, Iterator, Tuple

from pkl import Resource, event, log, syscall, this

__all__ = [
    "LoginRefused",
    "Session",
    "add_user",
    "login",
    "login_refused",
    "logins",
    "logout",
    "sessions",
    "user_login",
    "user_logout",
    "user_of",
]

_ROUNDS = 10_000
_accounts: Dict[str, Tuple[bytes, bytes]] = {}
_sessions: Dict[str, Session] = {}
locked: Dict[str, int] = {}
"""How often each name was refused since it last came in."""


class LoginRefused(PermissionError):
    """The name or the password is wrong, or the account is locked."""


class Session(Resource):
    """Somebody's presence at the desk, from login to logout."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.token = secrets.token_hex(8)

    def __repr__(self) -> str:
        return f"<Session of {self.name}>"

    def _cleanup(self) -> None:
        _sessions.pop(self.token, None)


@event
def user_login(name: str) -> None:
    """Called after somebody has logged in."""


@event
def user_logout(name: str) -> None:
    """Called after somebody has logged out."""


@event(protected=True)
def login_refused(name: str) -> None:
    """Called after a refused login; protected: no other plugin may watch for it."""


@syscall
def add_user(name: str, password: str) -> None:
    """Makes an account, or gives an account another password."""
    salt = os.urandom(16)
    _accounts[name] = salt, _digest(password, salt)


@syscall
def login(name: str, password: str) -> str:
    """Lets somebody in; returns the token of the new session.

    The body runs as this plugin, whoever calls it: the session is this plugin's resource, and
    only as this plugin may it invoke ``user_login``.

    Raises:
        LoginRefused: The password is wrong, or was so too often.
    """
    salt, digest = _accounts.get(name, (b"", b""))
    if locked.get(name, 0) >= 3 or not hmac.compare_digest(_digest(password, salt), digest):
        login_refused(name)
        raise LoginRefused(f"{name} may not come in")
    locked.pop(name, None)
    session = Session(name)
    _sessions[session.token] = session
    this.host.resource_manager.register(session)
    user_login(name)
    return session.token


@syscall
def logout(token: str) -> None:
    """Ends a session; an unknown token is ignored."""
    session = _sessions.get(token)
    if session is not None:
        session.release()
        user_logout(session.name)


@syscall
def sessions() -> Iterator[str]:
    """Who is at the desk, one name at a time; each step runs as this plugin."""
    for session in list(_sessions.values()):
        yield session.name


@syscall
async def user_of(token: str) -> str:
    """The name behind a token.

    Raises:
        LoginRefused: There is no such session.
    """
    session = _sessions.get(token)
    if session is None:
        raise LoginRefused("no such session")
    return session.name


@syscall
async def logins() -> AsyncIterator[str]:
    """Yields each name as it logs in, from now on."""
    loop = asyncio.get_running_loop()
    names: asyncio.Queue[str] = asyncio.Queue()

    def came_in(name: str) -> None:
        loop.call_soon_threadsafe(names.put_nowait, name)

    unsubscribe = user_login.subscribe(came_in)
    try:
        while True:
            yield await names.get()
    finally:
        unsubscribe()
        log.debug("nobody watches the door any more")


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
