from __future__ import annotations

from collections import Counter

import pytest

from dialer.bench.traffic import CAMPAIGN, LIST_ID, NOW, Traffic, phone
from dialer.core.effects import SettleAttempt, SettleLead
from store.memory import MemoryLeadStore
from store.rows import LeadRow


async def dialed(leads: int, traffic: Traffic) -> tuple[MemoryLeadStore, Counter[type]]:
    store = MemoryLeadStore()
    store.add_campaign(CAMPAIGN)
    store.add_list(LIST_ID)
    for number in range(1, leads + 1):
        store.add_lead(LeadRow(number, number, CAMPAIGN.campaign_id, LIST_ID, phone(number)))
    fence = await store.acquire(CAMPAIGN.campaign_id, owner="test", now=NOW, ttl_s=60.0)
    assert fence is not None
    kinds: Counter[type] = Counter()
    for commit in traffic.commits(fence):
        kinds.update(type(owned.effect) for owned in commit)
        traffic.take(await store.commit(commit, now=traffic.now))
    return store, kinds


async def test_every_attempt_is_begun_and_settled_and_every_talk_wrapped_up() -> None:
    traffic = Traffic(23, 5)
    store, kinds = await dialed(23, traffic)
    traffic.check()
    assert all(attempt.settled and attempt.lead_done for attempt in store.book.attempts.values())
    assert len(store.book.attempts) == kinds[SettleAttempt] == 23
    assert kinds[SettleLead] == sum(lead.state == "success" for lead in store.book.leads.values()) == 5


async def test_a_run_that_did_less_is_not_measured() -> None:
    traffic = Traffic(23, 5)
    await dialed(22, traffic)
    with pytest.raises(RuntimeError, match="22 of 23"):
        traffic.check()
