"""The working set of one batch: rows by id, the use of each number, and a journal of what changed.

The SQL store fills a book with what a batch touches and writes the journal back; for the memory store the book is the
whole world. The rules in `attempts`, `settle` and `leases` only ever see a book.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cdr.encode import CampaignRef, LeadChange, OutboxEvent, lead_changed
from dialer.core.types import Fence
from statuses.lead import ErrorKind, LeadFacts, LeadState, LeadStep, Trigger, step
from store.rows import AttemptRow, Ban, CallbackRow, CampaignInfo, Dial, LeadRow
from store.rules import Hold


@dataclass(slots=True)
class Journal:
    """What a batch changed; `leases` are leads of which only the lease and the brake changed."""

    leads: set[int] = field(default_factory=set)
    leases: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    added: dict[int, float] = field(default_factory=dict)
    """New leads, and since when."""
    callbacks: list[CallbackRow] = field(default_factory=list)
    talked: dict[str, tuple[str | None, float]] = field(default_factory=dict)
    """Numbers whose customers were talked with: by which agent, and when."""
    begun: set[str] = field(default_factory=set)
    attempts: set[str] = field(default_factory=set)
    bans: list[Ban] = field(default_factory=list)
    events: list[OutboxEvent] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    """(call id or campaign, what was wrong): effects that could not be performed; the others were."""


class People(Protocol):
    """Customers, and where those stand who call us and are on no list."""

    def customer(self, phone: str, now: float) -> tuple[int, str]:
        """Return the id and the name of the customer of a number, made if there is none; "" is who withholds it."""
        ...

    def name(self, customer_id: int) -> str:
        """Return a customer's name."""
        ...

    def fields(self, customer_id: int) -> dict[str, str]:
        """Return what texts may name of a customer."""
        ...

    def inbound_list(self, campaign_id: int, now: float) -> int:
        """Return a campaign's list "Inbound", made if there is none."""
        ...

    def lead_id(self) -> int:
        """Return an id for a new lead."""
        ...


