"""Store effects as a busy service commits them: each transaction begins some attempts and ends earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dialer.core.effects import BeginAttempts, LeaseLeads, RecordProgress, SettleAttempt, SettleLead, StoreEffect
from dialer.core.events import AttemptsBegun, Event, LeadsLeased
from dialer.core.ids import call_id
from dialer.core.types import AttemptIntent, AttemptRecord, CampaignSettings, Fence, Lead, LeadResult
from dialer.ports import Owned
from statuses.classify import AttemptFacts, classify
from statuses.lead import Trigger, trigger_for

NOW: Final = 1_800_000_000.0
LIST_ID: Final = 1
CAMPAIGN: Final = CampaignSettings(campaign_id=1, name="bench", hotlines=("19000000",))
_TALK: Final = AttemptFacts(sip_status=200, rang=True, answered=True, agent_bridged=True)
_ENDS: Final = (
    _TALK,
    AttemptFacts(sip_status=480, q850=19, rang=True),
    AttemptFacts(sip_status=486, q850=17, rang=True),
    AttemptFacts(sip_status=480, q850=20),
)
"""One attempt in four is talked, as on an average list."""
_JUDGED: Final = tuple((facts, classify(facts)) for facts in _ENDS)
_TURN_S: Final = 1.0
_TALK_S: Final = 90.0
_RETRY_S: Final = 3600.0


def phone(number: int) -> str:
    """Return a number that no country can assign: national numbers in +84 never begin with 0."""
    return f"+8400{number:08d}"


class Traffic:
    """Attempts of `attempts` leads, `batch` in a transaction: leased, begun, answered or not, settled, wrapped up."""

    def __init__(self, attempts: int, batch: int) -> None:
        self._attempts, self._batch = attempts, batch
        self._leased: list[Lead] = []
        self._begun: set[str] = set()
        self.now = NOW

    def commits(self, fence: Fence) -> Iterator[list[Owned]]:
        """Yield transactions; `take` the answers of each before the next is asked for."""
        turns = -(-self._attempts // self._batch)
        calling: list[AttemptIntent] = []
        ended: list[AttemptIntent] = []
        for _ in range(turns + 3):
            self.now += _TURN_S
            fresh = [self._intent(lead) for lead in self._leased]
            self._leased = []
            effects: list[StoreEffect] = [BeginAttempts(tuple(fresh))] if fresh else []
            effects += [effect for intent in calling for effect in self._end(intent)]
            effects += [self._wrapped_up(intent) for intent in ended if _is_talk(intent)]
            effects.append(LeaseLeads(self._batch))
            yield [Owned(fence, effect) for effect in effects]
            calling, ended = fresh, calling

    def take(self, answers: Sequence[tuple[int, Event]]) -> None:
        """Remember what was leased and what was begun."""
        for _, answer in answers:
            if isinstance(answer, LeadsLeased):
                self._leased += answer.leads
            elif isinstance(answer, AttemptsBegun):
                self._begun.update(answer.begun)

    def check(self) -> None:
        """Raise RuntimeError unless every lead was dialed: the time of a run that did less says nothing."""
        if len(self._begun) != self._attempts:
            raise RuntimeError(f"{len(self._begun)} of {self._attempts} attempts were begun")

    def _intent(self, lead: Lead) -> AttemptIntent:
        return AttemptIntent(
            call_id=call_id(CAMPAIGN.campaign_id, lead.lead_id, 1, 1, self.now),
            lead_id=lead.lead_id, customer_id=lead.customer_id, list_id=lead.list_id, phone=lead.phone,
            hotline=CAMPAIGN.hotlines[0], trunk="sim", attempt_no=1, begun_at=self.now,
        )  # fmt: skip

    def _end(self, intent: AttemptIntent) -> Iterator[StoreEffect]:
        facts, verdict = _JUDGED[intent.lead_id % len(_JUDGED)]
        trigger, kind = trigger_for(verdict)
        answered_at = intent.begun_at + 10.0 if facts.answered else None
        bridged_at = None if answered_at is None else answered_at + 0.5
        ended_at = intent.begun_at + 30.0 if bridged_at is None else bridged_at + _TALK_S
        agent = None if bridged_at is None else f"agent-{intent.lead_id % 100}"
        if answered_at is not None and bridged_at is not None:
            yield RecordProgress(intent.call_id, answered_at)
            yield RecordProgress(intent.call_id, bridged_at, agent)
        yield SettleAttempt(AttemptRecord(
            call_id=intent.call_id, lead_id=intent.lead_id, customer_id=intent.customer_id, list_id=intent.list_id,
            phone=intent.phone, hotline=intent.hotline, trunk=intent.trunk, attempt_no=1, started_at=intent.begun_at,
            ended_at=ended_at, facts=facts, verdict=verdict, originated_at=intent.begun_at,
            ringing_at=intent.begun_at + 3.0 if facts.rang else None, answered_at=answered_at, bridged_at=bridged_at,
            agent_id=agent, lead_trigger=None if facts.answered else trigger, error_kind=kind,
            next_at=None if facts.answered else ended_at + _RETRY_S,
        ))  # fmt: skip

    def _wrapped_up(self, intent: AttemptIntent) -> SettleLead:
        agent = f"agent-{intent.lead_id % 100}"
        return SettleLead(LeadResult(intent.call_id, intent.lead_id, Trigger.ANSWERED, agent, wrap_s=20.0))


def _is_talk(intent: AttemptIntent) -> bool:
    return _ENDS[intent.lead_id % len(_ENDS)].answered
