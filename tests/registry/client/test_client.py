"""Reading one registry: what is checked, what is kept, and what comes of a registry that lies."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Callable, List, Optional, Type

import pytest

from pkl.errors import (
    PklError,
    RegistryAbsent,
    RegistryDenied,
    RegistryError,
    RegistryExpired,
    RegistryGarbage,
    RegistryRolledBack,
    RegistryUnreachable,
    SignatureRefused,
    StateUnavailable,
)
from pkl.model.known_registry import KnownRegistry
from pkl.registry.cache import Cache
from pkl.registry.client import RegistryClient
from pkl.registry.model import WheelFile
from pkl.registry.transport import Transport
from tests.registry.client.server import Handler, Server, answers
from tests.registry.client.site import DAY, NOW, FakeVerifier, Site, fake_key

INDEX = "/pkl/v1/index.json"
PAGE = "/pkl/v1/p/audit.json"
REVOKED = "/pkl/v1/revoked.json"
SIGNATURE = INDEX + ".sig"


@pytest.fixture
def site(server: Server) -> Site:
    """A registry with one plugin, which the server has."""
    site = Site()
    site.add("audit", summary="Writes who did what")
    server.files.update(site.served())
    return site


class Visits:
    """Makes clients of the server's registry that know what the ones before them learned."""

    def __init__(self, server: Server, transport: Transport, directory: Path) -> None:
        self.known = KnownRegistry("main", server.url)
        self.now = float(NOW)
        self.noted: List[KnownRegistry] = []
        self._transport = transport
        self._directory = directory

    def __call__(self, *, offline: bool = False) -> RegistryClient:
        return RegistryClient(
            self.known,
            offline=offline,
            note=self._note,
            transport=self._transport,
            cache=Cache(self.known.url, str(self._directory)),
            verifier=FakeVerifier(),
            clock=lambda: self.now,
        )

    def _note(self, known: KnownRegistry) -> None:
        self.noted.append(known)
        self.known = known


@pytest.fixture
def visit(server: Server, transport: Transport, tmp_path: Path) -> Visits:
    """Makes a client; each call is a new run of a program."""
    return Visits(server, transport, tmp_path / "cache")


def refused(ask: Callable[[], Any], kind: Type[PklError], url: str) -> PklError:
    """The error of a question: of this very class, with the URL in its text and a hint."""
    with pytest.raises(PklError) as caught:
        ask()
    error = caught.value
    assert type(error) is kind
    assert url in error.message
    assert error.hint
    assert error.exit_status == (8 if kind is SignatureRefused else 6)
    return error


# What is right.


def test_the_index_and_a_page_are_read(site: Site, visit: Visits) -> None:
    client = visit()
    assert client.index().plugins["audit"].summary == "Writes who did what"
    page = client.page("Audit")
    assert page is not None
    assert [each.version for each in page.releases] == ["1.0.0"]
    assert page.distribution == "acme-audit"
    assert client.page("nothing") is None
    assert not client.revoked().entries
    assert client.signer is None
    assert client.remarks == []


def test_a_registry_is_asked_once_for_each_file(server: Server, site: Site, visit: Visits) -> None:
    client = visit()
    for _ in range(3):
        client.index(), client.page("audit"), client.page("audit"), client.revoked()
    assert server.paths == [INDEX, REVOKED, PAGE]


def test_what_has_not_changed_is_asked_for_by_its_etag_and_not_sent(
    server: Server, site: Site, visit: Visits
) -> None:
    visit().page("audit")
    server.asked.clear()
    assert visit().page("audit") is not None
    assert server.paths == [INDEX]
    assert "if-none-match" in server.asked[0].headers


def test_a_change_is_seen_and_noted(server: Server, site: Site, visit: Visits) -> None:
    visit().index()
    site.serial = 2
    site.add("audit", "2.0.0")
    server.files.update(site.served())
    page = visit().page("audit")
    assert page is not None
    assert page.releases[0].version == "2.0.0"
    assert [each.serial for each in visit.noted] == [1, 2]
    assert visit.known.contact == NOW


def test_a_contact_that_brings_nothing_new_is_noted_once_a_day(site: Site, visit: Visits) -> None:
    visit().index()
    visit.now += 60
    visit().index()
    assert len(visit.noted) == 1
    visit.now += DAY
    visit().index()
    assert [each.contact for each in visit.noted] == [NOW, NOW + 60 + DAY]


def test_what_cannot_be_noted_is_said_and_stops_nothing(
    server: Server, site: Site, transport: Transport, tmp_path: Path
) -> None:
    def fail(known: KnownRegistry) -> None:
        raise StateUnavailable("the disk is full")

    client = RegistryClient(
        KnownRegistry("main", server.url),
        note=fail,
        transport=transport,
        cache=Cache(server.url, str(tmp_path)),
        clock=lambda: NOW,
    )
    assert client.page("audit") is not None
    assert client.remarks == ["registry main: this contact was not noted: the disk is full"]