class Book:
    """Rows in memory with the indexes that the guards need."""

    def __init__(self) -> None:
        self.campaigns: dict[int, CampaignInfo] = {}
        self.lists: dict[int, bool] = {}
        """Whether each list is switched on."""
        self.leads: dict[int, LeadRow] = {}
        self.attempts: dict[str, AttemptRow] = {}
        self.dials: dict[str, dict[str, Dial]] = {}
        """Attempts of the last day, or open, by phone and call id."""
        self.holders: dict[str, dict[int, bool]] = {}
        """Leads that have a phone leased (False) or are in a call with it (True)."""
        self.bans: dict[str, list[Ban]] = {}
        self.people: People | None = None
        self.matches: dict[tuple[int, str], frozenset[int]] = {}
        """Leads of a campaign whose customer has a number, beside those with the number itself."""
        self.journal = Journal()
        self._refs: dict[int, CampaignRef] = {}

    def campaign(self, fence: Fence) -> CampaignInfo | None:
        """Return the campaign when the fence holds."""
        info = self.campaigns.get(fence.campaign_id)
        return info if info is not None and info.is_valid(fence) else None

    def ref(self, campaign_id: int) -> CampaignRef:
        """Return how events name the campaign."""
        found = self._refs.get(campaign_id)
        if found is None:
            settings = self.campaigns[campaign_id].settings
            found = self._refs[campaign_id] = CampaignRef(campaign_id, settings.name, settings.kind.value)
        return found

    def add_lead(self, lead: LeadRow) -> None:
        """Take a row in as it is stored."""
        self.leads[lead.id] = lead
        self.hold_number(lead)

    def hold_number(self, lead: LeadRow) -> None:
        """Bring the index of numbers in use up to date with a lead."""
        calling = lead.state == LeadState.IN_PROGRESS
        if calling or lead.lease_owner is not None:
            self.holders.setdefault(lead.phone, {})[lead.id] = calling
        elif lead.phone in self.holders:
            self.holders[lead.phone].pop(lead.id, None)

    def facts(self, lead: LeadRow) -> LeadFacts:
        """Return what the state table needs."""
        return LeadFacts(
            state=LeadState(lead.state),
            remembered=None if lead.remembered is None else LeadState(lead.remembered),
            attempts=lead.attempts,
            max_attempts=self.campaigns[lead.campaign_id].settings.retry.max_attempts,
            error_kind=None if lead.error_kind is None else ErrorKind(lead.error_kind),
            pending=None if lead.pending is None else Trigger(lead.pending),
        )

    def move(self, lead: LeadRow, step: LeadStep, trigger: Trigger, *, agent: str | None = None, at: float) -> None:
        """Apply a step of the state table and journal its event; the lease ends with it."""
        state_from, lead.version = lead.state, lead.version + 1
        lead.lease_owner = lead.lease_epoch = None
        if step.state is None:
            self._remove(lead)
        else:
            lead.state = step.state.value
            lead.remembered = None if step.remembered is None else step.remembered.value
            lead.error_kind = None if step.error_kind is None else step.error_kind.value
            lead.pending = None if step.pending is None else step.pending.value
            lead.reconcile = step.reconcile
            self.journal.leads.add(lead.id)
            self.hold_number(lead)
        state_to = None if step.state is None else step.state.value
        change = _change(lead, (state_from, state_to), step.rule, trigger, agent=agent, at=at)
        self.journal.events.append(lead_changed(change, self.ref(lead.campaign_id)))

    def admit(self, lead: LeadRow, trigger: Trigger, *, at: float) -> None:
        """Add a new lead (T1 to T3) and journal its event."""
        moved = step(LeadFacts(state=None), trigger)
        lead.state, lead.version = str(moved.state or ""), 1
        lead.remembered = None if moved.remembered is None else moved.remembered.value
        self.add_lead(lead)
        self.journal.added[lead.id] = at
        change = _change(lead, (None, lead.state), moved.rule, trigger, agent=None, at=at)
        self.journal.events.append(lead_changed(change, self.ref(lead.campaign_id)))

    def _remove(self, lead: LeadRow) -> None:
        self.journal.removed.add(lead.id)
        self.leads.pop(lead.id, None)
        self.holders.get(lead.phone, {}).pop(lead.id, None)

    def lease(self, lead: LeadRow, fence: Fence) -> None:
        """Give the lead to the fence's owner."""
        lead.lease_owner, lead.lease_epoch = fence.owner, fence.epoch
        lead.held_until = lead.held_reason = None
        self._leased(lead)

    def free(self, lead: LeadRow) -> None:
        """Take the lease away."""
        lead.lease_owner = lead.lease_epoch = None
        self._leased(lead)

    def brake(self, lead: LeadRow, hold: Hold, otherwise: float) -> None:
        """Take the lease away and do not offer the lead again before the hold ends, or `otherwise`."""
        lead.held_until = otherwise if hold.until is None else hold.until
        lead.held_reason = hold.reason.value
        self.free(lead)

    def _leased(self, lead: LeadRow) -> None:
        self.journal.leases.add(lead.id)
        self.hold_number(lead)


def _change(
    lead: LeadRow, states: tuple[str | None, str | None], rule: str, trigger: Trigger, *, agent: str | None, at: float
) -> LeadChange:
    return LeadChange(
        lead_id=lead.id,
        campaign_id=lead.campaign_id,
        list_id=lead.list_id,
        customer_id=lead.customer_id,
        phone=lead.phone,
        state_from=states[0],
        state_to=states[1],
        rule=rule,
        trigger=trigger.value,
        attempts=lead.attempts,
        dialed=lead.dialed,
        last_status=lead.last_status,
        error_kind=lead.error_kind,
        next_at=lead.next_at,
        callback_at=lead.callback_at,
        agent_id=agent,
        version=lead.version,
        at=at,
    )
