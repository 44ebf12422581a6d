"""Startup is recovery: what a dead process left behind is settled before the first dial (architecture.md section 7)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.settling import orphan_record, unfinished_talk
from dialer.core.types import CallId, Direction, Fence, OpenAttempt
from dialer.ports import Clock, LeadStore, Owned, Telephony
from statuses.outcomes import CancelReason

log = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """What became of the attempts that were begun and never settled: how many are, and the talks that go on."""

    settled: int
    going_on: Sequence[OpenAttempt] = ()


async def reconcile(
    store: LeadStore,
    telephony: Telephony,
    fence: Fence,
    clock: Clock,
    *,
    expect: Callable[[Sequence[CallId]], None],
    has_trunk: Callable[[str], bool],
) -> Recovered:
    """Settle every attempt that was begun and never settled, but for talks that go on at the switch.

    `expect` is told of these before the switch is asked, so that nothing that it says of them meanwhile is lost. Any
    other call is ended by our own call id first, whether or not the switch shows it. An unknown outcome becomes LOST:
    it has its CDR, it counts for the 24 h rule, and the lead is not dialed again until a person releases it (T26).
    """
    orphans = await store.open_attempts(fence.campaign_id)
    talks = [
        orphan for orphan in orphans if _is_talk(orphan) and (_is_theirs(orphan) or has_trunk(orphan.intent.trunk))
    ]
    expect([talk.intent.call_id for talk in talks])
    alive = {call.call_id: call for call in await telephony.snapshot()}
    joined = {call_id for call_id, call in alive.items() if call.agent_id is not None}
    going_on = [talk for talk in talks if talk.intent.call_id in joined]
    left = [orphan for orphan in orphans if orphan not in going_on]
    for orphan in left:  # a switch may hold what its snapshot does not show yet; it ignores what it does not know
        await telephony.hangup(orphan.intent.call_id, reason=CancelReason.ADMIN)
    now = clock.now()
    batch = [Owned(fence, SettleAttempt(orphan_record(orphan, now))) for orphan in left]
    wrap_ups = await store.unfinished_talks(fence.campaign_id)
    batch += [Owned(fence, SettleLead(unfinished_talk(*talk))) for talk in wrap_ups]
    if batch:
        await store.commit(batch, now=now)
    if batch or going_on:
        extra = {"action": "recovery.settled", "attempts": len(left), "talks": len(wrap_ups), "going_on": len(going_on)}
        log.warning("settled what a stopped process left behind", extra=extra)
    return Recovered(len(left), going_on)


def _is_talk(orphan: OpenAttempt) -> bool:
    return orphan.bridged_at is not None and orphan.agent_id is not None and orphan.lead is not None


def _is_theirs(orphan: OpenAttempt) -> bool:
    """Tell whether the customer called us: such a call holds no channel of ours."""
    return orphan.intent.direction is Direction.INBOUND
