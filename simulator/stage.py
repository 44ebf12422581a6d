"""The stage for the adapter cards around the simulated trunk: a clock of its own, people found by their scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Final

from dialer.core.events import CallArrived
from dialer.core.ids import uuid7
from dialer.core.types import AgentId, CallId
from dialer.ports import Telephony
from simulator.agents import agent_id
from simulator.carrier import Carrier
from simulator.chance import Duration, Shape
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.profile import Callers, CarrierProfile, Fate, Shares
from simulator.script import Script
from statuses.outcomes import AmdResult
from telephony_adapters.cards.bench import FarEnd

SEED: Final = 7
HOTLINE: Final = "+842471000001"
_START: Final = 1_772_413_200.0
_LONG_S, _SHORT_S = 120.0, 10.0
_NUMBERS: Final = 20_000
"""Numbers among which one is found whose owner does as asked."""
_AGAIN: Final = 4
"""A card may call the same person so often."""
_KEYS: Final = "12#"

PROFILE: Final = CarrierProfile(
    shares=Shares(
        answer=0.4, ring_out=0.1, engaged=0.1, switched_off=0.1, unreachable=0.1, wrong_number=0.05, machine=0.1,
        congestion=0.05,
    ),
    talk=Duration(60.0, 0.57, Shape.UNIFORM, 1.0, 300.0),
    patience=Duration(100.0, 0.57, Shape.UNIFORM, 1.0, 300.0),
    late_answer=0.5,
    keys={_KEYS: 0.3},
    transfer_fails=0.5,
    callers=Callers(patience=Duration(20.0, 0.0, Shape.CONSTANT)),
)  # fmt: skip
"""A carrier behind which everybody is found whom the cards ask for."""


def _ends_with(fate: Fate, status: int) -> Callable[[Script], bool]:
    def is_it(script: Script) -> bool:
        return script.fate is fate and getattr(script.steps[-1][1], "sip_status", None) == status

    return is_it


def _stays(script: Script) -> bool:
    is_patient = script.patience_s >= _LONG_S and script.talk_s >= _SHORT_S
    return script.fate is Fate.ANSWER and is_patient and script.amd is AmdResult.HUMAN


def _talks_briefly(script: Script) -> bool:
    is_brief = script.talk_s <= _SHORT_S and not script.agent_hangs_up
    return script.fate is Fate.ANSWER and script.patience_s >= _SHORT_S and is_brief


_WHO: Final[dict[FarEnd, Callable[[Script], bool]]] = {
    FarEnd.ANSWERS: _stays,
    FarEnd.HANGS_UP: lambda script: script.fate is Fate.ANSWER and script.patience_s <= _SHORT_S,
    FarEnd.TALKS_BRIEFLY: _talks_briefly,
    FarEnd.BUSY: _ends_with(Fate.ENGAGED, 486),
    FarEnd.UNKNOWN: _ends_with(Fate.WRONG_NUMBER, 404),
    FarEnd.AWAY: _ends_with(Fate.SWITCHED_OFF, 480),
    FarEnd.CONGESTED: _ends_with(Fate.CONGESTION, 503),
    FarEnd.RINGS: lambda script: script.fate is Fate.RING_OUT and not script.late_answer,
    FarEnd.ANSWERS_LATE: lambda script: script.fate is Fate.RING_OUT and script.late_answer,
    FarEnd.ANNOUNCEMENT: lambda script: script.fate is Fate.UNREACHABLE,
    FarEnd.PRESSES_KEYS: _stays,
    FarEnd.PERSON: _stays,
    FarEnd.MACHINE: lambda script: script.fate is Fate.MACHINE and script.amd is AmdResult.MACHINE,
    FarEnd.TRANSFER_FAILS: _stays,
}


@cache
def _carrier() -> Carrier:
    return Carrier(PROFILE, seed=SEED, started_at=_START)


@cache
def _phone(far_end: FarEnd) -> str:
    presses = far_end is FarEnd.PRESSES_KEYS
    return _first(lambda phone: _behaves(phone, _WHO[far_end]) and _presses(phone) is presses)


@cache
def _transfer_phone(*, answers: bool) -> str:
    return _first(lambda phone: (_carrier().chance(phone, "transfer") >= PROFILE.transfer_fails) is answers)


def _first(is_it: Callable[[str], bool]) -> str:
    return next(phone for number in range(_NUMBERS) if is_it(phone := f"+84953{number:06d}"))


def _behaves(phone: str, as_asked: Callable[[Script], bool]) -> bool:
    attempts = range(1, _AGAIN + 1 if as_asked is _stays else 2)
    write = _carrier().script
    return all(
        as_asked(write("c", phone=phone, hotline=HOTLINE, attempt_no=number, now=_START, amd=True))
        for number in attempts
    )


def _presses(phone: str) -> bool:
    return _carrier().keys(phone, 1, 1) is not None


class SimulatorStage:
    """Implements telephony_adapters.conformance.Stage for the simulated trunk."""

    hotline = HOTLINE
    trunk = "trunk-1"
    agents: tuple[AgentId, AgentId] = (agent_id(1), agent_id(2))
    absent: AgentId = agent_id(99)
    prompt = "greeting"
    no_prompt = "/nobody/has/such.wav"

    def __init__(self) -> None:
        self._clock = VirtualClock(_START)
        self._trunk = SimulatorTelephony(PROFILE, clock=self._clock, seed=SEED)
        self._trunk.absent.add(self.absent)
        self.telephony: Telephony = self._trunk
        self._callers = 0

    def phone(self, far_end: FarEnd) -> str:
        """Return the first number whose owner behaves so."""
        return _phone(far_end)

    def transfer_phone(self, *, answers: bool) -> str:
        """Return the first number that answers a call that is sent on, or does not."""
        return _transfer_phone(answers=answers)

    async def agent_hangs_up(self, call_id: CallId, agent_id: AgentId) -> None:  # noqa: ARG002 -- a call has one agent
        """Hang up from the agent's desk."""
        self._trunk.hang_up_by_agent(call_id)

    async def somebody_calls(self) -> None:
        """Let a stranger call."""
        self._callers += 1
        call_id = uuid7(self._clock.now(), purpose=f"stage/{self._callers}")
        self._trunk.arrive(CallArrived(call_id, f"+84954{self._callers:06d}", self.hotline, self.trunk))

    async def caller_hangs_up(self, call_id: CallId) -> None:
        """Let the caller hang up."""
        self._trunk.hang_up_by_customer(call_id)

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Move the clock on until something is told."""
        until = self._clock.now() + seconds
        await self._clock.advance(0.0)
        while not news.is_set() and self._clock.now() < until:
            await self._clock.step(until)

    def now(self) -> float:
        """Return the moment of the virtual clock."""
        return self._clock.now()
