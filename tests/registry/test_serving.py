"""Serving a registry: on this machine alone, nothing but the registry, and as pip reads it."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from pathlib import Path
from typing import Dict, Iterator, NamedTuple

import pytest

from pkl.errors import UsageError
from pkl.registry.serving import RegistryServer
from pkl.registry.simple import JSON_TYPE
from tests.registry.making import builder, wheel

PATIENCE = 60


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: Dict[str, str]
    body: bytes


class Client:
    """Asks a server; the path is sent as it is."""

    def __init__(self, server: RegistryServer) -> None:
        self.server = server
        self.port: int = server.server_address[1]

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            found = connection.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read())
        finally:
            connection.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A registry, and beside it what is nobody's business."""
    folder = tmp_path / "registry"
    wheel(tmp_path / "wheels", "acme-audit", "1.4.0", headers="Requires-Python: >=3.8\n")
    wheel(tmp_path / "wheels", "acme-audit", "1.5.0", headers="Requires-Python: >=99\n")
    builder(folder).build(str(tmp_path / "wheels"))
    (tmp_path / "secret").write_text("secret")
    (folder / "notes.txt").write_text("notes")
    (folder / "files" / "link").symlink_to(tmp_path / "secret")
    (folder / "files" / ".hidden").write_text("hidden")
    return folder


@pytest.fixture
def ask(root: Path) -> Iterator[Client]:
    """A client of a server that runs."""
    with RegistryServer(str(root)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Client(server)
        finally:
            server.shutdown()
            thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/pkl/v1/index.json", "application/json"),
        ("/pkl/v1/p/acme-audit.json", "application/json"),
        ("/simple/", "text/html; charset=utf-8"),
        ("/simple/acme-audit/", "text/html; charset=utf-8"),
        ("/simple/acme-audit/index.v1.json", JSON_TYPE),
        ("/files/acme_audit-1.4.0-py3-none-any.whl", "application/octet-stream"),
        ("/files/acme_audit-1.4.0-py3-none-any.whl.metadata", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_comes_whole_and_with_its_type(
    ask: Client, root: Path, path: str, kind: str
) -> None:
    found = ask(path)
    name = path.strip("/") if not path.endswith("/") else f"{path.strip('/')}/index.html"
    assert (found.status, found.headers["Content-Type"]) == (200, kind)
    assert found.body == (root / name).read_bytes()
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    head = ask(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(found.body))


def test_who_has_a_file_already_does_not_get_it_again(ask: Client, root: Path) -> None:
    first = ask("/pkl/v1/index.json")
    tag = first.headers["ETag"]
    assert ask("/pkl/v1/index.json", If_None_Match=tag)[::2] == (304, b"")
    assert ask("/pkl/v1/index.json", If_None_Match=f'"x", {tag}').status == 304
    assert ask("/pkl/v1/index.json", If_None_Match='"x"').status == 200
    (root / "pkl" / "v1" / "index.json").write_bytes(first.body + b" ")
    assert ask("/pkl/v1/index.json", If_None_Match=tag).body == first.body + b" "


def test_a_client_that_asks_for_json_gets_it(ask: Client) -> None:
    found = ask("/simple/acme-audit/", Accept=f"{JSON_TYPE}, text/html;q=0.1")
    assert found.headers["Content-Type"] == JSON_TYPE
    assert found.body.startswith(b'{"files":[')


def test_a_folder_without_its_slash_is_sent_on(ask: Client) -> None:
    found = ask("/simple/acme-audit")
    assert (found.status, found.headers["Location"]) == (301, "/simple/acme-audit/")
    assert ask("//simple/acme-audit").headers["Location"] == "/simple/acme-audit/"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/notes.txt",
        "/.pkl-build.json",
        "/files/.hidden",
        "/files/../notes.txt",
        "/files/../../secret",
        "/files/%2e%2e/%2e%2e/secret",
        "/files/..%2f..%2fsecret",
        "/files/..\\..\\secret",
        "/files/link",
        "/files/",
        "/files",
        "/pkl/",
        "/files/nothing.whl",
        "/files/%00",
        "/files/%ff",
        "/files/C:/x",
        "/simple/nothing/",
        "//etc/passwd",
    ],
)
def test_nothing_but_the_registry_is_served(ask: Client, path: str) -> None:
    found = ask(path)
    assert (found.status, found.body) == (404, b"Not Found\n")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
def test_a_request_to_another_host_is_refused(ask: Client, host: str) -> None:
    """The page of another site that made its own name lead here must not read it."""
    assert ask("/pkl/v1/index.json", Host=host).status == 421
    assert ask("/pkl/v1/index.json", Host=f"localhost:{ask.port}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(ask: Client, method: str) -> None:
    assert ask("/pkl/v1/index.json", method).status == 501


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "plugins.example"])
def test_it_listens_on_no_other_address(root: Path, host: str) -> None:
    with pytest.raises(UsageError, match="for this machine alone"):
        RegistryServer(str(root), host)


def test_pip_installs_the_version_that_fits_this_python(ask: Client, tmp_path: Path) -> None:
    """With a hash, from METADATA beside the wheel, and past the version for other Pythons."""
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check"]
    command += ["install", "--quiet", "--no-cache-dir", "--no-deps", "--no-compile"]
    command += ["--only-binary", ":all:", "--target", str(target)]
    command += ["--index-url", f"{ask.server.url}/simple", "acme-audit"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
    assert (target / "acme_audit-1.4.0.dist-info" / "METADATA").is_file()
