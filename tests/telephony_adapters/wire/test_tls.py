"""TLS contexts: files that cannot be used are named, and handshakes of the real OpenSSL end as they should."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.wire.explain import explain
from telephony_adapters.wire.tls import client_context, server_context
from tests.telephony_adapters.wire.certificates import NAME, Files, authority, issue, lock, self_signed

pytestmark = pytest.mark.component("openssl")

GREETING = "hello, whoever you are"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Files:
    return issue(folder)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Greet one client, on a thread and without an event loop: asyncio's servers refuse without a TLS alert."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(10)
        served = asyncio.get_running_loop().run_in_executor(pool, greet, listener, context)
        yield listener.getsockname()[1]
        await served


def greet(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    accepted, _address = listener.accept()
    accepted.settimeout(10)
    with accepted, contextlib.suppress(OSError):
        if context is None:
            accepted.sendall(GREETING.encode())
            accepted.recv(1000)
            return
        with context.wrap_socket(accepted, server_side=True) as secured:
            secured.sendall(GREETING.encode())
            secured.recv(1000)


async def verdict(server: ssl.SSLContext | None, client: ssl.SSLContext, name: str = NAME) -> str:
    """Return what a client of that name's reads, or the error in words."""
    async with serving(server) as port:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        except OSError as error:
            return explain(error)
        try:
            return (await reader.readexactly(len(GREETING))).decode()
        except (OSError, EOFError) as error:
            return explain(error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_a_peer_of_a_known_authority_is_welcome_by_name_and_by_address(folder: Path, ours: Files) -> None:
    client = client_context(authorities=authority(folder))
    assert await verdict(server_context(*ours), client) == GREETING
    assert await verdict(server_context(*ours), client, "127.0.0.1") == GREETING


async def test_verification_is_the_default_and_its_absence_is_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = server_context(*issue(folder, NAME))
    assert await verdict(server, client_context()) == (
        "the peer's certificate comes from an authority unknown here: name the authority's certificate as the file of "
        "trusted authorities"
    )
    with caplog.at_level(logging.WARNING):
        careless = client_context(verify=False)
    ours = [record for record in caplog.records if record.name == "telephony_adapters.wire.tls"]
    assert [record.__dict__["action"] for record in ours] == ["tls.unverified"]
    assert await verdict(server, careless) == GREETING


@pytest.mark.parametrize(("name", "by", "days", "words"), [
    ("other.trunk.test", "ours", 2, "the peer's certificate bears another name: set the server name to"),
    (NAME, "ours", -1, "the peer's certificate has expired: the peer must renew it"),
    (NAME, "strangers", 2, "the peer's certificate comes from an authority unknown here"),
])  # fmt: skip
async def test_a_wrong_certificate_is_refused_in_words(folder: Path, name: str, by: str, days: int, words: str) -> None:
    files = issue(folder, name, by=by, days=days)
    found = await verdict(server_context(*files), client_context(authorities=authority(folder)))
    assert found.startswith(words)


async def test_an_address_that_the_certificate_does_not_bear_is_refused(folder: Path) -> None:
    server = server_context(*issue(folder, NAME))
    found = await verdict(server, client_context(authorities=authority(folder)), "127.0.0.1")
    assert found.startswith("the peer's certificate does not bear the address: set the server name")


async def test_a_self_signed_certificate_is_refused_until_it_is_trusted(folder: Path) -> None:
    files = self_signed(folder, NAME, NAME)
    server = server_context(*files)
    found = await verdict(server, client_context(authorities=authority(folder)))
    assert found.startswith("the peer's certificate is self-signed")
    assert await verdict(server, client_context(authorities=files.certificate)) == GREETING


async def test_a_common_name_alone_is_no_name(folder: Path) -> None:
    files = self_signed(folder, NAME)
    found = await verdict(server_context(*files), client_context(authorities=files.certificate))
    assert found.startswith("the peer's certificate bears another name")


async def test_a_port_without_tls_is_told(folder: Path) -> None:
    found = await verdict(None, client_context(authorities=authority(folder)))
    assert found == "the port does not speak TLS: use the peer's TLS port (usually 5061), or the transport tcp"


async def test_mutual_tls_wants_a_certificate_of_the_right_authority(folder: Path, ours: Files) -> None:
    server = server_context(*ours, client_authorities=authority(folder, "carrier"))
    authorities = authority(folder)
    mine, strange = issue(folder, "dialer.test", by="carrier"), issue(folder, "dialer.test", by="strangers")
    assert await verdict(server, client_context(authorities=authorities, certificate=mine[0], key=mine[1])) == GREETING
    assert await verdict(server, client_context(authorities=authorities)) == (
        "the peer wants a certificate of ours: set the certificate and its key"
    )
    refused = client_context(authorities=authorities, certificate=strange[0], key=strange[1])
    assert (await verdict(server, refused)).startswith("the peer does not accept our certificate")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_old_tls_is_refused_on_both_sides(folder: Path, ours: Files) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.load_cert_chain(*ours)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    found = await verdict(old, client_context(authorities=authority(folder)))
    assert found == "the peer offers no TLS 1.2 or newer"
    assert server_context(*ours).minimum_version == ssl.TLSVersion.TLSv1_2


def test_an_encrypted_key_opens_with_its_password_only(folder: Path, ours: Files) -> None:
    locked = lock(ours.key, "right")
    server_context(ours.certificate, locked, password="right")
    with pytest.raises(BadInput, match=r"the key .*\.locked is encrypted: give its password"):
        server_context(ours.certificate, locked)
    with pytest.raises(BadInput, match=r"the password does not open the key .*\.locked"):
        server_context(ours.certificate, locked, password="wrong")


def test_files_that_cannot_be_used_are_named(folder: Path, ours: Files) -> None:
    other, text, absent = issue(folder, "other.test"), folder / "text.pem", folder / "absent.pem"
    text.write_text("no PEM\n")
    with pytest.raises(BadInput, match=r"absent\.pem cannot be read \(no such file or directory\): check the path"):
        server_context(absent, ours.key)
    with pytest.raises(BadInput, match=r"absent\.pem cannot be read"):
        client_context(certificate=ours.certificate, key=absent)
    with pytest.raises(BadInput, match=r"absent\.pem cannot be read"):
        client_context(authorities=absent)
    with pytest.raises(BadInput, match=r"the key .* does not belong to the certificate .*: take the key that it was"):
        server_context(ours.certificate, other.key)
    with pytest.raises(BadInput, match=r"text\.pem with the key .* cannot be used .* must be PEM files"):
        server_context(text, ours.key)
    with pytest.raises(BadInput, match=r"text\.pem holds no certificate of an authority"):
        client_context(authorities=text)
    with pytest.raises(BadInput, match=r"text\.pem holds no certificate of an authority"):
        server_context(*ours, client_authorities=text)


def test_certificate_and_key_may_share_a_file(folder: Path, ours: Files) -> None:
    both = folder / "both.pem"
    both.write_bytes(ours.certificate.read_bytes() + ours.key.read_bytes())
    server_context(both)
