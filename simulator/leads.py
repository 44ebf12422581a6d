"""The lead book of a simulated campaign: leases, begun attempts and results in memory, by the lead state table."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

from dialer.core.caps import caps_in_force
from dialer.core.effects import BeginAttempts, BeginInbound, SeekLead
from dialer.core.events import AttemptsBegun, InboundBegun, LeadFound, LeadsLeased
from dialer.core.types import (
    AttemptIntent,
    AttemptRecord,
    CampaignSettings,
    Direction,
    HoldReason,
    Lead,
    LeadResult,
    Refusal,
)
from simulator.numbers import NumberLedger
from statuses.lead import ErrorKind, IllegalTransition, LeadFacts, LeadState, LeadStep, Trigger, step
from statuses.outcomes import CallStatus
from statuses.retry import queue_key

Key = tuple[int, int, int, float, int]


@lru_cache(maxsize=4096)
def _step(facts: LeadFacts, trigger: Trigger, error_kind: ErrorKind | None) -> LeadStep:
    return step(facts, trigger, error_kind=error_kind)


class Place:
    """A lead's place on the list; `ticket` voids older queue entries."""

    __slots__ = (
        "attempts", "callback_agent", "dialed", "due_at", "error_attempts", "error_kind", "last_hotline", "last_status",
        "lead_id", "leased", "list_id", "phone", "remembered", "state", "status_attempts", "ticket",
    )  # fmt: skip

    def __init__(self, lead_id: int, phone: str, list_id: int) -> None:
        self.lead_id = lead_id
        self.list_id = list_id
        self.phone = phone
        self.state = LeadState.NOT_CALLED
        self.remembered: LeadState | None = None
        self.error_kind: ErrorKind | None = None
        self.attempts = self.dialed = self.error_attempts = self.ticket = 0
        self.status_attempts: dict[str, int] = {}
        self.last_status: CallStatus | None = None
        self.last_hotline: str | None = None
        self.callback_agent: str | None = None
        self.due_at = 0.0
        self.leased = False

    def lead(self) -> Lead:
        """Return what the engine leases."""
        return Lead(
            lead_id=self.lead_id, customer_id=self.lead_id, list_id=self.list_id, phone=self.phone,
            attempts=self.attempts, dialed=self.dialed, error_attempts=self.error_attempts,
            status_attempts=dict(self.status_attempts), last_status=self.last_status, last_hotline=self.last_hotline,
            due_at=self.due_at, callback_agent=self.callback_agent, from_state=self.state,
        )  # fmt: skip


