"""Where a registry may be, and where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkl.errors import UsageError
from pkl.registry.address import file_of, is_local, join, registry_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/plugins/", "https://example.org/plugins"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://127.1.2.3:8000", "http://127.1.2.3:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("file:///srv/plugins", "file:///srv/plugins"),
        ("file://localhost/srv/plugins", "file://localhost/srv/plugins"),
    ],
)
def test_a_registry_may_be_there(text: str, url: str) -> None:
    assert registry_url(text) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://example.org", "for this machine alone"),
        ("http://127.0.0.1.example.org", "for this machine alone"),
        ("http://127.0.0", "for this machine alone"),
        ("http://localhost.example.org", "for this machine alone"),
        ("ftp://example.org", "no https:// URL"),
        ("nowhere", "no https:// URL"),
        ("https://", "names no host"),
        ("https://example.org:port", "Port could not be cast"),
        ("https://[::1", "Invalid IPv6 URL"),
        ("https://example.org/?a", "a query or a fragment"),
        ("https://example.org/#a", "a query or a fragment"),
        ("https://example.org/a b", "no spaces"),
        ("https://example.org/\u202e", "beyond ASCII"),
        ("https://example.org/\r\nHost:x", "no spaces"),
        ("file://server/share", "means this machine"),
        ("file:plugins", "not absolute"),
    ],
)
def test_a_registry_may_not_be_there(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        registry_url(text)
    assert caught.value.message.replace("\n", "").isprintable()


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="user name or password") as caught:
        registry_url("https://me:secret@example.org")
    assert "secret" not in str(caught.value)


def test_a_directory_is_as_good_as_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "my plugins"
    there.mkdir()
    monkeypatch.chdir(tmp_path)
    url = registry_url("my plugins")
    assert url == there.as_uri()
    assert is_local(url)
    assert file_of(join(url, "pkl/v1/index.json")) == str(there / "pkl" / "v1" / "index.json")
