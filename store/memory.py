"""The LeadStore without a database: the same rules over rows that live in a book."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from cdr.encode import OutboxEvent
from dialer.core.campaign import CampaignState
from dialer.core.effects import AnswerRequest, LeaseLeads, SeekLead
from dialer.core.events import Event, Requested
from dialer.core.script import ScriptText
from dialer.core.types import (
    AgentId,
    AttemptIntent,
    CallId,
    CampaignSettings,
    Declined,
    Direction,
    Fence,
    HoldReason,
    OpenAttempt,
    SavedEstimates,
)
from dialer.errors import Fenced, NotFound
from dialer.ports import BadEffects, CampaignRow, Owned
from dialer.requests import Wanted, requested
from statuses.lead import LeadFacts, Trigger, step
from store.batch import BY_STORE, name_of, perform, unanswered
from store.book import Book, Journal
from store.hand import Choice, choose, take_off, told
from store.leases import lease, places, with_leads, withdrawn
from store.rows import AttemptRow, Ban, CallbackRow, CampaignInfo, LeadRow, campaign_row
from store.rules import dial_rank, due_at, spoke_to_person, waited_s

MANUAL_LISTS = 1_000_000_000
"""The list "Manual" of a campaign has this number more than the campaign."""


class MemoryLeadStore:
    """Leases, write-ahead attempts and settlements in memory; nothing survives the process."""

    def __init__(self) -> None:
        self.book = Book()
        self.book.people = _People(self.book)
        self.callbacks: dict[tuple[int, str], CallbackRow] = {}
        """Open callbacks for people, by campaign and number."""
        self.events: list[OutboxEvent] = []
        """All CDR events so far; the offset of an event is its place, from 1."""
        self.runtimes: dict[int, tuple[bytes, float]] = {}
        self.scripts: dict[str, ScriptText] = {}
        """The scripts that campaigns may name; one that is not here was deleted."""
        self.answers: dict[int, AnswerRequest] = {}
        """What came of requests, by id."""
        self._asked: list[tuple[int, int, Wanted, float]] = []
        self._taken = 0
        self._last_lead = 0
        self._learned: dict[int, SavedEstimates] = {}
        self._engines: dict[str, float] = {}

    def add_campaign(self, settings: CampaignSettings, *, state: CampaignState = CampaignState.RUNNING) -> None:
        """Add a campaign without lists."""
        self.book.campaigns[settings.campaign_id] = CampaignInfo(settings, state=state)

    def add_list(self, list_id: int, *, active: bool = True) -> None:
        """Add a list, or switch one on or off."""
        self.book.lists[list_id] = active

    def add_lead(self, lead: LeadRow) -> None:
        """Add a lead as it is, or put back one that was changed by hand."""
        self.book.add_lead(lead)

    def add_ban(self, ban: Ban) -> None:
        """Add a suppression; leads that are there already keep their state."""
        self.book.bans.setdefault(ban.phone, []).append(ban)

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Perform all effects; return the answers in order. Raises BadEffects after all that could be performed."""
        answers: dict[int, Event | None] = {}
        for place, owned in enumerate(batch):
            if not isinstance(owned.effect, BY_STORE):
                answers[place] = perform(self.book, owned, now)
        for place, owned in enumerate(batch):
            if isinstance(owned.effect, BY_STORE):
                answers[place] = self._found(owned, now)
        journal, self.book.journal = self.book.journal, Journal()
        self.events.extend(journal.events)
        self._follow_up(journal)
        given = ((owned, answers[place]) for place, owned in enumerate(batch))
        told = [(owned.fence.campaign_id, answer) for owned, answer in given if answer is not None]
        if journal.failures:
            raise BadEffects(journal.failures, told)
        return told

    def _follow_up(self, journal: Journal) -> None:
        for key in [key for key in self.callbacks if key[1] in journal.talked]:
            del self.callbacks[key]
        for callback in journal.callbacks:
            self.callbacks[callback.campaign_id, callback.phone] = callback

    def _found(self, owned: Owned, now: float) -> Event | None:
        try:
            return self._find(owned, now)
        except Exception as error:  # noqa: BLE001 -- as in `perform`
            self.book.journal.failures.append((name_of(owned), error))
            return unanswered(owned.effect)

    def _find(self, owned: Owned, now: float) -> Event | None:
        fence = owned.fence
        match owned.effect:
            case LeaseLeads() as effect:
                source = _Source(self.book, fence.campaign_id, now, effect.prefer)
                return lease(self.book, fence, effect.count, source, now)
            case SeekLead() as effect:
                return told(effect, self._seek(fence, effect, now))
            case AnswerRequest() as effect:
                self.answers[effect.request_id] = effect
        return None

    def _seek(self, fence: Fence, effect: SeekLead, now: float) -> Choice:
        asked = self.book.leads.get(effect.lead_id)
        phone = effect.phone if asked is None else asked.phone
        here = [lead for lead in self.book.leads.values() if lead.campaign_id == fence.campaign_id]
        found = sorted((lead for lead in here if lead.phone == phone), key=lambda lead: lead is not asked)
        choice = choose(self.book, fence, found, now)
        if choice != Choice():
            return choice
        if not phone:
            return Choice(reason=HoldReason.GONE)
        for lead in found:
            if lead.list_id == MANUAL_LISTS + fence.campaign_id:
                take_off(self.book, lead, now)
        return choose(self.book, fence, [self._new_lead(fence.campaign_id, phone, now)], now)

    def _new_lead(self, campaign_id: int, phone: str, now: float) -> LeadRow:
        """Put the number on a list of its own: every call by hand to a finished customer is a new lead's."""
        number = self._last_lead = max(self._last_lead, *self.book.leads, 0) + 1
        same = [lead.customer_id for lead in self.book.leads.values() if lead.phone == phone]
        others = [lead.customer_id for lead in self.book.leads.values()]
        customer_id = same[0] if same else max(others, default=0) + 1
        list_id = MANUAL_LISTS + campaign_id
        self.book.lists[list_id] = True
        lead = LeadRow(number, customer_id, campaign_id, list_id, phone)
        self.book.add_lead(lead)
        added = step(LeadFacts(state=None), Trigger.ADDED)
        lead.state = ""
        self.book.move(lead, added, Trigger.ADDED, at=now)
        return lead

    def ask(self, campaign_id: int, wanted: Wanted, *, now: float) -> int:
        """Ask something of an agent's desk; return the request's id."""
        self._asked.append((len(self._asked) + 1, campaign_id, wanted, now))
        return len(self._asked)

    async def requests(self, fences: Sequence[Fence], *, now: float, fresh_s: float) -> Sequence[tuple[int, Requested]]:
        """Take what people ask of these campaigns, each once; too old a request is refused."""
        ours = {fence.campaign_id for fence in fences}
        told_: list[tuple[int, Requested]] = []
        for number, campaign_id, wanted, at in self._asked[self._taken :]:
            self._taken += 1
            if campaign_id in ours and at >= now - fresh_s:
                told_.append((campaign_id, requested(number, wanted)))
            else:
                self.answers[number] = AnswerRequest(number, Declined.TOO_LATE.value)
        return told_

    async def campaigns(self) -> Sequence[CampaignRow]:
        """List the campaigns that are not ended, by id."""
        infos = (info for _, info in sorted(self.book.campaigns.items()) if info.state is not CampaignState.ENDED)
        return [campaign_row(info, self.scripts) for info in infos]

    async def acquire(self, campaign_id: int, *, owner: str, now: float, ttl_s: float) -> Fence | None:
        """Take or take over (expired) a campaign with a higher epoch; None while another owner's lease is valid."""
        info = self.book.campaigns.get(campaign_id)
        if info is None:
            raise NotFound(f"there is no campaign with the id {campaign_id}; it may have been deleted")
        if info.owner is not None and info.owner != owner and (info.lease_expires_at or 0.0) > now:
            return None
        info.owner, info.epoch, info.lease_expires_at = owner, info.epoch + 1, now + ttl_s
        self._free(campaign_id)
        return Fence(campaign_id, owner, info.epoch, now + ttl_s)

    async def renew(self, fence: Fence, *, now: float, ttl_s: float) -> Fence:
        """Prolong; raise Fenced when the epoch has moved on."""
        info = self.book.campaign(fence)
        if info is None:
            raise Fenced(f"campaign {fence.campaign_id} is no longer owned by {fence.owner} with epoch {fence.epoch}")
        info.lease_expires_at = now + ttl_s
        return Fence(fence.campaign_id, fence.owner, fence.epoch, now + ttl_s)

    async def resign(self, fence: Fence) -> None:
        """Give the campaign and its unused leases back."""
        info = self.book.campaign(fence)
        if info is not None:
            info.owner = info.lease_expires_at = None
            self._free(fence.campaign_id)

    async def beat(self, owner: str, *, now: float, ttl_s: float) -> None:
        """Note that this engine lives."""
        self._engines[owner] = now + ttl_s

    async def engines(self, *, now: float) -> int:
        """Count the engines that live."""
        return sum(until > now for until in self._engines.values())

    async def leave(self, owner: str) -> None:
        """Forget this engine."""
        self._engines.pop(owner, None)

    def _free(self, campaign_id: int) -> None:
        for lead in self.book.leads.values():
            if lead.campaign_id == campaign_id and lead.lease_owner is not None:
                self.book.free(lead)

    async def open_attempts(self, campaign_id: int) -> Sequence[OpenAttempt]:
        """List the attempts begun and not settled, oldest first."""
        rows = [row for row in self._attempts(campaign_id) if not row.settled]
        ordered = sorted(rows, key=lambda row: (row.begun_at, row.call_id))
        return with_leads([_open(row) for row in ordered], self.book.leads)

    async def unfinished_talks(self, campaign_id: int) -> Sequence[tuple[CallId, int, AgentId | None]]:
        """List (call, lead, agent) of settled answered calls whose lead still waits for its wrap-up."""
        rows = [row for row in self._attempts(campaign_id) if row.settled and not row.lead_done]
        ordered = sorted(rows, key=lambda row: (row.ended_at or 0.0, row.call_id))
        return [(row.call_id, row.lead_id, row.agent_id) for row in ordered]

    async def legal_counts(self, campaign_id: int, *, since: float) -> tuple[int, int]:
        """Count (answered by a person, abandoned) attempts ended since then: 16 CFR 310.4(b)(1)(iv)."""
        info = self.book.campaigns.get(campaign_id)
        if info is None:
            return 0, 0
        limit = info.settings.legal.connect_within_s
        ended = [row for row in self._attempts(campaign_id) if row.ended_at is not None and row.ended_at >= since]
        waits = [waited_s(row) for row in ended if spoke_to_person(row, info.settings.kind)]
        return len(waits), sum(wait > limit for wait in waits)

    async def withdrawn(self, campaign_id: int, lead_ids: Sequence[int]) -> Sequence[int]:
        """Return those of these leased leads that people have since paused, removed, suppressed or switched off."""
        return withdrawn(self.book, campaign_id, lead_ids, now=math.inf)

    async def set_state(
        self, seen: CampaignRow, state: CampaignState, *, resumes_by_schedule: bool, now: float
    ) -> bool:
        """Write a campaign state that the schedule decided, unless a person changed the campaign since it was seen."""
        info = self.book.campaigns.get(seen.settings.campaign_id)
        if info is None or info.revision != seen.revision:
            return False
        info.state, info.resumes_by_schedule, info.state_since = state, resumes_by_schedule, now
        info.revision += 1
        return True

    async def publish(self, fence: Fence, runtime: bytes, *, now: float) -> None:
        """Keep the engine's latest live figures; those of an owner that lost the campaign are dropped."""
        if self.book.campaign(fence) is not None:
            self.runtimes[fence.campaign_id] = (runtime, now)

    async def learned(self, campaign_id: int) -> SavedEstimates:
        """Return what was remembered last; empty when nothing was, or people had it forgotten."""
        return self._learned.get(campaign_id, SavedEstimates())

    async def remember(self, fence: Fence, learned: SavedEstimates) -> bool:
        """Keep what an engine has learned; False for an owner that lost the campaign, or when it was forgotten."""
        before = await self.learned(fence.campaign_id)
        taken = self.book.campaign(fence) is not None and before.forgets == learned.forgets
        if taken:
            self._learned[fence.campaign_id] = learned
        return taken

    def forget(self, campaign_id: int, *, now: float) -> None:
        """Drop what a campaign has learned."""
        before = self._learned.get(campaign_id, SavedEstimates())
        self._learned[campaign_id] = SavedEstimates(saved_at=now, forgets=before.forgets + 1)

    def _attempts(self, campaign_id: int) -> list[AttemptRow]:
        return [row for row in self.book.attempts.values() if row.campaign_id == campaign_id]


