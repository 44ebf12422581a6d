"""Offer leads to an engine and take them back; every refusal puts a brake on the lead so that it is not met again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from dialer.core.caps import caps_in_force
from dialer.core.events import LeadsLeased
from dialer.core.types import Fence, HoldReason, Lead, OpenAttempt
from statuses.lead import LeadState, Trigger, step
from store.book import Book
from store.rows import CampaignInfo, LeadRow
from store.rules import IN_FLIGHT_RECHECK_S, RECHECK_S, Hold, ban_hold, due_at, lead_hold, number_hold, ranks

_MARGIN: Final = 20
"""Candidates looked at beyond what is wanted: some will be refused."""
_LISTED: Final = {HoldReason.DNC: Trigger.DNC, HoldReason.BLACKLIST: Trigger.BLACKLIST}


Places: TypeAlias = Mapping[int, int]
"""Preferred lists, below zero: what is not among them stands at zero."""


def places(prefer: Sequence[int]) -> Places:
    """Return where each preferred list stands, the first of them lowest."""
    return {list_id: place - len(prefer) for place, list_id in enumerate(prefer)}


class Source(Protocol):
    """Where the leads are that may be leased."""

    def candidates(self, rank: int, limit: int) -> Sequence[LeadRow]:
        """Return due leads of a rank in active lists, in dialing order, and learn what the guards ask of them."""
        ...

    def settle(self) -> None:
        """Make what was decided about the last candidates visible to the next question."""
        ...

    def next_due(self) -> float | None:
        """Return when the next lead is due that is not due yet."""
        ...


def lease(book: Book, fence: Fence, count: int, source: Source, now: float) -> LeadsLeased:
    """Lease up to `count` leads in dialing order; under a stale fence none.

    Leads that a guard refuses are braked, so no later call meets them again; at most a few thousand in one go.
    """
    info = book.campaign(fence)
    if info is None:
        return LeadsLeased(())
    leased: list[Lead] = []
    budget = max(2_000, 10 * count)
    for rank in ranks(info.settings.retry.order):
        while len(leased) < count and budget > 0:
            room = count - len(leased)
            found = source.candidates(rank, room + _MARGIN)
            leased += offer(book, fence, found, room=room, now=now)
            source.settle()
            budget -= len(found)
            if len(found) < room + _MARGIN:
                break
    return LeadsLeased(tuple(leased), now if budget <= 0 else source.next_due())


def offer(book: Book, fence: Fence, candidates: Iterable[LeadRow], *, room: int, now: float) -> list[Lead]:
    """Lease up to `room` of the candidates, in their order; those that a guard refuses are braked."""
    leased: list[Lead] = []
    for lead in candidates:
        if len(leased) == room:
            break
        hold = guard(book, lead, now, leases=True)
        if hold is not None:
            refuse(book, lead, hold, now)
            continue
        book.lease(lead, fence)
        leased.append(lent(lead))
    return leased


def guard(book: Book, lead: LeadRow, now: float, *, leases: bool, by_hand: bool = False) -> Hold | None:
    """Return why the lead may not be called now; `leases`: a lease of its number for another lead counts too."""
    settings = book.campaigns[lead.campaign_id].settings
    others = book.holders.get(lead.phone, {}).items()
    taken = any(other != lead.id and (calling or leases) for other, calling in others)
    active = book.lists.get(lead.list_id, False)
    return (
        lead_hold(lead, list_active=active, max_attempts=settings.retry.max_attempts, now=now, by_hand=by_hand)
        or ban_hold(book.bans.get(lead.phone, ()), lead.campaign_id, now)
        or (Hold(HoldReason.NUMBER_IN_FLIGHT, now + IN_FLIGHT_RECHECK_S) if taken else None)
        or number_hold(book.dials.get(lead.phone, {}).values(), caps_in_force(settings), now)
    )


def refuse(book: Book, lead: LeadRow, hold: Hold, now: float) -> None:
    """Hold a lead that may not be called: by state when its number is listed (T18, T19), else for a while."""
    trigger = _LISTED.get(hold.reason)
    if trigger is not None and lead.state not in (LeadState.DNC, LeadState.BLACKLISTED):
        book.move(lead, step(book.facts(lead), trigger), trigger, at=now)
    else:
        book.brake(lead, hold, now + RECHECK_S)


def lent(lead: LeadRow) -> Lead:
    """Return the lead as the engine sees it."""
    return Lead(
        lead_id=lead.id,
        customer_id=lead.customer_id,
        list_id=lead.list_id,
        phone=lead.phone,
        attempts=lead.attempts,
        dialed=lead.dialed,
        error_attempts=lead.error_attempts,
        status_attempts=dict(lead.status_attempts),
        last_status=lead.last_status,
        last_hotline=lead.last_hotline,
        due_at=_appointment(lead),
        callback_agent=lead.callback_agent if lead.state == LeadState.CALLBACK else None,
        from_state=LeadState(lead.state),
        name=lead.name,
        fields=lead.fields,
    )


def with_leads(found: Sequence[OpenAttempt], leads: Mapping[int, LeadRow]) -> list[OpenAttempt]:
    """Add to each attempt that talks with an agent the lead as the engine sees it."""
    return [
        msgspec.structs.replace(attempt, lead=lent(lead))
        if attempt.bridged_at is not None and (lead := leads.get(attempt.intent.lead_id)) is not None
        else attempt
        for attempt in found
    ]


def _appointment(lead: LeadRow) -> float:
    # The lease hides the lead from `due_at`; the engine still wants to know what it was due at.
    owner, lead.lease_owner = lead.lease_owner, None
    due = due_at(lead)
    lead.lease_owner = owner
    return due or 0.0


def release(book: Book, fence: Fence, lead_ids: Sequence[int]) -> None:
    """Take leases of this fence back; leads that are not leased to it any more are left alone."""
    for lead_id in lead_ids:
        lead = book.leads.get(lead_id)
        if lead is not None and lead.lease_owner == fence.owner and lead.lease_epoch == fence.epoch:
            book.free(lead)


def withdrawn(book: Book, campaign_id: int, lead_ids: Sequence[int], now: float) -> list[int]:
    """Return those of the leased leads that may not be dialed any more: gone, taken away, held, listed, list off."""
    info = book.campaigns.get(campaign_id)
    if info is None:
        return list(lead_ids)
    return [lead_id for lead_id in lead_ids if _is_withdrawn(book, info, lead_id, now)]


def _is_withdrawn(book: Book, info: CampaignInfo, lead_id: int, now: float) -> bool:
    lead = book.leads.get(lead_id)
    if lead is None or lead.lease_owner != info.owner or lead.lease_epoch != info.epoch:
        return True
    active = book.lists.get(lead.list_id, False)
    own = lead_hold(lead, list_active=active, max_attempts=info.settings.retry.max_attempts, now=now)
    return own is not None or ban_hold(book.bans.get(lead.phone, ()), lead.campaign_id, now) is not None
