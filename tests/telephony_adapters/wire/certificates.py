"""Throw-away certificates: of authorities that live as long as the process, or self-signed."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

NAME = "sip.trunk.test"


class Files(NamedTuple):
    """PEM files of one certificate."""

    certificate: Path
    key: Path


@functools.cache
def authority(name: str = "ours") -> trustme.CA:
    """Return one authority for each name."""
    return trustme.CA(organization_name=name)


def save_authority(folder: Path, name: str = "ours") -> Path:
    """Write an authority's certificate."""
    path = folder / f"{name}-authority.pem"
    authority(name).cert_pem.write_to_path(path)
    return path


def issue(folder: Path, *names: str, by: str = "ours", expired: bool = False) -> Files:
    """Write a certificate for these names (127.0.0.1 and NAME when none is given) and its key."""
    names = names or (NAME, "127.0.0.1")
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    leaf = authority(by).issue_cert(*names, not_before=past, not_after=past + dt.timedelta(days=1)) if expired \
        else authority(by).issue_cert(*names)  # fmt: skip
    stem = f"{by}-{names[0]}-{'old' if expired else 'new'}"
    files = Files(folder / f"{stem}.pem", folder / f"{stem}.key")
    files.certificate.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(files.key)
    return files


def self_signed(folder: Path, name: str, *alternative: str) -> Files:
    """Write a certificate of this common name and these alternative names, signed with its own key, and that key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1)
    )
    if alternative:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in alternative]), critical=False
        )
    files = Files(folder / f"self-{len(alternative)}.pem", folder / f"self-{len(alternative)}.key")
    files.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def lock(key: Path, password: str) -> Path:
    """Write a copy of a key that only the password opens."""
    locked = key.with_suffix(".locked")
    plain = load_pem_private_key(key.read_bytes(), None)
    encryption = BestAvailableEncryption(password.encode())
    locked.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return locked
