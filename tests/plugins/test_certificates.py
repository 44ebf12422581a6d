from __future__ import annotations

import socket
import ssl
import threading

import pytest

from tests.plugins.certificates import Certificates


def test_the_authority_vouches_for_both_sides_and_the_names_fit(certificates: Certificates) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(*certificates.pair("server"))
    client = ssl.create_default_context(cafile=certificates.ca)
    client.load_cert_chain(*certificates.pair("client"))
    for name in ("127.0.0.1", "localhost"):
        assert "'Test client'" in repr(talk(server, client, name))


def test_nobody_else_vouches_for_them(certificates: Certificates) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificates.pair("server"))
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        talk(server, ssl.create_default_context(), "127.0.0.1")


def talk(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> object:
    """Shake hands; return the certificate that the server saw."""
    seen: list[object] = []
    here, there = socket.socketpair()

    def accept() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as accepted:
                accepted.recv(1)
                seen.append(accepted.getpeercert())
        except ssl.SSLError:
            there.close()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        with here, client.wrap_socket(here, server_hostname=name) as connection:
            connection.send(b"x")
    finally:
        thread.join()
    return seen.pop()
