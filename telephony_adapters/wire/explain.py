"""Say in words what a connection died of, and what to change."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Final

_REFUSED: Final = "nothing listens there: check the host and the port"
_TIMED_OUT: Final = "no answer in time: check the host, the port and the firewalls on the way"
_RESET: Final = "the peer broke the connection off"
_UNKNOWN_AUTHORITY: Final = (
    "the peer's certificate comes from an authority unknown here: name the authority's certificate as the file of "
    "trusted authorities"
)
_CERTIFICATE: Final = {
    **dict.fromkeys((2, 19, 20, 21, 27), _UNKNOWN_AUTHORITY),
    9: "the peer's certificate is not valid yet: check this machine's clock",
    10: "the peer's certificate has expired: the peer must renew it",
    18: "the peer's certificate is self-signed: name it as the file of trusted authorities, if you trust it",
    23: "the peer's certificate was revoked",
    24: "the authority of the peer's certificate may not issue certificates",
    26: "the peer's certificate is not meant for a server",
    62: "the peer's certificate bears another name: set the server name to one that it bears",
    64: "the peer's certificate does not bear the address: set the server name to a name that it bears",
}
"""By OpenSSL's X509_V_ERR numbers (RFC 5922 section 7 for the name)."""
_NOT_TLS: Final = "the port does not speak TLS: use the peer's TLS port (usually 5061), or the transport tcp"
_TOO_OLD: Final = "the peer offers no TLS 1.2 or newer"
_WANTS_OURS: Final = "the peer wants a certificate of ours: set the certificate and its key"
_REFUSES_OURS: Final = "the peer does not accept our certificate: check that it is the one that the peer expects"
_TLS: Final = {
    "WRONG_VERSION_NUMBER": _NOT_TLS,
    "HTTP_REQUEST": _NOT_TLS,
    "RECORD_LAYER_FAILURE": _NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": _NOT_TLS,
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _WANTS_OURS,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer showed no certificate, and one is demanded",
    "TLSV1_ALERT_UNKNOWN_CA": _REFUSES_OURS,
    "SSLV3_ALERT_BAD_CERTIFICATE": _REFUSES_OURS,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _REFUSES_OURS,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _REFUSES_OURS,
    "TLSV1_ALERT_ACCESS_DENIED": _REFUSES_OURS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer breaks off the TLS handshake: it may want a certificate of ours, or "
    "shares no cipher with us",
    "NO_SHARED_CIPHER": "the peer shares no cipher with us",
}
_SYSTEM: Final = {
    errno.EHOSTUNREACH: "the host does not answer",
    errno.ENETUNREACH: "there is no route to it: check this machine's network",
    errno.EADDRNOTAVAIL: "this machine has no address left to reach it from",
    errno.EINVAL: "the address that we listen on cannot reach it: listen on 0.0.0.0, or on this machine's own address",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.EPERM: "this machine's firewall forbids it",
    errno.EACCES: "this machine's firewall forbids it, or it is a broadcast address",
    errno.EMSGSIZE: "the message does not fit into a datagram: use the transport tcp or tls",
    errno.EPIPE: _RESET,
    errno.EAFNOSUPPORT: "this machine has no IPv6, or its sockets are of the other family",
}


def explain(error: BaseException) -> str:
    """Return one clause, without a full stop, for an error of a connection, a handshake or a name: no address in it."""
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(error.verify_code, f"the peer's certificate is refused: {error.verify_message}")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "the peer broke off the TLS handshake: it may not speak TLS there, or refuse us"
        case ssl.SSLError():
            reason = error.reason or ""
            return _TLS.get(reason, f"TLS failed: {reason.lower().replace('_', ' ') or 'unknown reason'}")
        case socket.gaierror():
            return _of_name(error)
        case _:
            return _of_system(error)


def _of_name(error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return "the name servers do not answer: check this machine's DNS"
    return "there is no such host name: check its spelling"


def _of_system(error: BaseException) -> str:
    match error:
        case ConnectionRefusedError():
            return _REFUSED
        case ConnectionAbortedError() if "handshake" in str(error):
            return "the TLS handshake took too long: the port may not speak TLS"
        case ConnectionResetError() | ConnectionAbortedError() | EOFError():
            return _RESET
        case TimeoutError():
            return _TIMED_OUT
        case OSError() if error.errno is not None:
            return _SYSTEM.get(error.errno, os.strerror(error.errno).lower())
        case _:
            return type(error).__name__
