"""Offer leads to an engine and take them back; every refusal puts a brake on the lead so that it is not met again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dialer.core.types import Fence, HoldReason, Lead
from statuses.lead import LeadState, Trigger, step
from store.book import Book
from store.rows import CampaignInfo, LeadRow
from store.rules import IN_FLIGHT_RECHECK_S, RECHECK_S, Hold, ban_hold, due_at, lead_hold, number_hold

_LISTED = {HoldReason.DNC: Trigger.DNC, HoldReason.BLACKLIST: Trigger.BLACKLIST}


def offer(book: Book, fence: Fence, candidates: Iterable[LeadRow], *, room: int, now: float) -> list[Lead]:
    """Lease up to `room` of the candidates, in their order; those that a guard refuses are braked."""
    info = book.campaigns[fence.campaign_id]
    leased: list[Lead] = []
    for lead in candidates:
        if len(leased) == room:
            break
        hold = _hold(book, lead, info, now)
        if hold is not None:
            refuse(book, lead, hold, now)
            continue
        book.lease(lead, fence)
        leased.append(lent(lead))
    return leased


def _hold(book: Book, lead: LeadRow, info: CampaignInfo, now: float) -> Hold | None:
    max_attempts = info.settings.retry.max_attempts
    holders = book.holders.get(lead.phone, {})
    return (
        lead_hold(lead, list_active=book.lists.get(lead.list_id, False), max_attempts=max_attempts, now=now)
        or ban_hold(book.bans.get(lead.phone, ()), lead.campaign_id, now)
        or (Hold(HoldReason.NUMBER_IN_FLIGHT, now + IN_FLIGHT_RECHECK_S) if holders.keys() - {lead.id} else None)
        or number_hold(book.dials.get(lead.phone, {}).values(), info.settings.caps, now)
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
    )


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
