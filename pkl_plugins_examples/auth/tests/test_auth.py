"""What auth promises to the plugins that require it."""

from __future__ import annotations

import asyncio
from typing import Any, Iterator, List

import pkl
import pytest


@pytest.fixture
def host() -> Iterator[pkl.PluginHost]:
    with pkl.PluginHost(version="2.1", group="desk.plugins") as host:
        host.load_plugin("auth").enable()
        yield host


@pytest.fixture
def auth(host: pkl.PluginHost) -> Any:
    host.plugins.auth.add_user("ana", "blue whale")
    return host.plugins.auth


def test_a_login_is_announced_once_and_makes_a_session(host: pkl.PluginHost, auth: Any) -> None:
    came: List[str] = []
    with host.as_current():
        auth.user_login += came.append
    auth.login("ana", "blue whale")
    assert came == ["ana"]
    assert list(auth.sessions()) == ["ana"]


def test_a_wrong_password_is_refused_and_the_third_locks_the_account(auth: Any) -> None:
    for _ in range(3):
        with pytest.raises(auth.LoginRefused):
            auth.login("ana", "red whale")
    with pytest.raises(auth.LoginRefused):
        auth.login("ana", "blue whale")


def test_a_logout_ends_the_session_and_is_announced(host: pkl.PluginHost, auth: Any) -> None:
    gone: List[str] = []
    with host.as_current():
        auth.user_logout += gone.append
    auth.logout(auth.login("ana", "blue whale"))
    auth.logout("unknown")
    assert gone == ["ana"]
    assert list(auth.sessions()) == []


def test_the_body_of_a_syscall_runs_as_auth(host: pkl.PluginHost, auth: Any) -> None:
    plugin = host.get_plugin("auth")
    assert plugin is not None
    auth.login("ana", "blue whale")
    held = host.resource_manager.get_resources(plugin)
    assert "<Session of ana>" in [repr(resource) for resource in held]
    assert pkl.get_current_plugin() is None


def test_sessions_end_with_the_plugin(host: pkl.PluginHost, auth: Any) -> None:
    plugin = host.get_plugin("auth")
    assert plugin is not None
    auth.login("ana", "blue whale")
    plugin.disable()
    assert host.resource_manager.get_resources(plugin) == ()
    with pytest.raises(pkl.PluginNotRunning):
        host.plugins.auth.login("ana", "blue whale")
    plugin.enable()
    assert list(host.plugins.auth.sessions()) == []


def test_another_plugin_may_not_watch_refused_logins(host: pkl.PluginHost, tmp_path: Any) -> None:
    (tmp_path / "plugin.toml").write_text('name = "spy"\nrequires = ["auth"]\n')
    (tmp_path / "plugin.py").write_text(
        "from pkl.plugins import auth\n@auth.login_refused.on\ndef seen(name): ...\n"
    )
    with pytest.raises(pkl.PluginLoadError) as caught:
        host.load_plugin(path=tmp_path)
    assert isinstance(caught.value.__cause__, pkl.NotPermitted)


def test_who_logs_in_can_be_awaited(auth: Any) -> None:
    async def scenario() -> List[str]:
        watch = auth.logins()
        seen: List[str] = []
        first = asyncio.ensure_future(watch.__anext__())
        await asyncio.sleep(0)
        token = auth.login("ana", "blue whale")
        seen.append(await first)
        seen.append(await auth.user_of(token))
        await watch.aclose()
        with pytest.raises(auth.LoginRefused):
            await auth.user_of("unknown")
        return seen

    assert asyncio.run(scenario()) == ["ana", "ana"]


def test_without_auth_the_desk_does_not_open(tmp_path: Any) -> None:
    (tmp_path / "plugin.toml").write_text('name = "clerk"\n')
    (tmp_path / "plugin.py").write_text("import pkl\n")
    # A desk of the next version, which auth is not made for.
    with pkl.PluginHost(version="3.0", group="desk.plugins", paths=[tmp_path]) as host:
        report = host.start()
        assert report.status == "refused"
        assert report.stopped["clerk"].cause == report.blocked["auth"].cause
        assert "needs host >=2,<3" in report.stopped["clerk"].cause
        assert not any(plugin.running for plugin in host.all_plugins())
