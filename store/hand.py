"""Which lead a call by hand is for: the one that may be called, whatever time it is due at, else a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from dialer.core.effects import CheckNumber, SeekLead
from dialer.core.events import LeadFound, NumberChecked
from dialer.core.types import Fence, HoldReason
from statuses.lead import LeadState, Trigger, step
from store.book import Book
from store.leases import guard, lent
from store.rows import LeadRow
from store.rules import Hold, ban_hold

LIST_NAME: Final = "Manual"
"""The list of the customers whom agents called by hand; a campaign gets it with the first of them."""
_STARTS_ANEW: Final = frozenset({LeadState.SUCCESS.value, LeadState.RETRY_EXHAUSTED.value, LeadState.CALL_ERROR.value})
"""States in which a lead is finished, and the person may be called again all the same if an agent wants to."""


class Choice(NamedTuple):
    """A leased lead, or why nobody may be called; neither: the customer needs a new place on the list."""

    lead: LeadRow | None = None
    reason: HoldReason | None = None


def choose(book: Book, fence: Fence, found: Sequence[LeadRow], now: float) -> Choice:
    """Lease the first of the leads of a number that may be called; raise nothing, say why not.

    What a person has finished with stays as it is: the call is a new lead's. Whoever asked not to be called is not.
    """
    if book.campaign(fence) is None:
        return Choice(reason=HoldReason.FENCED)
    for lead in found:
        hold = guard(book, lead, now, leases=True, by_hand=True)
        if hold is None:
            book.lease(lead, fence)
            return Choice(lead)
        if not _starts_anew(lead, hold):
            return Choice(reason=HoldReason.SUPPRESSED if lead.state == LeadState.DO_NOT_RECALL else hold.reason)
    return Choice()


def _starts_anew(lead: LeadRow, hold: Hold) -> bool:
    over = {HoldReason.FINISHED, HoldReason.MAX_ATTEMPTS}
    return hold.reason is HoldReason.LIST_OFF or (hold.reason in over and lead.state in _STARTS_ANEW)


def take_off(book: Book, lead: LeadRow, now: float) -> None:
    """Make room on the list "Manual" for the customer's next call (T21); the records of the earlier ones stay."""
    book.move(lead, step(book.facts(lead), Trigger.REMOVE), Trigger.REMOVE, at=now)


def told(effect: SeekLead, choice: Choice) -> LeadFound:
    """Say to the engine what was found."""
    lead = None if choice.lead is None else lent(choice.lead)
    return LeadFound(effect.agent_id, lead, choice.reason, effect.lead_id, effect.phone)


def check(book: Book, fence: Fence, effect: CheckNumber, now: float) -> NumberChecked:
    """Say whether a list forbids the number that a call is to be sent on to."""
    hold = ban_hold(book.bans.get(effect.phone, ()), fence.campaign_id, now)
    return NumberChecked(effect.call_id, effect.phone, None if hold is None else hold.reason)
