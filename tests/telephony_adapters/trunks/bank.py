"""Phones in a row, agents' or customers': each does what its habits say; sans-I/O, with one user agent for all."""

from __future__ import annotations

from typing import Final, NamedTuple

from telephony_adapters.sip import events as sip
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.offer import answer_to, blank_offer, with_direction
from telephony_adapters.sip.sdp import PCMA, PCMU, TELEPHONE_EVENT, Codec, Origin, SdpError, parse
from telephony_adapters.sip.timers import Timers

RINGS_S: Final = 90.0


class Habits(NamedTuple):
    """How a phone behaves; times in seconds, those with `_s` at the end after it was picked up unless said."""

    picks_up_s: float | None = 0.05
    """After the INVITE; None: never."""
    rings: bool = True
    refuses: int | None = None
    """What the INVITE gets, instead of being picked up."""
    early: bool = False
    """183 with media instead of 180."""
    silent_200: bool = False
    """Its 200 says nothing about media: the 183 did."""
    codecs: tuple[Codec, ...] = (PCMA, PCMU, TELEPHONE_EVENT)
    reoffer: int | None = None
    """What re-offers get; 0: no answer at all."""
    moves: int = 0
    """So many times it answers a re-offer from another port."""
    hangs_up_s: float | None = None
    holds_s: tuple[float, ...] = ()
    """Its own offers: hold, resume, hold ..."""
    asks_s: tuple[float, ...] = ()
    """Its re-INVITEs without an offer: it resumes by what it answers."""
    refreshes_s: tuple[float, ...] = ()
    """Its re-INVITEs that change nothing."""
    gives_up_s: float | None = None
    """It cancels its own re-INVITE so long after it sent it."""
    late_200: bool = False
    """Its 200 crosses a CANCEL."""


class Phone:
    """One phone, and the call that it has."""

    def __init__(self, user: str, habits: Habits, port: int) -> None:
        self.user = user
        self.habits = habits
        self.port = port
        self.version = 0
        self.moved = 0
        self.leg: Leg | None = None
        self.legs: list[Leg] = []
        self.is_holding = False
        self.offers: list[bytes] = []
        """What it was offered, the INVITE's first."""
        self.answers: list[bytes] = []
        """What its own offers were answered with."""
        self.ended: list[str] = []
        self.refused: list[int] = []
        """What its own offers got."""

    @property
    def hears(self) -> tuple[str, int, str]:
        """Return the host and port that it sends to, and the direction that the other side wants."""
        assert self.leg is not None
        assert self.leg.remote_sdp is not None
        audio = parse(self.leg.remote_sdp).audio
        assert audio is not None
        return audio.host, audio.port, audio.direction