class _People:
    """Customers as the leads know them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lists: dict[int, int] = {}

    def customer(self, phone: str, now: float) -> tuple[int, str]:  # noqa: ARG002 -- the port's
        known = [(lead.customer_id, lead.name) for lead in self._book.leads.values() if lead.phone == phone]
        highest = max((lead.customer_id for lead in self._book.leads.values()), default=0)
        return min(known, default=(highest + 1, ""))

    def name(self, customer_id: int) -> str:
        return next((lead.name for lead in self._book.leads.values() if lead.customer_id == customer_id), "")

    def fields(self, customer_id: int) -> dict[str, str]:
        same = (lead.fields for lead in self._book.leads.values() if lead.customer_id == customer_id and lead.fields)
        return next(same, {})

    def inbound_list(self, campaign_id: int, now: float) -> int:  # noqa: ARG002 -- the port's
        if campaign_id not in self._lists:
            self._lists[campaign_id] = list_id = max(self._book.lists, default=0) + 1
            self._book.lists[list_id] = True
        return self._lists[campaign_id]

    def lead_id(self) -> int:
        return max(self._book.leads, default=0) + 1


class _Source:
    """All leads of one campaign, looked through at every question."""

    def __init__(self, book: Book, campaign_id: int, now: float, prefer: Sequence[int] = ()) -> None:
        self._places = places(prefer)
        self._leads = [
            lead
            for lead in book.leads.values()
            if lead.campaign_id == campaign_id and book.lists.get(lead.list_id, False)
        ]
        self._now = now

    def candidates(self, rank: int, limit: int) -> Sequence[LeadRow]:
        keyed = (
            (self._places.get(lead.list_id, 0), due, -lead.priority, lead.id, lead)
            for lead in self._leads
            if dial_rank(lead) == rank and (due := due_at(lead)) is not None and due <= self._now
        )
        return [row[-1] for row in heapq.nsmallest(limit, keyed)]

    def settle(self) -> None:
        """Nothing to do: the rows themselves were changed."""

    def next_due(self) -> float | None:
        dues = (due_at(lead) for lead in self._leads)
        return min((due for due in dues if due is not None and due > self._now), default=None)


def _open(row: AttemptRow) -> OpenAttempt:
    intent = AttemptIntent(
        call_id=row.call_id,
        lead_id=row.lead_id,
        customer_id=row.customer_id,
        list_id=row.list_id,
        phone=row.phone,
        hotline=row.hotline,
        trunk=row.trunk,
        attempt_no=max(0, row.attempt_no),
        begun_at=row.begun_at,
        direction=Direction(row.direction),
    )
    return OpenAttempt(intent, answered_at=row.answered_at, bridged_at=row.bridged_at, agent_id=row.agent_id)