class LeadBook:
    """All leads of one campaign. `ledger` is shared by the campaigns of a world; `phones` become leads 1, 2, 3 ...

    They go to `lists` lists, numbered from 1, in turn.
    """

    def __init__(
        self, settings: CampaignSettings, phones: Iterable[str], ledger: NumberLedger, *, lists: int = 1
    ) -> None:
        self._settings = settings
        self._caps = caps_in_force(settings)
        self._ledger = ledger
        self._places = {
            number: Place(number, phone, (number - 1) % lists + 1) for number, phone in enumerate(phones, 1)
        }
        self._ready: dict[int, list[tuple[Key, int, Place]]] = {list_id: [] for list_id in range(1, lists + 1)}
        self._later: list[tuple[float, int, int, Place]] = []
        self._begun_at: dict[str, float] = {}
        self._came_in: set[str] = set()
        """Calls that were not ours."""
        self._by_phone = {place.phone: place for place in self._places.values()}
        for place in self._places.values():
            self._queue(place, 0.0, 0.0)

    def __len__(self) -> int:
        """Count the leads."""
        return len(self._places)

    def states(self) -> dict[LeadState, int]:
        """Count the leads by state."""
        counts = dict.fromkeys(LeadState, 0)
        for place in self._places.values():
            counts[place.state] += 1
        return counts

    def place(self, lead_id: int) -> Place:
        """Return one lead's place."""
        return self._places[lead_id]

    def lease(self, count: int, now: float, prefer: Sequence[int] = ()) -> LeadsLeased:
        """Lease up to `count` dialable leads: callbacks first, then by the campaign's retry order.

        Of one class, leads of the lists in `prefer` come first.
        """
        before = {list_id: place - len(prefer) for place, list_id in enumerate(prefer)}
        self._wake(now)
        leads: list[Lead] = []
        while len(leads) < count and (queue := self._next_queue(before)):
            _, ticket, place = heapq.heappop(queue)
            if ticket != place.ticket:
                continue
            obstacle = self._ledger.obstacle(place.phone, self._caps, now)
            if obstacle is not None:
                self._queue(place, obstacle[1], now)
                continue
            place.leased = True
            leads.append(place.lead())
        return LeadsLeased(tuple(leads), self._next_due_at())

    def _next_queue(self, before: Mapping[int, int]) -> list[tuple[Key, int, Place]]:
        """Return the list's queue whose first lead comes next; an empty one when all are empty."""
        waiting = [(list_id, queue) for list_id, queue in self._ready.items() if queue]
        if len(waiting) <= 1:
            return waiting[0][1] if waiting else []

        def first(entry: tuple[int, list[tuple[Key, int, Place]]]) -> tuple[float, ...]:
            callback, group, rank, due_at, lead_id = entry[1][0][0]
            return (callback, group, rank, before.get(entry[0], 0), due_at, lead_id)

        return min(waiting, key=first)[1]

    def release(self, lead_ids: Iterable[int], now: float) -> None:
        """Take leases back."""
        for lead_id in lead_ids:
            place = self._places[lead_id]
            place.leased = False
            self._queue(place, place.due_at, now)

    def begin(self, effect: BeginAttempts, now: float) -> AttemptsBegun:
        """Write the intents down after the last guards."""
        begun: list[str] = []
        refused: list[Refusal] = []
        for intent in effect.intents:
            place = self._places[intent.lead_id]
            reason = self._refusal(place, now)
            place.leased = False
            if reason is not None:
                refused.append(Refusal(intent.call_id, intent.lead_id, reason))
                continue
            place.dialed += 1
            place.last_hotline = intent.hotline
            self._apply(place, Trigger.PICKED, None)
            self._ledger.begin(place.phone, now)
            self._begun_at[intent.call_id] = now
            begun.append(intent.call_id)
        return AttemptsBegun(tuple(begun), tuple(refused))

    def seek(self, effect: SeekLead, now: float) -> LeadFound:
        """Lease the lead of a call by hand, whatever time it is due at; a simulated agent calls nobody else."""
        lead, reason = self._seek(effect, now)
        return LeadFound(effect.agent_id, lead, reason, effect.lead_id, effect.phone)

    def _seek(self, effect: SeekLead, now: float) -> tuple[Lead | None, HoldReason | None]:
        place = self._places.get(effect.lead_id) or self._by_phone.get(effect.phone)
        if place is None or not place.list_id:
            return None, HoldReason.GONE
        if place.state not in _DIALABLE:
            calling = place.state is LeadState.IN_PROGRESS
            return None, HoldReason.IN_PROGRESS if calling else HoldReason.FINISHED
        obstacle = self._ledger.obstacle(place.phone, self._caps, now)
        if obstacle is not None:
            return None, obstacle[0]
        place.leased = True
        place.ticket += 1
        return place.lead(), None

    def begin_inbound(self, effect: BeginInbound) -> InboundBegun:
        """Match a call that arrived to its lead; a stranger becomes a lead that nobody dials (list 0)."""
        place = self._by_phone.get(effect.phone)
        if place is None:
            place = self._by_phone[effect.phone] = Place(len(self._places) + 1, effect.phone, 0)
            self._places[place.lead_id] = place
        self._came_in.add(effect.call_id)
        intent = AttemptIntent(
            effect.call_id, place.lead_id, place.lead_id, place.list_id, effect.phone, effect.hotline, effect.trunk,
            0, effect.at, Direction.INBOUND,
        )  # fmt: skip
        return InboundBegun(effect.call_id, intent, place.lead())

    def settle(self, record: AttemptRecord, now: float) -> None:
        """Write an attempt's end; the lead waits for the wrap-up when the record names no trigger.

        A call that came in is no attempt of the lead's; one that was missed makes a callback where that may be.
        """
        if record.direction is Direction.INBOUND:
            if record.lead_trigger is not None:
                self._after_inbound(record.lead_id, record.lead_trigger, now, now)
            return
        place, verdict = self._places[record.lead_id], record.verdict
        rang = record.ringing_at is not None or record.answered_at is not None
        counts = rang or self._caps.strict
        self._ledger.end(place.phone, self._begun_at.pop(record.call_id), counts=counts)
        status = verdict.status
        place.attempts += verdict.counts
        place.error_attempts += not verdict.counts
        place.status_attempts[status] = place.status_attempts.get(status, 0) + 1
        place.last_status = status
        if record.lead_trigger is not None:
            self._result(place, record.lead_trigger, record.error_kind, record.next_at, now)

    def settle_lead(self, result: LeadResult, now: float) -> None:
        """Write what the agent's wrap-up means."""
        if result.call_id in self._came_in:
            at = result.callback_at if result.trigger is Trigger.CALLBACK_ASKED else result.next_at
            self._after_inbound(result.lead_id, result.trigger, at, now)
            return
        place = self._places[result.lead_id]
        if result.trigger is Trigger.CALLBACK_ASKED:
            place.callback_agent = result.agent_id
            self._result(place, result.trigger, None, result.callback_at, now)
        else:
            self._result(place, result.trigger, None, result.next_at, now)

    def _after_inbound(self, lead_id: int, trigger: Trigger, at: float | None, now: float) -> None:
        """Do to the lead what a call that came in means for it, where its state allows that: nobody had picked it."""
        place = self._places[lead_id]
        if place.leased or place.state is LeadState.IN_PROGRESS or not place.list_id:
            return
        with suppress(IllegalTransition):
            self._result(place, trigger, None, at, now)

    def _refusal(self, place: Place, now: float) -> HoldReason | None:
        if not place.leased:
            return HoldReason.GONE
        obstacle = self._ledger.obstacle(place.phone, self._caps, now)
        if obstacle is None:
            return None
        self._queue(place, obstacle[1], now)
        return obstacle[0]

    def _apply(self, place: Place, trigger: Trigger, error_kind: ErrorKind | None) -> None:
        facts = LeadFacts(
            state=place.state, remembered=place.remembered, attempts=place.attempts,
            max_attempts=self._settings.retry.max_attempts, error_kind=place.error_kind,
        )  # fmt: skip
        done = _step(facts, trigger, error_kind)
        place.state = done.state or place.state
        place.remembered, place.error_kind = done.remembered, done.error_kind
        place.ticket += 1

    def _result(self, place: Place, trigger: Trigger, kind: ErrorKind | None, due_at: float | None, now: float) -> None:
        self._apply(place, trigger, kind)
        waits = place.state in _DIALABLE or (place.state is LeadState.CALL_ERROR and place.error_kind in _RETRIABLE)
        if waits and due_at is not None:
            place.due_at = due_at
            self._queue(place, due_at, now)

    def _queue(self, place: Place, at: float, now: float) -> None:
        place.ticket += 1
        if at > now:
            heapq.heappush(self._later, (at, place.lead_id, place.ticket, place))
        else:
            heapq.heappush(self._ready[place.list_id], (self._key(place), place.ticket, place))

    def _key(self, place: Place) -> Key:
        order = self._settings.retry.order
        key = queue_key(order, last_status=place.last_status, due_at=place.due_at, lead_id=place.lead_id)
        return (int(place.state is not LeadState.CALLBACK), *key)

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            at, _, ticket, place = heapq.heappop(self._later)
            if ticket == place.ticket:
                self._queue(place, at, now)

    def _next_due_at(self) -> float | None:
        while self._later and self._later[0][2] != self._later[0][3].ticket:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None


_DIALABLE = frozenset({LeadState.NOT_CALLED, LeadState.CALLED_NO_SUCCESS, LeadState.CALLBACK})
_RETRIABLE = frozenset({ErrorKind.HOTLINE, ErrorKind.CONTENT, ErrorKind.AGENT})


def synthetic_phone(campaign: int, number: int) -> str:
    """Return an E.164-looking number that no country can assign: national numbers in +84 never begin with 00."""
    return f"+8400{campaign:02d}{number:06d}"
