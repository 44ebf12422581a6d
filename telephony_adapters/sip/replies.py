"""What goes back to who asked: the headers that responses repeat, where they go, their bytes (sections 8.2.6, 18.2)."""

from __future__ import annotations

from collections.abc import Sequence

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.state import UaState
from telephony_adapters.sip.transact import ServerTransaction
from telephony_adapters.sip.write import phrase


def respond(
    state: UaState, transaction: ServerTransaction, status: int, now: float, *, reason: str | None = None,
    headers: Sequence[Header] = (), body: bytes = b"",
) -> None:  # fmt: skip
    """Send a response of a transaction."""
    data = response_bytes(transaction.head, transaction.to, status, reason=reason, headers=headers, body=body)
    state.transactions.respond(transaction, status, data, now)


def response_bytes(
    head: str, to: str, status: int, *, reason: str | None = None, headers: Sequence[Header] = (), body: bytes = b""
) -> bytes:
    """Return a response's bytes; `head` holds the headers that it repeats from the request (section 8.2.6.2)."""
    more = "".join([f"{name}: {value}\r\n" for name, value in headers]) if headers else ""
    text = f"SIP/2.0 {status} {reason or phrase(status)}\r\n{head}To: {to}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape") + body


def reply_flow(request: Request, flow: Flow) -> Flow:
    """Return where responses go (section 18.2.2, RFC 3581): the connection, or the sender's address and Via's port.

    `maddr` is not followed: it would let a stranger choose whom we send to.
    """
    via = request.via
    if flow.is_reliable or "rport" in via.params or via.port == flow.port:
        return flow
    return Flow(flow.transport, flow.host, via.port or 5060)


def reply_head(request: Request, flow: Flow) -> str:
    """Return the headers that every response repeats, but To (sections 8.2.6.2 and 18.2.1)."""
    vias = ""
    sender = ""
    for name, value in request.headers:
        if name == "Via":
            vias += f"Via: {value if vias else _stamped(value, request, flow)}\r\n"
        elif name == "From":
            sender = value
    return f"{vias}From: {sender}\r\nCall-ID: {request.call_id}\r\nCSeq: {request.cseq} {request.method}\r\n"


def _stamped(value: str, request: Request, flow: Flow) -> str:
    """Note in the topmost Via where the request really came from."""
    via = request.via
    has_port = "rport" in via.params
    if via.host == flow.host and not has_port:
        return value
    top, comma, rest = value.partition(",") if "," in value and '"' not in value else (value, "", "")
    if has_port and not via.params["rport"]:
        top = top.replace(";rport", f";rport={flow.port}", 1)
    return f"{top};received={flow.host}{comma}{rest}"
