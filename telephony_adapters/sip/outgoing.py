"""A request of ours: what it was built from, so that its ACK, its CANCEL and its repetition with a password follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telephony_adapters.sip.message import Header

MAX_FORWARDS: Final = 70


class Outgoing:
    """One request. `routes` are whole Route values in order; `headers` follow the ones that every request has."""

    __slots__ = ("body", "branch", "call_id", "cseq", "from_", "headers", "method", "routes", "to", "uri", "via")

    def __init__(  # noqa: PLR0913 -- a request has as many sides
        self,
        method: str,
        uri: str,
        *,
        via: str,
        branch: str,
        routes: Sequence[str],
        from_: str,
        to: str,
        call_id: str,
        cseq: int,
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:
        self.method = method
        self.uri = uri
        self.via = via
        self.branch = branch
        self.routes = routes
        self.from_ = from_
        self.to = to
        self.call_id = call_id
        self.cseq = cseq
        self.headers = headers
        self.body = body

    def data(self) -> bytes:
        """Return the request's bytes."""
        return self._write(self.method, self.to, self.headers, self.body)

    def ack(self, to: str) -> bytes:
        """Return the ACK of a failure: the INVITE's branch and routes, the response's To (section 17.1.1.3)."""
        proofs = [header for header in self.headers if header[0] in {"Authorization", "Proxy-Authorization"}]
        return self._write("ACK", to, proofs, b"")

    def cancel(self, headers: Sequence[Header] = ()) -> Outgoing:
        """Return the CANCEL: everything that tells the INVITE apart, nothing else (section 9.1)."""
        return Outgoing(
            "CANCEL", self.uri, via=self.via, branch=self.branch, routes=self.routes, from_=self.from_, to=self.to,
            call_id=self.call_id, cseq=self.cseq, headers=headers,
        )  # fmt: skip

    def _write(self, method: str, to: str, headers: Sequence[Header], body: bytes) -> bytes:
        routes = "".join([f"Route: {route}\r\n" for route in self.routes]) if self.routes else ""
        more = "".join([f"{name}: {value}\r\n" for name, value in headers]) if headers else ""
        head = (
            f"{method} {self.uri} SIP/2.0\r\nVia: {self.via}\r\n{routes}Max-Forwards: {MAX_FORWARDS}\r\n"
            f"From: {self.from_}\r\nTo: {to}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.cseq} {method}\r\n"
            f"{more}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("utf-8", "surrogateescape") + body
