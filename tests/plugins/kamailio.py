"""Kamailio for tests: a stateful proxy and registrar between a dialer and a carrier, over UDP, TCP and TLS."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.plugins.certificates import Certificates
from tests.plugins.components import Absent, Found, register
from tests.plugins.processes import HOST, Program, filled, free_port, probed

CONFIG: Final = Path(__file__).parents[1] / "servers" / "sip" / "kamailio.cfg"
REALM: Final = "carrier.test"


class Kamailio:
    """One proxy: where it listens, and the password that it may ask for; any user's name goes with that."""

    def __init__(self, proxy: Program, port: int, tls_port: int, password: str) -> None:
        self._program = proxy
        self._tls_address = f"{HOST}:{tls_port}"
        self.port, self.tls_port = port, tls_port
        self.address = f"{HOST}:{port}"
        """For UDP and TCP; `tls_port` is for TLS."""
        self.realm, self.password = REALM, password

    def uri(self, user: str, transport: str = "udp") -> str:
        """Return the SIP address of somebody behind it, by `udp`, `tcp` or `tls`."""
        place = self._tls_address if transport == "tls" else self.address
        return f"sip:{user}@{place}" + ("" if transport == "udp" else f";transport={transport}")

    def log(self) -> str:
        """Return what it has said so far."""
        return self._program.log()

    def stop(self) -> None:
        """End it; a second call does nothing."""
        self._program.stop()


class Kamailios:
    """Starts proxies, and ends them with the test."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self._folder = folder
        self._certificates = certificates.folder
        self._proxies: list[Kamailio] = []

    def start(
        self, *, upstream: str = "", algorithm: str = "", nonce_expire_s: int = 300, mutual: bool = False
    ) -> Kamailio:
        """Start a proxy that passes what is for no phone of its own on to `upstream` (host:port, with URI parameters).

        By `algorithm` (MD5 or SHA-256) it challenges who calls or registers; `mutual` TLS wants a client's certificate.
        """
        folder = Path(tempfile.mkdtemp(prefix="kamailio-", dir=self._folder))
        port, tls_port, password = free_port(), free_port(), secrets.token_hex(8)
        config = filled(
            CONFIG, port=port, tls_port=tls_port, upstream=upstream, certificates=self._certificates,
            mutual=int(mutual), realm=REALM, password=password, nonce_expire_s=nonce_expire_s,
            algorithm=algorithm.removeprefix("MD5"),
        )  # fmt: skip
        (folder / "kamailio.cfg").write_text(config)
        command: list[str | Path] = ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "8"]
        command += ["-w", folder, "-Y", folder, "-P", folder / "kamailio.pid"]
        command += [*(["-A", "UPSTREAM"] if upstream else []), *(["-A", "CHALLENGE"] if algorithm else [])]
        server = Program(command, folder)
        proxy = Kamailio(server, port, tls_port, password)
        self._proxies.append(proxy)
        server.ready(lambda: _answers(port, socket.SOCK_DGRAM) and _answers(port, socket.SOCK_STREAM))
        return proxy

    def stop(self) -> None:
        """End all of them."""
        for proxy in self._proxies:
            proxy.stop()


def _answers(port: int, kind: socket.SocketKind) -> bool:
    """Ask for its options: its ports are open before it is up, and a SIGTERM that comes between is lost."""
    via = f"Via: SIP/2.0/{'UDP' if kind is socket.SOCK_DGRAM else 'TCP'} {HOST}:5060;rport;branch=z9hG4bK{port}"
    ends = (f"From: <sip:test@{HOST}>;tag=1", f"To: <sip:{HOST}>", "Call-ID: up", "CSeq: 1 OPTIONS")
    lines = (f"OPTIONS sip:{HOST}:{port} SIP/2.0", via, "Max-Forwards: 70", *ends, "Content-Length: 0", "", "")
    with contextlib.suppress(OSError), socket.socket(type=kind) as connection:
        connection.settimeout(0.05)
        connection.connect((HOST, port))
        connection.sendall("\r\n".join(lines).encode())
        return connection.recv(4096).startswith(b"SIP/2.0 200 ")
    return False


def _probe() -> Found | Absent:
    packages = "kamailio and kamailio-tls-modules"
    found = probed("kamailio", packages, "-v")
    if isinstance(found, Found) and not any(Path("/usr/lib").glob("*/kamailio/modules/tls.so")):
        return Absent(f"kamailio has no TLS: install {packages}")
    return found


register("kamailio", _probe, fixtures=["kamailio"])


@pytest.fixture
def kamailio(certificates: Certificates) -> Iterator[Kamailios]:
    """Give what starts proxies for the test."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-kamailio-"))
    every = Kamailios(folder, certificates)
    yield every
    every.stop()
    shutil.rmtree(folder, ignore_errors=True)
