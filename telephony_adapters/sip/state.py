"""What a user agent holds, and the few things that all its parts do with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from telephony_adapters.sip.events import SipEvent
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.ids import Ids
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Message
from telephony_adapters.sip.outgoing import Outgoing
from telephony_adapters.sip.timers import Timers
from telephony_adapters.sip.transact import Transactions
from telephony_adapters.sip.uri import UriError, parse_name_addr, parse_uri

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"
SDP: Final = "application/sdp"
_SEEN: Final = 1024
"""Addresses that were read lately: a carrier has few."""
_BOUNDARY: Final = re.compile(r';\s*boundary="?([^";\s]+)', re.IGNORECASE)


class UaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a user agent speaks. `sent_by` is what Via and Contact bear, by transport: (host, port)."""

    key: bytes
    """The secret behind tags and branches, at most 64 bytes; keep it over restarts (architecture.md section 3)."""
    sent_by: Mapping[str, tuple[str, int]]
    contact_user: str = "dialer"
    user_agent: str = "predictive-dialer"
    takes_invites: bool = False
    """False: every INVITE outside a dialog is refused without keeping any state."""
    takes: frozenset[str] = frozenset({"OPTIONS"})
    """Methods outside dialogs that the owner answers (Requested)."""
    answers: frozenset[str] = frozenset()
    """Methods outside dialogs that are answered here, by 200 and what we can do, without keeping any state."""
    reliable_provisionals: bool = True
    """Supported: 100rel (RFC 3262)."""
    session_expires_s: int = 0
    """Ask for session timers (RFC 4028); 0 = do not."""
    min_se_s: int = 90
    refreshes: bool = True
    """Whether we refresh sessions when the peer leaves it to us."""
    max_servers: int = 20_000
    """Server transactions kept at once; above it new requests get 503 without state."""


class UaState:
    """The state of one user agent; its parts are functions over it."""

    def __init__(self, config: UaConfig) -> None:
        self.config = config
        self.ids = Ids(config.key)
        self.timers = Timers()
        self.sends: list[Send] = []
        self.events: list[SipEvent] = []
        self.counters: Counter[str] = Counter()
        self.transactions = Transactions(self.timers, self.sends)
        self.legs: dict[tuple[str, str], Leg] = {}
        self.hung_up: set[tuple[str, str, str]] = set()
        """Calls that nobody wanted and that were ended lately: (Call-ID, our tag, the peer's tag)."""
        self.refresh: Callable[[Leg, float], None] = _unset
        """Refreshes a session; set by the agent, which knows how."""
        self._contacts: dict[tuple[str, str], str] = {}
        self._vias: dict[str, str] = {}
        supported = [*(["100rel"] if config.reliable_provisionals else []), "timer"]
        self.supported = ", ".join(supported)
        self.supports = frozenset(supported)

    def contact(self, flow: Flow, user: str = "") -> str:
        """Return our Contact toward a flow."""
        user = user or self.config.contact_user
        key = (flow.transport, user)
        found = self._contacts.get(key)
        if found is None:
            transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
            found = self._contacts[key] = f"<sip:{user}@{self._sent_by(flow.transport)}{transport}>"
        return found

    def via(self, flow: Flow, branch: str) -> str:
        """Return the Via of a request of ours."""
        head = self._vias.get(flow.transport)
        if head is None:
            head = f"SIP/2.0/{flow.transport.upper()} {self._sent_by(flow.transport)};rport;branch="
            self._vias[flow.transport] = head
        return head + branch

    def _sent_by(self, transport: str) -> str:
        host, port = self.config.sent_by.get(transport) or next(iter(self.config.sent_by.values()))
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def request(
        self, leg: Leg, method: str, *, cseq: int, headers: Sequence[Header] = (), body: bytes = b""
    ) -> Outgoing:
        """Build a request within a leg's dialog (section 12.2.1.1)."""
        uri, routes = leg.target, leg.routes
        if routes and ";lr" not in routes[0].lower():  # a strict router of RFC 2543
            first = parse_name_addr(routes[0]).uri
            uri, routes = first, [*routes[1:], f"<{uri}>"]
        branch = self.ids.branch(f"{leg.call_id}/{leg.local_tag}/{leg.remote_tag}", cseq, method)
        return Outgoing(
            method, uri, via=self.via(leg.flow, branch), branch=branch, routes=routes, from_=leg.local, to=leg.remote,
            call_id=leg.call_id, cseq=cseq, headers=headers, body=body,
        )  # fmt: skip

    def forget(self, leg: Leg) -> None:
        """Let go of a leg whose call is over."""
        leg.state = LegState.ENDED
        timers = self.timers
        for timer in (*leg.ack_wait, *leg.prack_waits, leg.retry, leg.session):
            timers.cancel(timer)
        leg.ack_wait, leg.prack_waits, leg.retry, leg.session = [], [], None, None
        leg.accepted, leg.held = None, []
        if self.legs.get(leg.key) is leg:
            del self.legs[leg.key]


