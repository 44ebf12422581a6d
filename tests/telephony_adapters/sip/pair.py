"""A virtual clock, hand-written peers, and a network in memory between two user agents."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.events import SipEvent
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Header, Request, Response
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.state import UaState
from telephony_adapters.sip.write import write_request, write_response

HERE: Final = ("192.0.2.1", 5060)
THERE: Final = ("192.0.2.10", 5060)
PEER: Final = Flow("udp", *THERE)
STREAM: Final = Flow("tcp", *THERE)
SDP: Final = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
OTHER_SDP: Final = SDP.replace(b"4000", b"4002")
IS_SDP: Final = ("Content-Type", "application/sdp")
START: Final = 1000.0

T = TypeVar("T")


class Sent(NamedTuple):
    """What an agent sent; `at` in seconds since the start."""

    at: float
    flow: Flow
    message: Any
    """A Request or a Response."""
    data: bytes


def config(place: tuple[str, int] = HERE, **changes: Any) -> UaConfig:
    values: dict[str, Any] = {"key": place[0].encode(), "sent_by": dict.fromkeys(("udp", "tcp", "tls"), place)}
    return UaConfig(**values | {"takes_invites": True} | changes)


def left_over(ua: UserAgent) -> list[int]:
    """Count everything that a user agent keeps for a call."""
    state: UaState = ua._state
    transactions = state.transactions
    return [
        len(state.legs), len(transactions.clients), len(transactions.servers), len(transactions.merging),
        len(state.hung_up), len(state.timers), len(state.sends), len(state.events),
    ]  # fmt: skip


class Solo:
    """One user agent whose peers are the test."""

    def __init__(self, *, flow: Flow = PEER, **changes: Any) -> None:
        self.now = START
        self.flow = flow
        self.ua = UserAgent(config(**changes))
        self.sent: list[Sent] = []
        self.events: list[SipEvent] = []

    def do(self, command: Callable[[UserAgent, float], T]) -> T:
        """Give a command."""
        result = command(self.ua, self.now)
        self._collect()
        return result

    def hear(self, data: bytes, flow: Flow | None = None) -> list[Sent]:
        """Hand over a message; return what is said to it at once."""
        before = len(self.sent)
        self.ua.receive(data, flow or self.flow, self.now)
        self._collect()
        return self.sent[before:]

    def lose(self, flow: Flow | None = None) -> None:
        self.ua.flow_lost(flow or self.flow, "reset", self.now)
        self._collect()

    def wait(self, seconds: float) -> None:
        """Let time go on, timer by timer."""
        until = round(self.now + seconds, 6)
        while (due := self.ua.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.ua.handle_timer(self.now)
            following = self.ua.next_timer()
            assert following is None or following > self.now
            self._collect()
        self.now = until

    def _collect(self) -> None:
        for flow, data in self.ua.take_sends():
            self.sent.append(Sent(round(self.now - START, 6), flow, parse_message(data), data))
        self.events += self.ua.take_events()

    # --- what was seen --------------------------------------------------------------------------------------------

    def requests(self, method: str) -> list[Request]:
        return [sent.message for sent in self.of(method) if isinstance(sent.message, Request)]

    def of(self, method: str) -> list[Sent]:
        return [sent for sent in self.sent if isinstance(sent.message, Request) and sent.message.method == method]

    def moments(self, method: str) -> list[float]:
        return [sent.at for sent in self.of(method)]

    def responses(self, status: int) -> list[Sent]:
        return [sent for sent in self.sent if isinstance(sent.message, Response) and sent.message.status == status]

    @property
    def last(self) -> Request:
        message = self.sent[-1].message
        assert isinstance(message, Request)
        return message

    @property
    def said(self) -> Response:
        message = self.sent[-1].message
        assert isinstance(message, Response)
        return message

    def take(self, kind: type[T]) -> T:
        """Return the one event of a kind, and forget it."""
        found = [event for event in self.events if isinstance(event, kind)]
        assert len(found) == 1, self.events
        self.events = [event for event in self.events if not isinstance(event, kind)]
        return found[0]

    def is_spent(self, seconds: float = 200.0) -> bool:
        """Tell whether nothing is left after so long, and no event that nobody took."""
        self.wait(seconds)
        assert self.events == []
        return left_over(self.ua) == [0] * 8

    # --- calls ----------------------------------------------------------------------------------------------------

    def invite(self, *, sdp: bytes | None = SDP, call_id: str = "call", **more: Any) -> Leg:
        values: dict[str, Any] = {
            "flow": self.flow, "uri": "sip:0900000123@192.0.2.10", "from_": "<sip:0900000001@192.0.2.1>",
            "to": "<sip:0900000123@192.0.2.10>",
        }  # fmt: skip
        return self.do(lambda ua, now: ua.invite(now, call_id=call_id, sdp=sdp, **values | more))

    def cancel(self, leg: Leg, reason: str | None = None) -> None:
        self.do(lambda ua, now: ua.cancel(leg, now, reason))

    def bye(self, leg: Leg, reason: str | None = None) -> None:
        self.do(lambda ua, now: ua.bye(leg, now, reason))

    def reinvite(self, leg: Leg, sdp: bytes | None) -> None:
        self.do(lambda ua, now: ua.reinvite(leg, now, sdp))

    def provisional(self, leg: Leg, status: int, **more: Any) -> None:
        self.do(lambda ua, now: ua.provisional(leg, status, now, **more))

    def accept(self, leg: Leg, **more: Any) -> None:
        self.do(lambda ua, now: ua.accept(leg, now, **more))

    def refuse(self, leg: Leg, status: int, **more: Any) -> None:
        self.do(lambda ua, now: ua.refuse(leg, status, now, **more))

    def forget(self, leg: Leg) -> None:
        self.do(lambda ua, now: ua.forget(leg, now))

    def calls(self, **more: Any) -> Leg:
        """Place a call that is answered."""
        leg = self.invite(**more)
        self.hear(reply(self.last, 200, body=SDP))
        self.events.clear()
        return leg

    def hang_up(self, leg: Leg) -> None:
        """End a call by a BYE that is answered."""
        self.bye(leg)
        self.hear(reply(self.last, 200))
        self.events.clear()


def reply(
    request: Request, status: int, *, tag: str = "peer", headers: Sequence[Header] = (), body: bytes = b"",
    contact: str = "<sip:peer@192.0.2.10:5060>",
) -> bytes:  # fmt: skip
    """Write a peer's response to a request of an agent."""
    same = [header for header in request.headers if header[0] in {"Via", "From", "Call-ID", "CSeq"}]
    to = request.get("To") or ""
    if ";tag=" not in to and status > 100:
        to += f";tag={tag}"
    shown = [*same, ("To", to), *([("Contact", contact)] if contact else []), *headers]
    if body and all(name != "Content-Type" for name, _ in headers):
        shown.append(IS_SDP)
    return write_response(status, "x", shown, body)


