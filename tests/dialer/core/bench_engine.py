"""A hand-turned engine for tests: gives leads, makes intents durable, answers with whatever the test says."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from dialer.core import events
from dialer.core.effects import (
    AnyEffect,
    BeginAttempts,
    BeginInbound,
    Connect,
    LeaseLeads,
    Originate,
    SettleAttempt,
    SettleLead,
)
from dialer.core.engine import CampaignEngine
from dialer.core.script import ScriptText
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.core.types import AttemptIntent, CallWindow, CampaignSettings, Direction, Lead, Slot

E = TypeVar("E", bound=AnyEffect)
START = 1_800_000_000.0
ALL_DAY = CallWindow(timezone="Asia/Ho_Chi_Minh", weekdays=((Slot(0, 1440),),) * 7)
SETTINGS = CampaignSettings(
    campaign_id=1,
    name="test",
    pacer="progressive",
    hotlines=("+842471000001",),
    window=ALL_DAY,
    ring_timeout_s=20.0,
    wrap_up_s=10.0,
)


def lead(number: int, **more: object) -> Lead:
    fields: dict[str, object] = {
        "lead_id": number,
        "customer_id": number,
        "list_id": 1,
        "phone": f"+8470000{number:04d}",
    }
    return msgspec.convert(fields | more, Lead)


class Bench:
    """The engine, a clock that the test moves, and every effect so far."""

    def __init__(
        self,
        settings: CampaignSettings = SETTINGS,
        *,
        leads: int = 10,
        channels: int = 50,
        cps: float = 50.0,
        trunks: tuple[TrunkLimit, ...] = (),
        script: ScriptText | None = None,
    ) -> None:
        self.now = START
        self.pool = TrunkPool(trunks or (TrunkLimit(name="sim", channels=channels, cps=cps, burst=int(cps)),))
        self.engine = CampaignEngine(settings, self.pool, now=self.now, script=script)
        self.queue = [lead(n) for n in range(1, leads + 1)]
        self.done: list[AnyEffect] = []
        self.refuse_begin = False
        self.slow_inbound = False
        """Calls that arrive are written down only when the test says so."""

    def tell(self, *facts: events.Event) -> None:
        for fact in facts:
            self.engine.receive(fact, now=self.now)
            self._drain()

    def start(self, agents: int = 1, answers: int = 0) -> None:
        """Begin; `answers` so far open the legal budget for over-dialing."""
        self.tell(events.CampaignStarted(answers))
        for n in range(1, agents + 1):
            self.tell(events.AgentReady(f"a{n}"))
        self.wait(1.0)

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.engine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.engine.handle_timer(now=self.now)
            self._drain()
        self.now = until

    def of(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.done if isinstance(effect, kind)]

    @property
    def calls(self) -> list[str]:
        return [effect.call_id for effect in self.of(Originate)]

    def arrive(self, call_id: str, phone: str = "+84700009999") -> None:
        """Let a customer call the hotline; the switch answers as soon as it is told to."""
        self.tell(events.CallArrived(call_id, phone, "+842471000001", "sim"))
        if call_id in self.engine.state.calls:
            self.tell(events.CallAnswered(call_id))

    def write_down(self, effect: BeginInbound) -> None:
        """Answer as the store would."""
        phone = effect.phone
        intent = AttemptIntent(
            effect.call_id, 900, 900, 9, phone, effect.hotline, effect.trunk, 0, effect.at, Direction.INBOUND
        )
        self.tell(events.InboundBegun(effect.call_id, intent, lead(900, phone=phone, name="Lan")))

    def accept(self, agent_id: str, call_id: str) -> None:
        """Let an agent who is asked take the call, and the switch join them."""
        self.tell(events.AgentAccepted(agent_id, call_id))
        self.tell(events.CallConnected(call_id, agent_id))

    def answer(self, call_id: str, *, connect: bool = True) -> None:
        self.tell(events.CallRinging(call_id))
        self.tell(events.CallAnswered(call_id))
        joined = [c for c in self.of(Connect) if c.call_id == call_id]
        if connect and joined:
            self.tell(events.CallConnected(call_id, joined[-1].agent_id))

    def settled(self, call_id: str) -> SettleAttempt:
        (only,) = [s for s in self.of(SettleAttempt) if s.record.call_id == call_id]
        return only

    def lead_settled(self) -> list[SettleLead]:
        return self.of(SettleLead)

    def _drain(self) -> None:
        while effects := self.engine.take_effects():
            self.done += effects
            for effect in effects:
                if isinstance(effect, LeaseLeads):
                    given, self.queue = self.queue[: effect.count], self.queue[effect.count :]
                    self.engine.receive(events.LeadsLeased(tuple(given)), now=self.now)
                elif isinstance(effect, BeginAttempts) and not self.refuse_begin:
                    begun = tuple(intent.call_id for intent in effect.intents)
                    self.engine.receive(events.AttemptsBegun(begun), now=self.now)
                elif isinstance(effect, BeginInbound) and not self.slow_inbound:
                    self.write_down(effect)
