"""Errors in words: system and name errors here, those of real handshakes in `test_tls`."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from telephony_adapters.wire.explain import explain


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


def certificate_error(code: int, words: str = "odd") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, words
    return error


@pytest.mark.parametrize(("error", "words"), [
    (ConnectionRefusedError(111, "x"), "nothing listens there: check the host and the port"),
    (TimeoutError(), "no answer in time: check the host, the port and the firewalls on the way"),
    (OSError(errno.ETIMEDOUT, "x"), "no answer in time: check the host, the port and the firewalls on the way"),
    (ConnectionResetError(104, "x"), "the peer broke the connection off"),
    (BrokenPipeError(errno.EPIPE, "x"), "the peer broke the connection off"),
    (ConnectionAbortedError("SSL handshake is taking longer than 5 seconds: aborting the connection"),
     "the TLS handshake took too long: the port may not speak TLS"),
    (OSError(errno.EHOSTUNREACH, "x"), "the host does not answer"),
    (OSError(errno.ENETUNREACH, "x"), "there is no route to it: check this machine's network"),
    (OSError(errno.ENOSPC, "x"), "no space left on device"),
    (OSError("odd"), "OSError"),
    (ValueError("0900000001"), "ValueError"),
    (socket.gaierror(socket.EAI_NONAME, "x"), "there is no such host name: check its spelling"),
    (socket.gaierror(socket.EAI_AGAIN, "x"), "the name servers do not answer: check this machine's DNS"),
    (ssl_error("WRONG_VERSION_NUMBER"),
     "the port does not speak TLS: use the peer's TLS port (usually 5061), or the transport tcp"),
    (ssl_error("SOMETHING_NEW"), "TLS failed: something new"),
    (ssl_error(""), "TLS failed: unknown reason"),
    (certificate_error(23), "the peer's certificate was revoked"),
    (certificate_error(99), "the peer's certificate is refused: odd"),
])  # fmt: skip
def test_errors_say_what_to_change(error: BaseException, words: str) -> None:
    assert explain(error) == words
