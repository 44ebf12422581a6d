"""Plan a batch of store effects over a book: each is judged under its fence, one that cannot be done harms no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from dialer.core.effects import (
    AnswerRequest,
    BeginAttempts,
    BeginInbound,
    CheckNumber,
    LeaseLeads,
    RecordProgress,
    ReleaseLeads,
    SeekLead,
    SettleAttempt,
    SettleLead,
    StoreEffect,
)
from dialer.core.events import Event, InboundBegun, LeadFound, LeadsLeased
from dialer.core.types import HoldReason
from dialer.ports import Owned
from store.attempts import begin, progress
from store.book import Book
from store.hand import check
from store.inbound import begin_inbound
from store.leases import release
from store.settle import settle_attempt, settle_lead

BY_STORE: Final = (LeaseLeads, SeekLead, AnswerRequest)
"""Effects that a store performs itself, after all that a book knows of."""


@dataclass(slots=True)
class Touched:
    """What a batch will touch: the keys to read before it is planned; `phones` are about to be called."""

    campaigns: set[int] = field(default_factory=set)
    leads: set[int] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    arrivals: set[tuple[int, str]] = field(default_factory=set)
    """(campaign, number) of customers who call us."""


def touched(batch: Sequence[Owned]) -> Touched:
    """Collect the keys of a batch."""
    keys = Touched()
    for owned in batch:
        keys.campaigns.add(owned.fence.campaign_id)
        _collect(keys, owned.effect)
        if isinstance(owned.effect, BeginInbound):
            keys.arrivals.add((owned.fence.campaign_id, owned.effect.phone))
    return keys


def _collect(keys: Touched, effect: StoreEffect) -> None:
    match effect:
        case BeginAttempts():
            for intent in effect.intents:
                keys.leads.add(intent.lead_id)
                keys.calls.add(intent.call_id)
                keys.phones.add(intent.phone)
        case BeginInbound():
            keys.calls.add(effect.call_id)
            keys.phones.update({effect.phone} - {""})
        case SettleAttempt():
            keys.leads.add(effect.record.lead_id)
            keys.calls.add(effect.record.call_id)
        case SettleLead():
            keys.leads.add(effect.result.lead_id)
            keys.calls.add(effect.result.call_id)
        case RecordProgress():
            keys.calls.add(effect.call_id)
        case ReleaseLeads():
            keys.leads.update(effect.lead_ids)
        case CheckNumber():
            keys.phones.add(effect.phone)
        case LeaseLeads() | SeekLead() | AnswerRequest():
            pass
        case _:
            assert_never(effect)


def unanswered(effect: StoreEffect) -> Event | None:
    """Return what the engine hears of an effect that could not be performed: it must not wait for ever."""
    match effect:
        case BeginInbound():
            return InboundBegun(effect.call_id, None, None)
        case SeekLead():
            return LeadFound(effect.agent_id, None, HoldReason.GONE, effect.lead_id, effect.phone)
        case LeaseLeads():
            return LeadsLeased(())
        case _:
            return None


def perform(book: Book, owned: Owned, now: float) -> Event | None:
    """Perform one effect on the book and return its answer; what cannot be performed is journalled as a failure."""
    try:
        return _perform(book, owned, now)
    except Exception as error:  # noqa: BLE001 -- one bad effect must not take the batch of a whole service with it
        book.journal.failures.append((name_of(owned), error))
        return unanswered(owned.effect)


def name_of(owned: Owned) -> str:
    """Say which effect it was, for the log."""
    calls = sorted(touched([owned]).calls)
    return ", ".join(calls) or f"{type(owned.effect).__name__} of campaign {owned.fence.campaign_id}"


def _perform(book: Book, owned: Owned, now: float) -> Event | None:
    fence, effect = owned.fence, owned.effect
    match effect:
        case BeginAttempts():
            return begin(book, fence, effect, now)
        case BeginInbound():
            return begin_inbound(book, fence, effect, now)
        case SettleAttempt():
            settle_attempt(book, fence, effect)
        case SettleLead():
            settle_lead(book, fence, effect, now)
        case RecordProgress():
            progress(book, fence, effect)
        case ReleaseLeads():
            release(book, fence, effect.lead_ids)
        case CheckNumber():
            return check(book, fence, effect, now)
        case LeaseLeads() | SeekLead() | AnswerRequest():
            raise TypeError("leads are found by the store, which knows the candidates; requests are no rows of a book")
        case _:
            assert_never(effect)
    return None
