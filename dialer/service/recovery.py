"""Startup is recovery: what a dead process left behind is settled before the first dial (architecture.md section 7)."""

from __future__ import annotations

import logging

from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.settling import orphan_record, unfinished_talk
from dialer.core.types import Fence
from dialer.ports import Clock, LeadStore, Owned, Telephony
from statuses.outcomes import CancelReason

log = logging.getLogger(__name__)


async def reconcile(store: LeadStore, telephony: Telephony, fence: Fence, clock: Clock) -> int:
    """Settle every attempt that was begun and never settled; return how many there were.

    A call that the switch still holds is ended by our own call id first. An unknown outcome becomes LOST: it has its
    CDR, it counts for the 24 h rule, and the lead is not dialed again until a person releases it (T26).
    """
    orphans = await store.open_attempts(fence.campaign_id)
    alive = {call.call_id for call in await telephony.snapshot()}
    for orphan in orphans:
        if orphan.intent.call_id in alive:
            await telephony.hangup(orphan.intent.call_id, reason=CancelReason.ADMIN)
    now = clock.now()
    batch = [Owned(fence, SettleAttempt(orphan_record(orphan, now))) for orphan in orphans]
    talks = await store.unfinished_talks(fence.campaign_id)
    batch += [Owned(fence, SettleLead(unfinished_talk(*talk))) for talk in talks]
    if batch:
        await store.commit(batch, now=now)
        extra = {"action": "recovery.settled", "attempts": len(orphans), "talks": len(talks)}
        log.warning("settled what a stopped process left behind", extra=extra)
    return len(orphans)