def test_a_registry_that_changes_while_it_is_read_is_read_again(
    server: Server, site: Site, visit: Visits
) -> None:
    client = visit()
    client.index()
    site.serial = 2
    site.add("audit", "2.0.0")
    server.files.update(site.served())
    page = client.page("audit")
    assert page is not None
    assert page.releases[0].version == "2.0.0"
    assert client.index().serial == 2


def test_a_directory_is_read_even_offline(site: Site, transport: Transport, tmp_path: Path) -> None:
    url = site.write(tmp_path / "there")
    client = RegistryClient(
        KnownRegistry("disk", url),
        offline=True,
        transport=transport,
        cache=Cache(url, str(tmp_path / "cache")),
        clock=lambda: NOW,
    )
    assert client.page("audit") is not None
    assert client.remarks == []


# Wheels.


def test_a_wheel_is_what_its_page_states(site: Site, visit: Visits) -> None:
    (release,) = visit().page("audit").releases  # type: ignore[union-attr]
    assert visit().wheel(release.files[0]) == site.wheels[release.files[0].file]


@pytest.mark.parametrize("content", [b"longer than it is said to be" * 9, b"short", b""])
def test_a_wheel_of_another_size_is_refused(
    server: Server, site: Site, visit: Visits, content: bytes
) -> None:
    wheel = site.pages["audit"].releases[0].files[0]
    server.files[f"/files/{wheel.file}"] = content
    refused(lambda: visit().wheel(wheel), RegistryGarbage, f"{server.url}/files/{wheel.file}")


def test_a_wheel_with_another_digest_is_refused_and_both_are_shown(
    server: Server, site: Site, visit: Visits
) -> None:
    wheel = site.pages["audit"].releases[0].files[0]
    other = b"x" * wheel.size
    server.files[f"/files/{wheel.file}"] = other
    error = refused(
        lambda: visit().wheel(wheel), RegistryGarbage, f"{server.url}/files/{wheel.file}"
    )
    assert wheel.sha256 in error.message
    assert hashlib.sha256(other).hexdigest() in error.message


def test_offline_there_is_no_wheel(server: Server, site: Site, visit: Visits) -> None:
    wheel = WheelFile("acme_audit-1.0.0-py3-none-any.whl", "0" * 64, 3, NOW)
    refused(
        lambda: visit(offline=True).wheel(wheel),
        RegistryUnreachable,
        f"{server.url}/files/{wheel.file}",
    )
    assert server.asked == []


# What is wrong with what comes.


def _damaged_indexes() -> List[Any]:
    good = json.loads(Site().files()["pkl/v1/index.json"])
    entry = {"summary": "", "latest": None, "sha256": "0" * 64}

    def text(**change: Any) -> bytes:
        return json.dumps({**good, **change}).encode("utf-8")

    return [
        pytest.param(b"", "JSON", id="empty"),
        pytest.param(b'{"schema": "pkl.index/1"', "JSON", id="truncated"),
        pytest.param(b"\xff\xfe{}", "UTF-8", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "nested too deep", id="deep"),
        pytest.param(
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep", id="deep objects"
        ),
        pytest.param(b"[]", "must be a JSON object", id="a list"),
        pytest.param(text(schema="pkl.index/2"), "upgrade pkl", id="later"),
        pytest.param(text(serial=-1), "serial", id="negative serial"),
        pytest.param(text(serial=True), "serial", id="no serial"),
        pytest.param(text(revoked="abc"), "revoked", id="no digest"),
        pytest.param(text(expires="tomorrow"), "expires", id="no moment"),
        pytest.param(text(plugins={"../../etc/passwd": entry}), "plugins", id="a path"),
        pytest.param(text(plugins={"/etc/passwd": entry}), "plugins", id="an absolute path"),
        pytest.param(text(plugins={"Audit": entry}), "plugins", id="not canonical"),
        pytest.param(text(plugins={"audit": 1}), "plugins.audit", id="no entry"),
    ]


@pytest.mark.parametrize(("data", "said"), _damaged_indexes())
def test_a_damaged_index_is_garbage(
    server: Server, site: Site, visit: Visits, data: bytes, said: str
) -> None:
    server.files[INDEX] = data
    error = refused(visit().index, RegistryGarbage, server.url)
    assert said in error.message
    assert visit.noted == []


def test_the_page_of_a_captive_portal_is_told_as_what_it_is(
    server: Server, site: Site, visit: Visits
) -> None:
    server.does(INDEX, answers(200, b"<!DOCTYPE html><title>Log in</title>"))
    error = refused(visit().index, RegistryGarbage, server.url)
    assert "a page of HTML, such as a network's login page" in error.message
    assert "log in to the network" in error.hint


