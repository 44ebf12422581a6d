"""Make TLS contexts for SIP: TLS 1.2 or newer, the peer verified unless told otherwise, mutual where wanted.

A client checks the name by OpenSSL's host name check (RFC 5922 section 7 in its usual practice: DNS names and addresses
of the subject's alternative names; the common name does not count; a wildcard does).
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from dialer.errors import BadInput

log = logging.getLogger(__name__)


class _NoPassword(Exception):
    """The key is encrypted, and no password was given."""


def client_context(
    *,
    authorities: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """Return what outgoing connections use; raise BadInput that names the file to mend.

    `authorities` (PEM) replaces the system's; `certificate` (PEM, with its chain) and `key` are ours, for a peer that
    demands one; `key` None: it stands in the certificate's file. `verify` False is for a laboratory only.
    """
    context = ssl.create_default_context() if authorities is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authorities is not None:
        _load_authorities(context, authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    if not verify:
        log.warning(
            "TLS peers are not verified: anyone on the way can listen and answer", extra={"action": "tls.unverified"}
        )
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load(context, certificate, key, password)
    return context


def server_context(
    certificate: Path, key: Path | None = None, *, password: str | None = None, client_authorities: Path | None = None
) -> ssl.SSLContext:
    """Return what a listener uses; raise BadInput that names the file to mend.

    With `client_authorities` (PEM) a client must show a certificate of one of them: mutual TLS.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if client_authorities is not None:
        _load_authorities(context, client_authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    _load(context, certificate, key, password)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None, password: str | None) -> None:
    key = key or certificate
    for path in (certificate, key):
        _check_readable(path)
    try:
        context.load_cert_chain(certificate, key, password=_asked if password is None else password)
    except _NoPassword:
        raise BadInput(f"the key {key} is encrypted: give its password, or store the key without one") from None
    except ssl.SSLError as error:
        raise BadInput(_told(error, certificate, key, given=password is not None)) from None


def _told(error: ssl.SSLError, certificate: Path, key: Path, *, given: bool) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {key} does not belong to the certificate {certificate}: take the key that it was made with"
    if given and b"ENCRYPTED" in key.read_bytes():
        return f"the password does not open the key {key}"
    if error.reason in {"EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"}:
        return f"the certificate {certificate} is too weak ({error.reason}): renew it with a key of today's size"
    return (
        f"{certificate} with the key {key} cannot be used ({error.reason or 'not PEM'}): "
        "both must be PEM files, the certificate first, its chain behind it"
    )


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    _check_readable(path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise BadInput(f"{path} holds no certificate of an authority: it must be a PEM file") from None


def _check_readable(path: Path) -> None:
    """OpenSSL does not say which file it cannot open."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({(error.strerror or 'error').lower()}): check the path") from None


def _asked() -> str:
    """OpenSSL would ask on the terminal."""
    raise _NoPassword
