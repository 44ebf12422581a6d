"""Throw-away certificates by OpenSSL: of several authorities, for any name, expired, self-signed, under a password."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final, NamedTuple

NAME = "sip.trunk.test"
_NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Files(NamedTuple):
    """PEM files of one certificate."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str = "ours") -> Path:
    """Return the certificate of an authority, made at the first call for this folder."""
    files = Files(folder / f"{name}.pem", folder / f"{name}.key")
    if not files.certificate.exists():
        _make(files, name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
    return files.certificate


def issue(folder: Path, *names: str, by: str = "ours", days: int = 2) -> Files:
    """Make a certificate for these names, NAME and 127.0.0.1 when none is given; -1 days: it has expired."""
    certificate = authority(folder, by)
    files = _files(folder, f"{by}-{'-'.join(names)}{days}")
    bears = ",".join(f"DNS:{name}" for name in names) or f"DNS:{NAME},IP:127.0.0.1"
    request = files.certificate.with_suffix(".csr")
    _openssl("req", *_NEW_KEY, "-subj", "/CN=Test", "-addext", f"subjectAltName={bears}", "-keyout", files.key,
             "-out", request)  # fmt: skip
    _openssl("x509", "-req", "-in", request, "-CA", certificate, "-CAkey", certificate.with_suffix(".key"),
             "-days", str(days), "-copy_extensions", "copyall", "-out", files.certificate)  # fmt: skip
    return files


def self_signed(folder: Path, name: str, *bears: str) -> Files:
    """Make a certificate of this common name and these alternative names, signed with its own key."""
    files = _files(folder, f"self-{len(bears)}")
    alternative = ",".join(f"DNS:{each}" for each in bears)
    _make(files, name, *([f"subjectAltName={alternative}"] if bears else []))
    return files


def lock(key: Path, password: str) -> Path:
    """Make a copy of a key that only the password opens."""
    locked = key.with_suffix(".locked")
    _openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", f"pass:{password}")
    return locked


def _files(folder: Path, stem: str) -> Files:
    return Files(folder / f"{stem}.cert", folder / f"{stem}.key")


def _make(files: Files, name: str, *extensions: str) -> None:
    added = [part for each in extensions for part in ("-addext", each)]
    _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}", *added, "-keyout", files.key,
             "-out", files.certificate)  # fmt: skip


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