def test_an_index_of_100_mb_is_not_read(server: Server, site: Site, visit: Visits) -> None:
    def boast(handler: Handler) -> None:
        handler.answer(200, b"", Content_Length=str(100 * 1024 * 1024))
        handler.hold()

    server.does(INDEX, boast)
    error = refused(visit().index, RegistryGarbage, server.url + INDEX)
    assert "too large" in error.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, RegistryDenied),
        (403, RegistryDenied),
        (404, RegistryAbsent),
        (429, RegistryUnreachable),
        (500, RegistryUnreachable),
        (503, RegistryUnreachable),
    ],
)
@pytest.mark.parametrize("path", [INDEX, REVOKED, PAGE])
def test_a_server_that_refuses_any_file_is_told_by_the_kind_of_refusal(
    server: Server, site: Site, visit: Visits, path: str, status: int, kind: Type[RegistryError]
) -> None:
    url = server.does(path, answers(status))
    refused(lambda: visit().page("audit"), kind, url)


def test_a_page_that_is_not_the_one_of_the_index_is_refused(
    server: Server, site: Site, visit: Visits
) -> None:
    server.files[PAGE] += b" "
    error = refused(lambda: visit().page("audit"), RegistryGarbage, server.url + PAGE)
    assert "SHA-256" in error.message


def test_a_list_of_revoked_versions_that_is_not_the_one_of_the_index_is_refused(
    server: Server, site: Site, visit: Visits
) -> None:
    server.files[REVOKED] += b" "
    client = visit()
    for _ in range(2):
        refused(client.index, RegistryGarbage, server.url + REVOKED)
    assert visit.noted == []


def _lying(change: Callable[[Any], None], latest: Optional[str] = None) -> Callable[[Site], None]:
    """A lie that the digests agree with: whoever runs the registry is the one who lies."""

    def apply(site: Site) -> None:
        files = site.files()
        page = json.loads(files[PAGE[1:]])
        change(page)
        data = json.dumps(page).encode("utf-8")
        index = json.loads(files[INDEX[1:]])
        index["plugins"]["audit"]["sha256"] = hashlib.sha256(data).hexdigest()
        if latest is not None:
            index["plugins"]["audit"]["latest"] = latest
        site.lies = {PAGE: data, INDEX: json.dumps(index).encode("utf-8")}

    return apply


def _row(page: Any) -> Any:
    return page["versions"]["1.0.0"]


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        pytest.param(_lying(lambda p: p.update(name="other")), "must be audit", id="name"),
        pytest.param(_lying(lambda p: None, latest="9.0"), "calls the latest", id="latest"),
        pytest.param(
            _lying(lambda p: p["versions"].update({"2.0.0": p["versions"].pop("1.0.0")}), "2.0.0"),
            "must be a wheel of acme-audit 2.0.0",
            id="version",
        ),
        pytest.param(
            _lying(lambda p: p.update(distribution="evil")), "must be a wheel of evil", id="dist"
        ),
        pytest.param(_lying(lambda p: _row(p).update(size=-1)), "size", id="size"),
        pytest.param(_lying(lambda p: _row(p).update(sha256="x")), "sha256", id="digest"),
        pytest.param(
            _lying(lambda p: _row(p).update(file="../../acme_audit-1.0.0-py3-none-any.whl")),
            "without a folder",
            id="file",
        ),
        pytest.param(
            _lying(lambda p: _row(p).update(requires=["a >> 1"])), "requires", id="requires"
        ),
    ],
)
def test_a_page_that_lies_is_refused_even_if_its_digest_holds(
    server: Server, site: Site, visit: Visits, lie: Callable[[Site], None], said: str
) -> None:
    lie(site)
    server.files.update(site.lies)
    error = refused(lambda: visit().page("audit"), RegistryGarbage, server.url + PAGE)
    assert said in error.message


def test_no_url_is_asked_that_could_not_have_been_added(
    transport: Transport, tmp_path: Path
) -> None:
    """The list of registries is a file that anything may have written into."""
    client = RegistryClient(
        KnownRegistry("main", "http://example.org"),
        transport=transport,
        cache=Cache("http://example.org", str(tmp_path)),
    )
    error = refused(client.index, RegistryUnreachable, "http://example.org")
    assert error.hint == "pkl registry remove main, and add it with another URL"


# Serial, expiry and clocks.


def test_an_older_index_is_refused_and_what_was_seen_is_kept(
    server: Server, site: Site, visit: Visits
) -> None:
    site.serial = 5
    server.files.update(site.served())
    visit().index()
    site.serial = 4
    server.files.update(site.served())
    error = refused(visit().index, RegistryRolledBack, server.url)
    assert "has serial 4, and 5 was seen" in error.message
    assert visit.known.serial == 5
    assert visit(offline=True).index().serial == 5


