"""A bench whose store looks for leads as the real ones do, for campaigns whose agents choose whom to call."""

from __future__ import annotations

import msgspec

from dialer.core import events
from dialer.core.effects import AnswerRequest, AnyEffect, CheckNumber, CommandAgent, SeekLead, Summon
from dialer.core.trunks import TrunkLimit
from dialer.core.types import CampaignKind, CampaignSettings, HoldReason
from tests.dialer.core.bench_engine import SETTINGS, Bench, lead

MANUAL = msgspec.structs.replace(SETTINGS, kind=CampaignKind.MANUAL)
PREVIEW = msgspec.structs.replace(SETTINGS, kind=CampaignKind.PREVIEW, offer_s=15.0)
PHONE = "+84901000001"


class HandBench(Bench):
    """`refuse` answers the next look for a lead, or at a number, with a reason; `silent` does not answer it."""

    def __init__(
        self, settings: CampaignSettings = MANUAL, *, leads: int = 0, trunks: tuple[TrunkLimit, ...] = ()
    ) -> None:
        super().__init__(settings, leads=leads, trunks=trunks)
        self.refuse: HoldReason | None = None
        self.silent = False
        self._seen = 0
        self._next = 1000

    def dial(self, agent: str = "a1", phone: str = PHONE, *, request: int = 0, lead_id: int = 0) -> None:
        event = events.DialRequested(agent, lead(lead_id, phone=phone))
        self.tell(events.Requested(request, event) if request else event)

    def up(self, agent: str = "a1") -> str:
        """Let the agent's leg come up; return the call."""
        call = [summon for summon in self.of(Summon) if summon.agent_id == agent][-1].call_id
        self.tell(events.AgentOnLine(call, agent))
        return call

    def talk(self, agent: str = "a1", phone: str = PHONE) -> str:
        """Dial, and let the customer answer."""
        self.dial(agent, phone)
        call = self.up(agent)
        self.answer(call)
        return call

    def orders(self, agent: str = "a1") -> list[CommandAgent]:
        return [order for order in self.of(CommandAgent) if order.agent_id == agent]

    def answers(self) -> dict[int, AnswerRequest]:
        return {answer.request_id: answer for answer in self.of(AnswerRequest)}

    def _drain(self) -> None:
        super()._drain()
        while self._seen < len(self.done):
            effect = self.done[self._seen]
            self._seen += 1
            self._look(effect)

    def _look(self, effect: AnyEffect) -> None:
        if self.silent:
            return
        reason = self.refuse
        if isinstance(effect, SeekLead):
            self._next += 1
            number = effect.lead_id or self._next
            found = None if reason is not None else lead(number, phone=effect.phone)
            self.tell(events.LeadFound(effect.agent_id, found, reason, effect.lead_id, effect.phone))
        elif isinstance(effect, CheckNumber):
            self.tell(events.NumberChecked(effect.call_id, effect.phone, reason))
