"""Fetching over TLS, where there is an ``openssl`` to make a certificate with."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from pkl.errors import RegistryUnreachable
from pkl.registry.transport import Transport
from tests.registry.client.server import Server, running

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make keys with")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for ``localhost``, signed by itself."""
    directory = tmp_path_factory.mktemp("tls")
    key, certificate, both = (directory / name for name in ("key", "certificate", "both"))
    subprocess.run(
        [
            *(str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


@pytest.fixture
def secure(pair: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that speaks TLS; its certificate is not trusted yet."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    with running(context) as told:
        yield told


def test_a_trusted_server_is_asked(
    secure: Server, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    secure.files["/a"] = b"secret" * 10_000
    assert Transport().get(secure.url + "/a", limit=60_000).data == b"secret" * 10_000


def test_a_server_that_cannot_prove_who_it_is_is_not_asked(secure: Server) -> None:
    with pytest.raises(RegistryUnreachable, match="certificate") as caught:
        Transport().get(secure.url + "/a", limit=10)
    assert secure.url in caught.value.message
    assert secure.asked == []


def test_a_certificate_for_another_name_does_not_hold(
    secure: Server, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    with pytest.raises(RegistryUnreachable, match="certificate"):
        Transport().get(secure.url.replace("localhost", "127.0.0.1") + "/a", limit=10)
    assert secure.asked == []