def test_another_index_of_the_same_serial_is_refused(
    server: Server, site: Site, visit: Visits
) -> None:
    visit().index()
    site.add("other")
    server.files.update(site.served())
    refused(visit().index, RegistryRolledBack, server.url)


def test_an_index_that_expired_is_refused(server: Server, site: Site, visit: Visits) -> None:
    visit.now = NOW + 31 * DAY
    error = refused(visit().index, RegistryExpired, server.url)
    assert "--offline" in error.hint


def test_a_clock_that_goes_back_revives_nothing(server: Server, site: Site, visit: Visits) -> None:
    site.expires = None
    server.files.update(site.served())
    visit.now = NOW + 31 * DAY
    visit().index()
    site.serial, site.expires = 2, NOW + 30 * DAY
    server.files.update(site.served())
    visit.now = NOW
    refused(visit().index, RegistryExpired, server.url)


# Offline.


def test_offline_the_copy_is_used_and_its_age_is_said(
    server: Server, site: Site, visit: Visits
) -> None:
    visit().page("audit")
    server.asked.clear()
    visit.now += 3 * 3600
    client = visit(offline=True)
    assert client.page("audit") is not None
    assert server.asked == []
    assert client.remarks == ["registry main: the copy of the last contact is used, 3 h ago"]


def test_offline_a_copy_that_expired_is_used_and_that_is_said(site: Site, visit: Visits) -> None:
    visit().page("audit")
    visit.now += 32 * DAY
    client = visit(offline=True)
    assert client.page("audit") is not None
    assert client.remarks == [
        "registry main: the copy of the last contact is used, 32 d ago; it expired 2 d ago"
    ]


def test_offline_a_copy_from_the_future_says_that_the_clock_went_back(
    site: Site, visit: Visits
) -> None:
    visit().index()
    visit.now -= 2 * DAY
    client = visit(offline=True)
    client.index()
    assert "2 d ahead of this machine's clock, which went back" in client.remarks[0]


def test_offline_with_no_copy_there_is_nothing(server: Server, site: Site, visit: Visits) -> None:
    error = refused(visit(offline=True).index, RegistryUnreachable, server.url + INDEX)
    assert error.hint == "run it once without --offline"
    visit().index()
    refused(lambda: visit(offline=True).page("audit"), RegistryUnreachable, server.url + PAGE)


def test_a_damaged_cache_is_fetched_again(
    server: Server, site: Site, visit: Visits, tmp_path: Path
) -> None:
    visit().page("audit")
    for file in (tmp_path / "cache").glob("*/*"):
        file.write_bytes(file.read_bytes()[:-3])
    server.asked.clear()
    assert visit().page("audit") is not None
    assert server.paths == [INDEX, REVOKED, PAGE]


# Signatures.


def test_an_index_that_a_pinned_key_signed_is_taken(
    server: Server, site: Site, visit: Visits
) -> None:
    site.key = fake_key("a")
    server.files.update(site.served())
    visit.known = visit.known._replace(keys=(str(site.key),))
    assert visit().signer == site.key
    server.asked.clear()
    assert visit().signer == site.key
    assert server.paths == [INDEX], "the copy of the signature serves for the copy of the index"
    assert visit(offline=True).signer == site.key


@pytest.mark.parametrize("signer", [None, "b"])
def test_an_index_that_no_pinned_key_signed_is_refused(
    server: Server, site: Site, visit: Visits, signer: Optional[str]
) -> None:
    site.key = fake_key(signer) if signer is not None else None
    server.files.update(site.served())
    visit.known = visit.known._replace(keys=(str(fake_key("a")),))
    refused(visit().index, SignatureRefused, server.url)
    assert visit.noted == []
    refused(visit(offline=True).index, RegistryUnreachable, server.url)


def test_a_signature_of_another_index_does_not_hold(
    server: Server, site: Site, visit: Visits
) -> None:
    site.key = fake_key("a")
    stale = site.files()[SIGNATURE[1:]]
    site.serial = 2
    server.files.update({**site.served(), SIGNATURE: stale})
    visit.known = visit.known._replace(keys=(str(site.key),))
    refused(visit().index, SignatureRefused, server.url)


def test_a_pinned_key_that_cannot_be_read_fails_closed(
    server: Server, site: Site, visit: Visits
) -> None:
    visit.known = visit.known._replace(keys=("ssh-ed25519 rubbish",))
    error = refused(visit().index, SignatureRefused, server.url)
    assert error.hint == f"pin it again: pkl registry add main {server.url} --key FILE.pub"