class Bank:
    """Implements `Machine`. `habits` by user; others have the usual ones."""

    def __init__(self, flow: Flow, habits: dict[str, Habits] | None = None, **config: object) -> None:
        self.flow = flow
        self._sent_by = {flow.transport: flow[1:3]}
        self.ua = UserAgent(
            UaConfig(key=str(flow).encode(), sent_by=self._sent_by, takes_invites=True, **config)  # type: ignore[arg-type]
        )
        self.timers = Timers()
        self.habits = habits or {}
        self.usual = Habits()
        self.phones: dict[str, Phone] = {}
        self.invites = 0

    def move(self, flow: Flow) -> None:
        """Learn the real address."""
        self.flow = flow
        self._sent_by[flow.transport] = flow[1:3]

    # --- Machine --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        if data.startswith(b"CANCEL "):
            self._cross(data, now)
        self.ua.receive(data, flow, now)
        self._work(now)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        self.ua.flow_lost(flow, why, now)
        self._work(now)

    def handle_timer(self, now: float) -> None:
        for what, whom in self.timers.due(now):
            what(whom, now)
        self.ua.handle_timer(now)
        self._work(now)

    def next_timer(self) -> float | None:
        return min((at for at in (self.ua.next_timer(), self.timers.next()) if at is not None), default=None)

    def take_sends(self) -> list[Send]:
        return self.ua.take_sends()

    # --- what phones do -------------------------------------------------------------------------------------------

    def phone(self, user: str) -> Phone:
        phone = self.phones.get(user)
        if phone is None:
            habits = self.habits.get(user, self.usual)
            phone = self.phones[user] = Phone(user, habits, 20_000 + 100 * len(self.phones))
        return phone

    def hang_up(self, user: str, now: float) -> None:
        leg = self.phone(user).leg
        if leg is not None:
            self.ua.bye(leg, now)

    def offer(self, user: str, direction: str, now: float) -> None:
        """Change the session from this side."""
        phone = self.phone(user)
        if phone.leg is not None:
            self.ua.reinvite(phone.leg, now, self._describe(phone, direction))

    def ask(self, user: str, now: float) -> None:
        """Send a re-INVITE without an offer."""
        leg = self.phone(user).leg
        if leg is not None:
            self.ua.reinvite(leg, now, None)

    def refresh(self, user: str, now: float) -> None:
        """Send a re-INVITE that changes nothing."""
        leg = self.phone(user).leg
        if leg is not None:
            self.ua.reinvite(leg, now, leg.local_sdp)

    def _work(self, now: float) -> None:
        while events := self.ua.take_events():
            for event in events:
                self._take(event, now)

    def _take(self, event: sip.SipEvent, now: float) -> None:
        match event:
            case sip.Incoming():
                self._incoming(event, now)
            case sip.Offered():
                self._offered(event, now)
            case sip.Renegotiated():
                self._renegotiated(event)
            case sip.Ended(leg=leg, by=by):
                leg.owner.ended.append(by)
                if leg.owner.leg is leg:
                    leg.owner.leg = None
            case sip.Cancelled(leg=leg):
                if leg.state is LegState.ENDED:
                    leg.owner.ended.append("cancelled")
            case _:
                pass

    def _renegotiated(self, event: sip.Renegotiated) -> None:
        phone: Phone = event.leg.owner
        if event.sdp is None or event.status != 200:
            phone.refused.append(event.status)
            return
        phone.answers.append(event.sdp)
        if event.needs_answer:
            self.ua.answer(event.leg, self._answer(phone, event.sdp, "sendrecv") or b"")

    def _incoming(self, event: sip.Incoming, now: float) -> None:
        self.invites += 1
        leg, request = event
        user = request.uri.removeprefix("sip:").partition("@")[0]
        phone = leg.owner = self.phone(user)
        phone.leg = leg
        phone.legs.append(leg)
        if leg.remote_sdp is not None:
            phone.offers.append(leg.remote_sdp)
        habits = phone.habits
        if habits.refuses is not None:
            self.ua.refuse(leg, habits.refuses, now)
            return
        if habits.early:
            self.ua.provisional(leg, 183, now, sdp=self._answer(phone, leg.remote_sdp, "sendrecv"))
        elif habits.rings:
            self.ua.provisional(leg, 180, now)
        if habits.picks_up_s is not None:
            self.timers.set(now + habits.picks_up_s, self._pick_up, leg)
        self.timers.set(now + RINGS_S, self._stop_ringing, leg)

    def _stop_ringing(self, leg: Leg, now: float) -> None:
        """End what nobody picks up: its CANCEL may have been lost for ever."""
        if leg.state in {LegState.INVITED, LegState.EARLY}:
            self.ua.refuse(leg, 480, now)

    def _pick_up(self, leg: Leg, now: float) -> None:
        phone: Phone = leg.owner
        if leg.is_over or leg.waiting is None:
            return
        habits = phone.habits
        if habits.silent_200:
            self.ua.accept(leg, now)
        else:
            sdp = self._answer(phone, leg.remote_sdp, "sendrecv")
            if sdp is None:
                self.ua.refuse(leg, 488, now)
                return
            self.ua.accept(leg, now, sdp=sdp)
        self._plan(leg, habits, now)

    def _plan(self, leg: Leg, habits: Habits, now: float) -> None:
        if habits.hangs_up_s is not None:
            self.timers.set(now + habits.hangs_up_s, self._later_bye, leg)
        for after in habits.holds_s:
            self.timers.set(now + after, self._later_hold, leg)
        for after in habits.asks_s:
            self.timers.set(now + after, lambda same, at: self.ua.reinvite(same, at, None), leg)
        for after in habits.refreshes_s:
            self.timers.set(now + after, lambda same, at: self.ua.reinvite(same, at, same.local_sdp), leg)

    def _later_bye(self, leg: Leg, now: float) -> None:
        self.ua.bye(leg, now)

    def _later_hold(self, leg: Leg, now: float) -> None:
        phone: Phone = leg.owner
        phone.is_holding = not phone.is_holding
        self.ua.reinvite(leg, now, self._describe(phone, "sendonly" if phone.is_holding else "sendrecv"))

    def _cross(self, data: bytes, now: float) -> None:
        """Pick up just before a CANCEL is read."""
        for phone in self.phones.values():
            leg = phone.leg
            if phone.habits.late_200 and leg is not None and leg.call_id.encode() in data:
                self._pick_up(leg, now)

    def _offered(self, event: sip.Offered, now: float) -> None:
        leg = event.leg
        phone: Phone = leg.owner
        habits = phone.habits
        if event.sdp is not None:
            phone.offers.append(event.sdp)
        if habits.reoffer is not None:
            if habits.reoffer:
                self.ua.refuse(leg, habits.reoffer, now)
            return
        if phone.moved < habits.moves:
            phone.moved += 1
            phone.port += 2
        sdp = self._answer(phone, event.sdp, "sendonly" if phone.is_holding else "sendrecv")
        if sdp is None:
            self.ua.refuse(leg, 488, now)
        else:
            self.ua.accept(leg, now, sdp=sdp)

    def _answer(self, phone: Phone, offer: bytes | None, direction: str) -> bytes | None:
        if offer is None:
            return self._describe(phone, direction)
        try:
            parsed = parse(offer)
            return answer_to(
                parsed, self._origin(phone), self.flow.host, phone.port, codecs=phone.habits.codecs, direction=direction
            ).data
        except SdpError:
            return None

    def _describe(self, phone: Phone, direction: str) -> bytes:
        offer = blank_offer(self._origin(phone), self.flow.host, phone.port, codecs=phone.habits.codecs)
        return with_direction(offer, direction).data

    def _origin(self, phone: Phone) -> Origin:
        phone.version += 1
        return Origin("7", phone.version, self.flow.host)
