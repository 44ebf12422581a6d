"""A user agent with live calls, its application and its peer, into which anything can be thrown; time is virtual."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.events import Accepted, Incoming, Offered, Renegotiated, Requested
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.parse import MAX_REPEATED

PEER: Final = Flow("udp", "192.0.2.10", 5060)
STRANGER: Final = Flow("udp", "198.51.100.7", 40_000)
CONNECTION: Final = Flow("tcp", "192.0.2.10", 5060)
SDP: Final = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
_CONTACT: Final = "Contact: <sip:peer@192.0.2.10:5060>"
_OFFER: Final = "Content-Type: application/sdp"
_CHALLENGE: Final = 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'
_OWN_HEADERS: Final = 1_500
"""Octets that an answer may have beside what it repeats of its request."""
_KEPT: Final = 25
"""Calls that are kept from one round to the next."""
_REQUESTS: Final = 4
"""Requests that one response may lead to: the ACK and BYE of a call that nobody wants, a PRACK, a repetition."""


class Bounds(NamedTuple):
    """How much was kept at once."""

    legs: int
    transactions: int
    timers: int
    """Timers, INVITEs whose second way would be a loop, and forks that were hung up."""

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.legs:,} calls, {self.transactions:,} transactions, {self.timers:,} timers"


NONE: Final = Bounds(0, 0, 0)


class Amplified(AssertionError):
    """The agent said more than it may to what it heard."""


class Dialog(NamedTuple):
    """A call as the peer sees it: how it addresses the agent."""

    call_id: str
    local: str
    remote: str

    def request(self, method: str, cseq: int, *lines: str, body: bytes = b"", branch: str = "") -> bytes:
        """Write a request of the peer."""
        branch = branch or f"z9hG4bK{method}{cseq}{self.call_id}"
        text = "\r\n".join(
            [
                f"{method} sip:dialer@192.0.2.99:5060 SIP/2.0", f"Via: SIP/2.0/UDP 192.0.2.10:5060;branch={branch}",
                "Max-Forwards: 70", f"From: {self.local}", f"To: {self.remote}", f"Call-ID: {self.call_id}",
                f"CSeq: {cseq} {method}", _CONTACT, *lines, f"Content-Length: {len(body)}", "", "",
            ]
        )  # fmt: skip
        return text.encode() + body


def reply(request: bytes, status: int, *lines: str, tag: str = "peer", body: bytes = b"") -> bytes:
    """Write the peer's response to a request of the agent."""
    head = request.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape").split("\r\n")
    same = [line for line in head if line.startswith(("Via: ", "From: ", "Call-ID: ", "CSeq: "))]
    to = next(line for line in head if line.startswith("To: "))
    if tag and ";tag=" not in to:
        to += f";tag={tag}"
    text = "\r\n".join([f"SIP/2.0 {status} x", *same, to, _CONTACT, *lines, f"Content-Length: {len(body)}", "", ""])
    return text.encode("utf-8", "surrogateescape") + body


def header(data: bytes, name: str) -> str:
    """Return the value of a header as the agent writes it."""
    start = data.index(f"\r\n{name}: ".encode()) + len(name) + 4
    return data[start : data.index(b"\r\n", start)].decode("utf-8", "surrogateescape")


