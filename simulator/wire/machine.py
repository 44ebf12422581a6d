"""The carrier as a machine: whom it lets in, what people tell it to do, when it is deaf; sans-I/O and seeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from simulator.profile import Outage
from simulator.wire.admission import Admission, Drawn, refused
from simulator.wire.callees import Callees
from simulator.wire.course import Course, Login
from simulator.wire.gatekeeper import Gatekeeper
from simulator.wire.ledger import Ending, Ledger, Row
from simulator.wire.line import Line, caller_of, user_of
from simulator.wire.numbers import e164
from simulator.wire.phones import NoPhones, Phones
from simulator.wire.profile import WireProfile
from simulator.wire.registrar import Registrar
from telephony_adapters.sip import events as sip
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.timers import Timer, Timers

_ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REGISTER"
USER_AGENT: Final = "dialer-carrier"
"""How it tells a load test that nobody is rung."""
_SHOWN: Final = (("Allow", _ALLOW), ("Accept", "application/sdp"), ("Server", USER_AGENT))
_TAKES: Final = frozenset({"OPTIONS", "REGISTER"})
_MOST_TRANSACTIONS: Final = 1_000_000
"""What a load test of 1,500 calls a second leaves behind within the 32 s that RFC 3261 wants it kept."""
_PATIENCE_S: Final = 32.0
"""A challenged call that does not come again within this time is over."""
_CLOSED_RETRY_S: Final = 30.0
_NO_CIRCUIT: Final = 34
_UNAVAILABLE, _TOO_SMALL = 503, 422
_RETRIED: Final = frozenset({401, 407, 422})
"""Refusals after which a caller comes again with the same Call-ID."""
_REFUSED: Final = "refused"
_DIGITS: Final = 10


class _Challenged(NamedTuple):
    """A call that was asked for credentials: what it met, until when it may come again."""

    row: Row
    asked: Drawn | None
    timer: Timer


class CarrierMachine:
    """Implements `Machine`. The same seed, messages and times give the same bytes.

    `sent_by` is what Via and Contact bear, by transport; `media_host` stands in SDP. `started_at` (epoch seconds) is
    the origin of bursts and outages. `ledger` takes the row of each call that is over.
    """

    def __init__(
        self,
        profile: WireProfile,
        *,
        seed: int,
        started_at: float,
        sent_by: Mapping[str, tuple[str, int]],
        media_host: str,
        ledger: Ledger,
        phones: Phones | None = None,
    ) -> None:
        self.ledger = ledger
        self.registrar = Registrar(profile.registrar)
        self.agent = UserAgent(_config(seed, sent_by))
        self.counters: Counter[str] = self.agent.counters
        self.is_open = True
        """New calls are taken; otherwise they get 503."""
        self.rejects: int | None = None
        """What every new call gets, where it is set."""
        self._seed = seed
        self._started_at = started_at
        self._timers = Timers()
        self._phones = NoPhones() if phones is None else phones
        self._callees = Callees(self.agent, self._timers, self._phones, host=media_host, done=self._over)
        self._admission = Admission(profile, seed=seed, started_at=started_at)
        self._challenged: dict[str, _Challenged] = {}
        self._deaf_until = 0.0
        self._now = started_at
        self._take: dict[type, Callable[[Any, float], None]] = {
            sip.Incoming: self._incoming,
            sip.Cancelled: self._callees.cancelled,
            sip.Confirmed: self._callees.confirmed,
            sip.Offered: self._callees.offered,
            sip.Ended: self._callees.ended,
            sip.Requested: self._requested,
            sip.Renegotiated: _nothing,
        }
        self.use(profile)

    # --- Machine --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message; during an outage nothing is heard."""
        self._now = now
        if self.is_deaf(now):
            self.counters["outage: not heard"] += 1
            return
        self._callees.cross(data, now)
        self.agent.receive(data, flow, now)
        self._work(now)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        """Learn that a connection broke."""
        self._now = now
        self.agent.flow_lost(flow, why, now)
        self._work(now)

    def handle_timer(self, now: float) -> None:
        """Fire every timer that is due."""
        self._now = now
        for what, whom in self._timers.due(now):
            what(whom, now)
        self.agent.handle_timer(now)
        self._work(now)

    def next_timer(self) -> float | None:
        """Return when the next timer is due."""
        one, other = self._timers.next(), self.agent.next_timer()
        if one is None or other is None:
            return other if one is None else one
        return min(one, other)

    def take_sends(self) -> list[Send]:
        """Return what is to be sent; during an outage nothing is."""
        sends = self.agent.take_sends()
        if sends and self.is_deaf(self._now):
            self.counters["outage: not sent"] += len(sends)
            return []
        return sends

    # --- what people tell it --------------------------------------------------------------------------------------

    @property
    def profile(self) -> WireProfile:
        """Return the profile in force."""
        return self._admission.profile

    @property
    def active(self) -> int:
        """Count the calls that were let in and are not over."""
        return len(self._callees)

    @property
    def answered(self) -> int:
        """Count those of them that are answered."""
        return self._callees.answered

    def bear(self, media_host: str) -> None:
        """Change the address that SDP bears."""
        self._callees.host = media_host

    def use(self, profile: WireProfile) -> None:
        """Take another profile; calls that are up keep their courses."""
        self._admission.use(profile)
        self.gatekeeper = Gatekeeper(profile.auth, seed=self._seed)
        self.registrar.bounds = profile.registrar
        callees = self._callees
        callees.announcement_header, callees.longest_s = profile.announcement_header, profile.longest_s
        callees.challenges = self.gatekeeper.challenge
        outages = (*profile.outages, *(profile.carrier.outages if profile.carrier else ()))
        self._outages: tuple[Outage, ...] = outages

    def set_caps(self, *, channels: int | None = None, cps: float | None = None) -> None:
        """Change what the trunk admits, until `use`."""
        old = self._admission.gate.profile
        more = {name: value for name, value in (("channels", channels), ("cps", cps)) if value is not None}
        self._admission.set_trunk(msgspec.structs.replace(old, **more))

    def outage(self, seconds: float, now: float) -> None:
        """Be deaf and dumb for so long; 0 ends what was begun so."""
        self._deaf_until = now + seconds

    def is_deaf(self, now: float) -> bool:
        """Tell whether an outage is on."""
        if now < self._deaf_until:
            return True
        since = now - self._started_at
        return bool(self._outages) and any(one.from_s <= since < one.from_s + one.for_s for one in self._outages)

    def hang_up(self, now: float, *, stopping: bool = False) -> None:
        """End every call; `stopping`: no new one is taken any more."""
        self.is_open = self.is_open and not stopping
        self._callees.hang_up_all(now, stopping=stopping)
        self._work(now)

    def close_books(self, now: float) -> None:
        """Close the rows of calls that are not over, as they stand."""
        for call_id in tuple(self._challenged):
            self._never_came(call_id, now)
        self._callees.close_all(now)

    # --- what comes in --------------------------------------------------------------------------------------------

    def _work(self, now: float) -> None:
        while events := self.agent.take_events():
            for event in events:
                self._take[type(event)](event, now)

    def _incoming(self, event: sip.Incoming, now: float) -> None:
        leg, request = event
        waiting = self._challenged.pop(leg.call_id, None)
        if waiting is None:
            called = e164(user_of(request.uri), self.profile.country)
            row = Row(leg.call_id, caller_of(request), called, "", now)
            asked = self._admission.asked(called)
        else:
            self._timers.cancel(waiting.timer)
            row, asked = waiting.row, waiting.asked
        if not self._is_challenged(leg, request, row, asked, now):
            self._let_in(leg, request, row, asked, now)

    def _is_challenged(self, leg: Leg, request: Request, row: Row, asked: Drawn | None, now: float) -> bool:
        login = Login.PROFILE if asked is None else asked.course.login
        refusal = self.gatekeeper.judge(request, now, login=login, refused=row.challenges)
        if refusal is None:
            return False
        row.challenges += 1
        row.fate, row.status = "challenged", refusal.status
        self._await_retry(row, asked, now)
        self.agent.refuse(leg, refusal.status, now, headers=refusal.headers)
        return True

    def _await_retry(self, row: Row, asked: Drawn | None, now: float) -> None:
        """Keep the row of a call that may come again with what it lacked: it is one call (RFC 3261 section 22.2)."""
        timer = self._timers.set(now + _PATIENCE_S, self._never_came, row.call_id)
        self._challenged[row.call_id] = _Challenged(row, asked, timer)

    def _never_came(self, call_id: str, now: float) -> None:
        """Close a call that was asked for something and did not come again with it."""
        waiting = self._challenged.pop(call_id)
        self._timers.cancel(waiting.timer)
        waiting.row.close(Ending.CALLEE, now)
        self.ledger.take(waiting.row)

    def _let_in(self, leg: Leg, request: Request, row: Row, asked: Drawn | None, now: float) -> None:
        line = Line(leg, row, self._course(row, asked, now), now)
        line.counted = row.fate != _REFUSED
        course = line.course
        if course.min_se_s and _asks_for_less(request, course.min_se_s):
            line.course = refused(_TOO_SMALL)
        elif course.steps and (port := self._phones.open()) is not None:
            line.port = port
        elif course.steps:
            line.course = refused(_UNAVAILABLE, q850=_NO_CIRCUIT)
        row.status = None
        self._callees.begin(line, now)

    def _course(self, row: Row, asked: Drawn | None, now: float) -> Course:
        """Return the course of a call, and name it in its row."""
        admission, row.fate = self._admission, _REFUSED
        if self.rejects is not None:
            return refused(self.rejects)
        if not self.is_open:
            return refused(_UNAVAILABLE, retry_after_s=_CLOSED_RETRY_S)
        if not admission.gate.admits(now):
            return refused(_UNAVAILABLE, retry_after_s=admission.gate.profile.retry_after_s, q850=_NO_CIRCUIT)
        drawn = asked or admission.drawn(row.call_id, called=row.called, caller=row.caller, now=now)
        row.fate, row.attempt_no = drawn.course.name, drawn.attempt_no
        return drawn.course

    def _over(self, line: Line) -> None:
        """Take a call whose last dialog is over."""
        row = line.row
        if line.counted:
            self._admission.gate.free()
        if line.port:
            row.rtp_in, row.rtp_out = self._phones.close(line.port)
        if row.status in _RETRIED and row.ended_by is Ending.CALLEE:
            self._await_retry(row, Drawn(line.drawn, row.attempt_no), row.ended_at or line.begun_at)
        else:
            self.ledger.take(row)

    def _requested(self, event: sip.Requested, now: float) -> None:
        request = event.request
        refusal = self.gatekeeper.judge(request, now)
        if refusal is not None:
            self.agent.respond(event.transaction, refusal.status, now, headers=refusal.headers)
        elif request.method == "REGISTER":
            reply = self.registrar.register(request, now)
            self.agent.respond(event.transaction, reply.status, now, headers=reply.headers)
        else:
            self.agent.respond(event.transaction, 200, now, headers=_SHOWN)


def _config(seed: int, sent_by: Mapping[str, tuple[str, int]]) -> UaConfig:
    return UaConfig(
        key=blake2b(f"{seed}/carrier".encode(), digest_size=32).digest(), sent_by=sent_by, contact_user="carrier",
        user_agent=USER_AGENT, takes_invites=True, takes=_TAKES, max_servers=_MOST_TRANSACTIONS,
    )  # fmt: skip


def _asks_for_less(request: Request, least_s: int) -> bool:
    """Tell whether a caller asks for a shorter session interval (RFC 4028 section 6)."""
    asked = (request.get("Session-Expires") or "").partition(";")[0].strip()
    return asked.isascii() and asked.isdigit() and int(asked[:_DIGITS]) < least_s


def _nothing(_event: sip.Renegotiated, _now: float) -> None:
    """Leave it: whether the caller took our re-INVITE changes nothing here."""