class Caller:
    """A hand-written caller: writes what it says to an agent."""

    def __init__(self, solo: Solo, call_id: str = "call", tag: str = "caller") -> None:
        self.solo = solo
        self.call_id = call_id
        self.tag = tag
        self.to = "<sip:dialer@192.0.2.1>"
        self.cseq = 0
        self.branch = 0

    def write(
        self, method: str, *, cseq: int | None = None, branch: str | None = None, uri: str = "sip:dialer@192.0.2.1",
        headers: Sequence[Header] = (), body: bytes = b"", to: str | None = None, via: str = "192.0.2.10:5060",
        contact: str = "<sip:caller@192.0.2.10:5060>", tag: str | None = None,
    ) -> bytes:  # fmt: skip
        """Write a request; its CSeq is the next one unless it is given."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        if branch is None:
            self.branch += 1
            branch = f"z9hG4bK{self.call_id}{self.tag}{self.branch}"
        shown: list[Header] = [
            ("Via", f"SIP/2.0/{self.solo.flow.transport.upper()} {via};branch={branch}"), ("Max-Forwards", "70"),
            ("From", f"<sip:0900000001@192.0.2.10>;tag={self.tag if tag is None else tag}"),
            ("To", self.to if to is None else to), ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}"),
            *([("Contact", contact)] if contact else []), *headers,
        ]  # fmt: skip
        if body and all(name != "Content-Type" for name, _ in headers):
            shown.append(IS_SDP)
        return write_request(method, uri, shown, body)

    def says(self, method: str, **more: Any) -> Response | None:
        """Say it; return the first response."""
        told = self.solo.hear(self.write(method, **more))
        first = told[0].message if told else None
        if isinstance(first, Response) and method == "INVITE" and first.to_tag and self.to.endswith(">"):
            self.to = first.get("To") or ""
        return first if isinstance(first, Response) else None

    def learns(self) -> None:
        """Take the dialog from the agent's last response."""
        self.to = self.solo.said.get("To") or ""

    def acks(self, cseq: int | None = None, **more: Any) -> None:
        """Acknowledge a 2xx."""
        self.says("ACK", cseq=self.cseq if cseq is None else cseq, **more)