class World:
    """One user agent. `random` gives 0 to 1; the same numbers make the same world."""

    def __init__(self, random: Callable[[], float], *, takes_invites: bool = True, step_s: float = 0.005) -> None:
        self.now = 1_000.0
        self.ua = UserAgent(
            UaConfig(
                key=b"fuzz", sent_by=dict.fromkeys(("udp", "tcp"), ("192.0.2.99", 5060)), session_expires_s=1800,
                takes_invites=takes_invites, takes=frozenset({"OPTIONS", "REGISTER", "MESSAGE"}),
            )
        )  # fmt: skip
        self.templates: list[bytes] = []
        """What the peer could rightly say now."""
        self._random = random
        self._step_s = step_s
        self._round = 0
        self._held: deque[Leg] = deque()

    # --- what the fuzzer does -----------------------------------------------------------------------------------------

    def feed(self, data: bytes, flow: Flow) -> str:
        """Hand over one datagram and let time go on; return what came of it. Raises whatever goes wrong."""
        ua = self.ua
        self.now += self._step_s
        ua.receive(data, flow, self.now)
        sends = ua.take_sends()
        if sends:
            self._check(data, sends)
        events = ua.take_events()
        for event in events:
            self._apply(event)
        if (due := ua.next_timer()) is not None and due <= self.now:
            ua.handle_timer(self.now)
            self.ua.take_sends()
        return "answered" if sends else "told" if events else "silent"

    def renew(self) -> None:
        """Hang up what has been there for long, let something happen, and begin a call of each kind."""
        self._round += 1
        while len(self._held) > _KEPT:
            self._hang_up(self._held.popleft())
        chance = self._random()
        if chance < 0.05:  # noqa: PLR2004 -- sessions are refreshed, or given up
            self._leap(self._random() * 200)
        elif chance < 0.1:  # noqa: PLR2004
            self.ua.flow_lost(PEER if chance < 0.06 else CONNECTION, "reset", self.now)  # noqa: PLR2004
        self.ua.take_sends()
        self.templates = [
            *self._outgoing(), *self._answered(sdp=SDP), *self._answered(sdp=None), *self._asked(),
            *self._incoming(), *self._taken(), *self._outside(),
        ]  # fmt: skip
        self.ua.take_sends()
        self.ua.take_events()

    def bounds(self) -> Bounds:
        """Say how much is kept."""
        state = self.ua._state  # noqa: SLF001 -- nothing outside shows what is kept
        return Bounds(
            self.ua.legs, self.ua.transactions, len(state.timers) + len(state.transactions.merging) + len(state.hung_up)
        )

    def drain(self) -> Bounds:
        """Hang up everything and let all timers run out; return what is still kept: nothing, if all is well."""
        while self._held:
            self._hang_up(self._held.popleft())
        for leg in list(self.ua._state.legs.values()):  # noqa: SLF001 -- those that a re-INVITE keeps back, too
            self._hang_up(leg)
        self._leap(float("inf"))
        return self.bounds()

    def _leap(self, seconds: float) -> None:
        """Let time go on, timer by timer; for ever, until none is armed."""
        until = self.now + seconds
        while (due := self.ua.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.ua.handle_timer(self.now)
            for event in self.ua.take_events():
                self._apply(event)
            self.ua.take_sends()
        self.now = until if seconds < float("inf") else self.now

    # --- what must hold -----------------------------------------------------------------------------------------------

    def _check(self, data: bytes, sends: list[Send]) -> None:
        """Hold what is said against what was heard: one response per request, none to responses and ACKs."""
        heard = data
        while heard[:2] == b"\r\n":
            heard = heard[2:]
        is_request = heard[:4].upper() != b"SIP/" and not heard.startswith(b"ACK ")
        responses = [send.data for send in sends if send.data.startswith(b"SIP/2.0 ")]
        if responses and not is_request:
            raise Amplified(f"{len(responses)} responses to what must not be answered")
        if len({(header(each, "Via"), header(each, "CSeq")) for each in responses}) != len(responses):
            raise Amplified("two responses to one request")
        if len(responses) > 2 or len(sends) - len(responses) > _REQUESTS:  # noqa: PLR2004 -- CANCEL, BYE: the INVITE's too
            raise Amplified(f"{len(sends)} messages sent for one")
        if any(len(each) > max(len(data), MAX_REPEATED) + _OWN_HEADERS for each in responses):
            raise Amplified("a response is far larger than its request, and than what a repetition may bring")

    # --- the application ----------------------------------------------------------------------------------------------

    def _apply(self, event: object) -> None:
        """Do what an application does, any of it."""
        ua, now, chance = self.ua, self.now, self._random()
        match event:
            case Requested(transaction=transaction):
                if chance > 0.1:  # noqa: PLR2004 -- some applications never answer
                    ua.respond(transaction, 200 if chance > 0.5 else 405, now)  # noqa: PLR2004
            case Incoming(leg=leg):
                self._held.append(leg)
                self._take(leg, chance)
            case Offered(leg=leg):
                if chance > 0.5:  # noqa: PLR2004
                    ua.accept(leg, now, sdp=SDP)
                elif chance > 0.2:  # noqa: PLR2004 -- some never decide
                    ua.refuse(leg, 488, now)
            case Accepted(leg=leg, needs_answer=True) | Renegotiated(leg=leg, needs_answer=True):
                ua.answer(leg, SDP)
            case _:
                return
        self.ua.take_sends()

    def _take(self, leg: Leg, chance: float) -> None:
        ua, now = self.ua, self.now
        if chance < 0.2:  # noqa: PLR2004
            ua.refuse(leg, 486, now)
        elif chance < 0.4:  # noqa: PLR2004
            ua.accept(leg, now, sdp=SDP)
            if chance < 0.22:  # noqa: PLR2004 -- as a forking proxy would
                self._held.append(ua.fork(leg, now, sdp=SDP))
        elif chance < 0.6:  # noqa: PLR2004
            ua.provisional(leg, 183, now, sdp=SDP, reliable=chance < 0.5)  # noqa: PLR2004
        elif chance < 0.7:  # noqa: PLR2004
            ua.forget(leg, now)

    def _hang_up(self, leg: Leg) -> None:
        if leg.state is LegState.CONFIRMED:
            self.ua.bye(leg, self.now)
        elif leg.is_caller:
            self.ua.cancel(leg, self.now)
        else:
            self.ua.refuse(leg, 480, self.now)

    # --- the peer -----------------------------------------------------------------------------------------------------

    def _invite(self, name: str, sdp: bytes | None) -> tuple[Leg, bytes]:
        leg = self.ua.invite(
            self.now, flow=PEER, uri="sip:peer@192.0.2.10", call_id=f"{name}{self._round}", from_="<sip:a@192.0.2.99>",
            to="<sip:peer@192.0.2.10>", sdp=sdp, auth=DigestSession([Credentials("u", "p")]),
        )  # fmt: skip
        self._held.append(leg)
        return leg, self.ua.take_sends()[-1].data

    def _outgoing(self) -> list[bytes]:
        """Place a call that nobody answered yet, or cancel one; return what its callee could say."""
        leg, invite = self._invite("out", SDP)
        reliable = ("Require: 100rel", "RSeq: 7")
        trying = reply(invite, 100, tag="")
        if self._random() < 0.3:  # noqa: PLR2004
            self.ua.receive(trying, PEER, self.now)
            self.ua.cancel(leg, self.now, "SIP;cause=200")
        return [
            trying, reply(invite, 487), reply(invite, 180), reply(invite, 183, *reliable, _OFFER, body=SDP),
            reply(invite, 200, _OFFER, "Allow: UPDATE", "Session-Expires: 90;refresher=uas", body=SDP),
            reply(invite, 200, _OFFER, tag="fork", body=SDP), reply(invite, 302), reply(invite, 422, "Min-SE: 3600"),
            reply(invite, 486), reply(invite, 401, f"WWW-Authenticate: {_CHALLENGE}"),
            reply(invite, 407, f"Proxy-Authenticate: {_CHALLENGE}"), reply(invite, 503, "Retry-After: 5"),
        ]  # fmt: skip

    def _answered(self, *, sdp: bytes | None) -> list[bytes]:
        """Place a call that is answered, and perhaps a re-INVITE in it; return what the peer could say."""
        leg, invite = self._invite("up" if sdp else "late", sdp)
        routes = "Record-Route: <sip:192.0.2.10;lr>, <sip:192.0.2.11;lr>"
        session = (
            ("Allow: UPDATE", "Session-Expires: 90;refresher=uac") if sdp else ("Session-Expires: 90;refresher=uas",)
        )
        accepted = reply(invite, 200, _OFFER, routes, *session, body=SDP)
        self.ua.receive(accepted, PEER, self.now)
        for event in self.ua.take_events():
            self._apply(event)
        changed = []
        if self._random() < 0.7:  # noqa: PLR2004
            self.ua.take_sends()
            self.ua.reinvite(leg, self.now, sdp)
            asked = self.ua.take_sends()[-1].data
            changed = [reply(asked, 100), reply(asked, 491), reply(asked, 200, _OFFER, body=SDP)]
        dialog = Dialog(leg.call_id, f"{header(invite, 'To')};tag=peer", header(invite, "From"))
        return [
            accepted, reply(invite, 200, _OFFER, tag="fork", body=SDP), *changed, *self._inside(dialog),
        ]  # fmt: skip

    @staticmethod
    def _inside(dialog: Dialog) -> list[bytes]:
        """Return what a peer could ask within a dialog."""
        return [
            dialog.request("BYE", 30), dialog.request("INVITE", 20, _OFFER, body=SDP), dialog.request("INVITE", 21),
            dialog.request("UPDATE", 22, "Session-Expires: 90", "Supported: timer"), dialog.request("OPTIONS", 24),
            dialog.request("UPDATE", 23, _OFFER, body=SDP), dialog.request("PRACK", 26, "RAck: 1 1 INVITE"),
            dialog.request("INFO", 25, "Content-Type: text/plain", body=b"x"), dialog.request("NEW", 28),
            dialog.request("ACK", 20, branch="z9hG4bKack"), dialog.request("REFER", 27, "Refer-To: <sip:x@y>"),
            dialog.request("CANCEL", 20, branch=f"z9hG4bKINVITE20{dialog.call_id}"),
        ]  # fmt: skip

    def _asked(self) -> list[bytes]:
        """Ask whether the peer lives; return what it could say."""
        self.ua.ask(
            self.now, flow=PEER, method="OPTIONS", uri="sip:192.0.2.10", from_="<sip:a@192.0.2.99>",
            to="<sip:192.0.2.10>", call_id=f"ask{self._round}", cseq=1, token=None,
            auth=DigestSession([Credentials("u", "p")]),
        )  # fmt: skip
        options = self.ua.take_sends()[-1].data
        return [
            reply(options, 200), reply(options, 100, tag=""), reply(options, 503),
            reply(options, 401, f"WWW-Authenticate: {_CHALLENGE}"),
        ]  # fmt: skip

    def _incoming(self) -> list[bytes]:
        """Let a call come in that waits; return what its caller could say."""
        dialog = Dialog(f"in{self._round}", "<sip:peer@192.0.2.10>;tag=p", "<sip:dialer@192.0.2.99>")
        invite = dialog.request("INVITE", 1, "Supported: 100rel, timer", _OFFER, body=SDP)
        self.ua.receive(invite, PEER, self.now)
        branch = f"z9hG4bKINVITE1in{self._round}"
        for event in self.ua.take_events():
            if isinstance(event, Incoming):
                self._held.append(event.leg)
                self.ua.provisional(event.leg, 183, self.now, reliable=True)
        said = self.ua.take_sends()[-1].data
        cancel, ack = (dialog.request(method, 1, branch=branch) for method in ("CANCEL", "ACK"))
        if b"\r\nRSeq: " not in said:
            return [invite, cancel, ack]
        inside = dialog._replace(remote=header(said, "To"))
        return [invite, cancel, ack, inside.request("PRACK", 2, f"RAck: {header(said, 'RSeq')} 1 INVITE")]

    def _taken(self) -> list[bytes]:
        """Let a call come in that is answered; return what its caller could say."""
        dialog = Dialog(f"taken{self._round}", "<sip:peer@192.0.2.10>;tag=p", "<sip:dialer@192.0.2.99>")
        invite = dialog.request("INVITE", 1, "Supported: timer", _OFFER, body=SDP)
        self.ua.receive(invite, PEER, self.now)
        for event in self.ua.take_events():
            if isinstance(event, Incoming):
                self._held.append(event.leg)
                self.ua.accept(event.leg, self.now, sdp=SDP)
        sends = self.ua.take_sends()
        inside = dialog._replace(remote=header(sends[-1].data, "To"))
        return [invite, inside.request("ACK", 1), *self._inside(inside)]

    def _outside(self) -> list[bytes]:
        """Return what strangers could ask."""
        stranger = Dialog(f"str{self._round}", "<sip:x@198.51.100.7>;tag=s", "<sip:dialer@192.0.2.99>")
        asked = [
            stranger.request(method, 1)
            for method in ("OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE", "BYE", "ACK", "CANCEL")
        ]
        return [*asked, stranger.request("INVITE", 2, _OFFER, body=SDP), stranger.request("INVITE", 3, "Require: x")]