def _unset(_leg: Leg, _now: float) -> None:
    raise AssertionError("the agent sets it")


def sdp_of(message: Message) -> bytes | None:
    """Return a message's session description, None when it has none."""
    body = message.body
    if not body:
        return None
    kind = (message.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind == SDP:
        return body
    return _part(body, message.get("Content-Type") or "") if kind.startswith("multipart/") else None


def _part(body: bytes, kind: str) -> bytes | None:
    """Return the session description among the parts of a multipart body (RFC 5621 section 5)."""
    found = _BOUNDARY.search(kind)
    if found is None:
        return None
    for part in body.split(b"--" + found.group(1).encode("utf-8", "surrogateescape")):
        head, _, content = part.partition(b"\r\n\r\n")
        if SDP.encode() in head.lower():
            return content.removesuffix(b"\r\n")
    return None


def next_flow(flow: Flow, target: str, routes: Sequence[str]) -> Flow:
    """Return where the next request of a dialog goes: the first route, else the peer's Contact (section 12.2.1.1).

    A connection is kept while the peer is reached by it. A name cannot be looked up here: it leaves the flow as it was.
    """
    return flow if flow.is_reliable else addressed(flow, target, routes)


def addressed(flow: Flow, target: str, routes: Sequence[str]) -> Flow:
    """Return the flow that the first route, else the peer's Contact names; the old one where that is no number."""
    return _addressed(flow, routes[0] if routes else f"<{target}>")


@lru_cache(maxsize=_SEEN)
def _addressed(flow: Flow, address: str) -> Flow:
    try:
        uri = parse_uri(_uri_of(address))
    except UriError:
        return flow
    if not _is_numeric(uri.host):
        return flow
    if flow.transport == "tls":
        return Flow("tls", uri.host, uri.port or 5061, flow.server_name)
    transport = uri.params.get("transport", flow.transport).lower()
    if uri.scheme == "sips" or transport not in {"udp", "tcp"}:
        return flow
    return Flow(transport, uri.host, uri.port or 5060, flow.server_name)


def _is_numeric(host: str) -> bool:
    return ":" in host or (host[-1:].isdigit() and host.replace(".", "").isdigit())


def recorded(message: Message) -> list[str]:
    """Return the Record-Route values of a message, in order, without those that nobody can read."""
    return [value for value in message.all("Record-Route") if _is_address(value)]


def _is_address(value: str) -> bool:
    try:
        parse_name_addr(value)
    except UriError:
        return False
    return True


def peer_address(message: Message, header: str) -> str:
    """Return the URI of the first Contact of a message, empty when there is none that can be used."""
    values = message.all(header)
    try:
        return _uri_of(values[0]) if values else ""
    except UriError:
        return ""


@lru_cache(maxsize=_SEEN)
def _uri_of(address: str) -> str:
    return parse_name_addr(address).uri
