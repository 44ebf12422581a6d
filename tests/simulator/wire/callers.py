"""A caller and a carrier on a virtual network: what most tests of the carrier's machine need."""

from __future__ import annotations

from typing import Any

from simulator.wire.impair import Weather
from simulator.wire.ledger import Ledger, Row
from simulator.wire.machine import CarrierMachine
from simulator.wire.network import Network
from simulator.wire.phones import Phones
from simulator.wire.profile import WireProfile, load
from telephony_adapters.sip import events as sip
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.digest import Credentials, DigestSession
from telephony_adapters.sip.events import SipEvent
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg, LegState

CALLER = Flow("udp", "192.0.2.1", 5060)
CARRIER = Flow("udp", "192.0.2.2", 5070)
START = 1_000_000.0
HOTLINE = "0240000001"


def sdp(direction: str = "sendrecv", port: int = 4000, formats: str = "8 0 101") -> bytes:
    return (
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


class World:
    """`events` are the caller's, with their times; `rows` the carrier's."""

    def __init__(
        self, profile: WireProfile | str = "clean", *, seed: int = 7, weather: Weather | None = None,
        phones: Phones | None = None, word: str | None = "dialer", session_s: int = 0,
    ) -> None:  # fmt: skip
        self.rows: list[Row] = []
        self.events: list[tuple[float, SipEvent]] = []
        self.network = Network(seed=seed, weather=weather, start=START)
        self.network.trace = []
        self.word = word
        self.ua = UserAgent(
            UaConfig(key=b"caller", sent_by={"udp": CALLER[1:3]}, session_expires_s=session_s, refreshes=True)
        )
        self.carrier = CarrierMachine(
            load(profile) if isinstance(profile, str) else profile, seed=seed, started_at=START,
            sent_by={"udp": CARRIER[1:3]}, media_host=CARRIER.host, ledger=Ledger(self.rows.append), phones=phones,
        )  # fmt: skip
        self.here = self.network.plug(CALLER, self.ua, after_turn=self._take)
        self.there = self.network.plug(CARRIER, self.carrier)
        self.answers_offers = True
        """The caller accepts the callee's re-INVITEs."""
        self.hangs_up_after: float | None = None
        """The caller's BYE, seconds after the answer."""

    def _take(self, now: float) -> None:
        for event in self.ua.take_events():
            self.events.append((now - START, event))
            if isinstance(event, sip.Offered) and self.answers_offers:
                self.ua.accept(event.leg, now, sdp=sdp("recvonly"))
            if isinstance(event, sip.Accepted):
                if event.needs_answer:
                    self.ua.answer(event.leg, sdp())
                if self.hangs_up_after is not None:
                    self.at(now - START + self.hangs_up_after, self.ua.bye, event.leg)

    def call(self, number: str, *, at: float = 0.0, offer: bytes | None = b"", **how: Any) -> str:
        """Place a call at a moment; return its Call-ID."""
        call_id = f"{number}-{len(self.network.trace or [])}-{at:g}@test"
        auth = None if self.word is None else DigestSession([Credentials("dialer", self.word)])

        def go(now: float) -> None:
            self.ua.invite(
                now, flow=CARRIER, uri=f"sip:{number}@192.0.2.2", call_id=call_id,
                from_=f"<sip:{how.pop('hotline', HOTLINE)}@192.0.2.1>", to=f"<sip:{number}@192.0.2.2>",
                sdp=sdp() if offer == b"" else offer, auth=auth, **how,
            )  # fmt: skip
            self.network.turn(self.here)

        self.network.at(START + at, go)
        return call_id

    def at(self, when: float, what: Any, *args: Any, **more: Any) -> None:
        """Command the caller's agent at a moment: what(*args, now, **more)."""

        def go(now: float) -> None:
            what(*args, now, **more)
            self.network.turn(self.here)

        self.network.at(START + when, go)

    def tell(self, when: float, what: Any, *args: Any, **more: Any) -> None:
        """Command the carrier at a moment."""

        def go(now: float) -> None:
            what(*args, now, **more)
            self.network.turn(self.there)

        self.network.at(START + when, go)

    def leg(self, call_id: str) -> Leg:
        leg = self.ua.leg(call_id)
        assert leg is not None
        return leg

    def give_up(self, call_id: str, now: float) -> None:
        """Cancel a call, or hang up, if it is still there."""
        if (leg := self.ua.leg(call_id)) is not None:
            self.ua.cancel(leg, now)

    def run(self, until: float = 7300.0) -> Row:
        """Run, and return the last row."""
        self.network.run(START + until, steps=200_000)
        return self.rows[-1]

    def heard(self) -> list[object]:
        """Return what the caller saw, in short: statuses, and how it ended."""
        return [_short(event) for _, event in self.events]

    def nothing_left(self) -> bool:
        """Tell whether neither side keeps a call."""
        return self.carrier.active == 0 and self.ua.legs == 0 and self.carrier.agent.legs == 0


def _short(event: SipEvent) -> object:
    match event:
        case sip.Progressed(status=status) | sip.Refused(status=status) | sip.Renegotiated(status=status):
            return status
        case sip.Accepted():
            return 200
        case sip.Ended(by=by):
            return by
        case _:
            return type(event).__name__.lower()


def is_up(leg: Leg) -> bool:
    return leg.state is LegState.CONFIRMED
