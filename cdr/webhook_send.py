"""Post one body to one receiver: within a deadline, to allowed addresses only, reading little of the answer."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC
from http import HTTPStatus
from typing import Final, TypeAlias

import httpx

from cdr.webhook_policy import Failure
from dialer.core.callback import Target, address_refusal, bracketed, target_of

BODY_MAX: Final = 64 * 1024
"""Of an answer so much is read, so that its connection can be used again; nothing of it is kept."""
DEADLINE_S: Final = 15.0
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to IP addresses."""
CONNECT_S: Final = 5.0
BODY_S: Final = 2.0
"""How long the rest of an answer may take once its status is known."""
_ADDRESSES_MAX: Final = 3
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "predictive-dialer/1"}
_TLS_FAILED: Final = "the TLS certificate cannot be trusted: "


class Sender:
    """The connections to receivers. A name is resolved for each try, and the connection goes to the very address seen.

    So a name that turns to an inner address (DNS rebinding) gains nothing. No proxy, no redirect, no cookie is used.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        tls: ssl.SSLContext | None = None,
        deadline_s: float = DEADLINE_S,
        resolve: Resolve | None = None,
    ) -> None:
        self._private = private
        self._tls = tls or make_tls()
        self._deadline_s = deadline_s
        self._resolve = resolve or resolve_name
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str], *, now: float) -> Failure | None:
        """Post; return None when the receiver said 2xx, else what went wrong. `now` reads a Retry-After date."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._send(target_of(url), body, headers, now)
        except TimeoutError:
            return Failure(f"no answer within {self._deadline_s:g} s")
        except httpx.HTTPError as error:
            return Failure(_told(error))
        except (socket.gaierror, UnicodeError):
            return Failure("the receiver's name cannot be resolved")
        except Exception as error:  # noqa: BLE001 -- whatever a receiver provokes holds back nobody but itself
            return Failure(f"the post failed: {type(error).__name__}")

    async def _send(self, target: Target, body: bytes, headers: Mapping[str, str], now: float) -> Failure | None:
        found = await self._resolve(target.host, target.port)
        for address in found:
            refused = address_refusal(address, secure=target.scheme == "https", private=self._private)
            if refused is not None:
                return Failure(f"not posted: {refused}")
        addresses = found[:_ADDRESSES_MAX]
        for address in addresses[:-1]:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._post(target, address, body, headers, now)
        return await self._post(target, addresses[-1], body, headers, now)

    async def _post(
        self, target: Target, address: str, body: bytes, headers: Mapping[str, str], now: float
    ) -> Failure | None:
        client = self._client(target.host)
        stream = client.stream(
            "POST",
            f"{target.scheme}://{bracketed(address)}:{target.port}{target.path}",
            content=body,
            headers={"Host": target.authority, **_HEADERS, **headers},
            extensions={"sni_hostname": target.host},
        )
        async with stream as answer:
            await _read_a_little(answer)
            client.cookies.clear()
            return _judged(answer, now)

    def _client(self, host: str) -> httpx.AsyncClient:
        """Return the connections whose certificate was checked for this very name: addresses may be shared."""
        if host not in self._clients:
            self._clients[host] = httpx.AsyncClient(
                verify=self._tls,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(self._deadline_s, connect=CONNECT_S),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=30.0),
            )
        return self._clients[host]


def make_tls() -> ssl.SSLContext:
    """Return what certificates are checked against: the usual authorities, or those of SSL_CERT_FILE."""
    return httpx.create_ssl_context()


async def resolve_name(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _read_a_little(answer: httpx.Response) -> None:
    """Read the body as far as it is short; the status has been said, so nothing in it changes the verdict."""
    read = 0
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(BODY_S):
            async for part in answer.aiter_raw():
                read += len(part)
                if read >= BODY_MAX:
                    return


def _judged(answer: httpx.Response, now: float) -> Failure | None:
    if answer.is_success:
        return None
    code = answer.status_code
    name = HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else ""
    said = f"the receiver answered {code} {name}".rstrip()
    if answer.is_redirect or answer.is_informational:
        return Failure(f"{said}; redirects are not followed")
    return Failure(said, _retry_after_s(answer.headers.get("Retry-After"), now), final=code == HTTPStatus.GONE)


def _retry_after_s(text: str | None, now: float) -> float | None:
    """Read Retry-After: seconds or a date (RFC 9110 10.2.3); what is neither does not count."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text[:12])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now)


def _told(error: httpx.HTTPError) -> str:
    """Say what went wrong in the connection, without the URL: its path may hold a secret."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {CONNECT_S:g} s"
        case httpx.TimeoutException():
            return "the receiver took too long"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return _TLS_FAILED + str(error).partition("CERTIFICATE_VERIFY_FAILED]")[2].strip(" ")
        case httpx.ConnectError():
            return "the receiver cannot be reached: no connection"
        case httpx.RemoteProtocolError():
            return "the receiver closed the connection before it answered"
        case _:
            return f"the connection failed: {type(error).__name__}"
