"""Certificates for tests: an authority that nobody knows, and those that it signs for 127.0.0.1."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.plugins.components import register
from tests.plugins.processes import probed

_REQUEST: Final = (
    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
)  # fmt: skip


class Certificates(NamedTuple):
    """PEM files in one folder: `ca.pem`, and what it signed, `server.pem` and `client.pem`, with their `.key`s."""

    folder: Path

    @property
    def ca(self) -> Path:
        """Return the authority's certificate."""
        return self.folder / "ca.pem"

    def pair(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of `server` or `client`, both for 127.0.0.1 and localhost."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def make_certificates(folder: Path) -> Certificates:
    """Make them with OpenSSL; valid for two days, readable for every user of this machine."""
    _request(folder, "ca", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
    for name in ("server", "client"):
        signed = ("basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        _request(folder, name, *signed, by="ca")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return Certificates(folder)


def _request(folder: Path, name: str, *extensions: str, by: str = "") -> None:
    command = [*_REQUEST, "-subj", f"/CN=Test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
    command += ["-CA", f"{by}.pem", "-CAkey", f"{by}.key"] if by else []
    for extension in extensions:
        command += ["-addext", extension]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


register("openssl", lambda: probed("openssl", "openssl", "version"), fixtures=["certificates"])


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """Give the run's certificates."""
    with tempfile.TemporaryDirectory(prefix="dialer-certificates-") as name:
        yield make_certificates(Path(name))