class Pair:
    """Two user agents and what is on its way between them; the same seed loses, doubles and delays the same."""

    def __init__(
        self, *, seed: int = 0, loss: float = 0.0, twice: float = 0.0, late: float = 0.0, delay_s: float = 0.01,
        transport: str = "udp", **changes: Any,
    ) -> None:  # fmt: skip
        self.now = START
        self.places = (HERE, THERE)
        self.flows = (Flow(transport, *HERE), Flow(transport, *THERE))
        self.agents = tuple(UserAgent(config(place, **changes)) for place in self.places)
        self.react: Callable[[int, SipEvent], None] = lambda _who, _event: None
        self.wire: list[tuple[float, int, bytes]] = []
        """(when, who, what) of each message sent."""
        self.heard: list[tuple[int, bytes]] = []
        """(who, what) of each message that arrived."""
        self._random = random.Random(seed)
        self._odds = (loss, twice, late)
        self._delay_s = delay_s
        self._number = 0
        self._air: list[tuple[float, int, int, bytes]] = []

    def settle(self) -> None:
        """Give events to their owners and messages to the network, until nobody has more to say."""
        busy = True
        while busy:
            busy = False
            for who, agent in enumerate(self.agents):
                for event in agent.take_events():
                    busy = True
                    self.react(who, event)
                for _flow, data in agent.take_sends():
                    busy = True
                    self._post(who, data)

    def _post(self, who: int, data: bytes) -> None:
        self.wire.append((self.now, who, data))
        loss, twice, late = self._odds
        draw = self._random.random
        for _copy in range(2 if draw() < twice else 1):
            if draw() >= loss:
                self._number += 1
                delay = self._delay_s * (1 + draw()) * (30 if draw() < late else 1)
                heapq.heappush(self._air, (self.now + delay, self._number, 1 - who, data))

    def run(self, seconds: float) -> None:
        """Let time go on."""
        until = self.now + seconds
        self.settle()
        while True:
            times = [agent.next_timer() for agent in self.agents]
            due = min([at for at in times if at is not None] + [item[0] for item in self._air[:1]], default=until + 1)
            if due > until:
                break
            self.now = max(self.now, due)
            while self._air and self._air[0][0] <= self.now:
                _, _, who, data = heapq.heappop(self._air)
                self.heard.append((who, data))
                self.agents[who].receive(data, self.flows[1 - who], self.now)
                self.settle()
            for agent in self.agents:
                agent.handle_timer(self.now)
                following = agent.next_timer()
                assert following is None or following > self.now
            self.settle()
        self.now = until

    def invite(self, call_id: str, *, sdp: bytes | None = SDP, **more: Any) -> Leg:
        """Place a call from the first to the second."""
        return self.agents[0].invite(
            self.now, flow=self.flows[1], uri="sip:0900000123@192.0.2.10", call_id=call_id, sdp=sdp,
            from_="<sip:0900000001@192.0.2.1>", to="<sip:0900000123@192.0.2.10>", **more,
        )  # fmt: skip
