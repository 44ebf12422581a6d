"""Each safeguard of the dialing path, switched off in a store of the test's own, is missed by a checker (promise P3).

The checker keeps its own books at the carrier: what it sees of INVITEs, beside what the store says afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from dialer.core.effects import BeginAttempts
from dialer.core.events import AttemptsBegun, Event
from dialer.core.types import NumberCaps
from dialer.ports import Owned
from dialer.service.keeper import LEASE_S
from simulator.profile import Fate
from store.memory import MemoryLeadStore
from store.rows import LeadRow
from tests.dialer.core.bench_engine import SETTINGS
from tests.dialer.service.stage import Stage
from tests.simulator.worlds import only


class Carrier:
    """The carrier's own books: every INVITE of every process, with what the store said at that moment."""

    def __init__(self, *stages: Stage) -> None:
        self.found: Counter[str] = Counter()
        self.invites = 0
        self._at: dict[str, list[float]] = {}
        for stage in stages:
            stage.trunk.on_invite = lambda call_id, phone, now, stage=stage: self._invited(stage, call_id, phone, now)

    def _invited(self, stage: Stage, call_id: str, phone: str, now: float) -> None:
        self.invites += 1
        book = stage.store.book
        attempt = book.attempts.get(call_id)
        if attempt is None:
            self.found["an INVITE that no attempt stands for"] += 1
        elif stage.keeper._owner != book.campaigns[attempt.campaign_id].owner:
            self.found["an INVITE by an owner that has lost the campaign"] += 1
        recent = [at for at in self._at.get(phone, ()) if at > now - 86_400.0]
        if recent:
            self.found["a second call to a number within its 24 hours"] += 1
        self._at[phone] = [*recent, now]


class NoWriteAhead(MemoryLeadStore):
    """Says that intents are durable before they are: they are written with the next commit."""

    def __init__(self) -> None:
        super().__init__()
        self._later: list[Owned] = []

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Answer first, write later."""
        due, self._later = self._later, [one for one in batch if isinstance(one.effect, BeginAttempts)]
        told: list[tuple[int, Event]] = [
            (one.fence.campaign_id, AttemptsBegun(tuple(intent.call_id for intent in one.effect.intents)))
            for one in self._later
            if isinstance(one.effect, BeginAttempts)
        ]
        await super().commit(due, now=now)
        rest = [one for one in batch if not isinstance(one.effect, BeginAttempts)]
        return [*told, *await super().commit(rest, now=now)]


class NoFence(MemoryLeadStore):
    """Takes whoever writes for the owner."""

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Give each effect the fence that is valid now."""
        return await super().commit([self._forged(one) for one in batch], now=now)

    def _forged(self, one: Owned) -> Owned:
        info = self.book.campaigns[one.fence.campaign_id]
        fence = msgspec.structs.replace(one.fence, owner=info.owner or one.fence.owner, epoch=info.epoch)
        if isinstance(one.effect, BeginAttempts):
            for intent in one.effect.intents:
                lead = self.book.leads[intent.lead_id]
                lead.lease_owner, lead.lease_epoch = fence.owner, fence.epoch
        return Owned(fence, one.effect)


async def _hang(*_: object, **__: object) -> None:
    """Never come back: the process does not see that its lease has run out."""
    await asyncio.Event().wait()


class NoNumberGuard(MemoryLeadStore):
    """Forgets which numbers were called."""

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Commit without the books of numbers."""
        self.book.dials.clear()
        self.book.holders.clear()
        return await super().commit(batch, now=now)


@pytest.mark.parametrize(
    ("store", "missed"), [(MemoryLeadStore, 0), (NoWriteAhead, "an INVITE that no attempt stands for")]
)
async def test_without_write_ahead_a_call_leaves_that_no_attempt_stands_for(
    store: type[MemoryLeadStore], missed: str | int
) -> None:
    stage = Stage(store=store(), agents=1)
    stage.campaign(leads=30)
    carrier = Carrier(stage)
    async with stage.running():
        await stage.clock.advance(120)
    assert carrier.invites > 1
    assert dict(carrier.found).keys() == ({missed} if missed else set())


@pytest.mark.parametrize(
    ("store", "missed"), [(MemoryLeadStore, 0), (NoFence, "an INVITE by an owner that has lost the campaign")]
)
async def test_without_the_fence_an_owner_that_hung_calls_on(
    store: type[MemoryLeadStore], missed: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(store=store(), agents=3, carrier=only(Fate.ENGAGED))
    stage.campaign(leads=60)
    carrier = Carrier(stage)
    async with stage.running():
        await stage.clock.advance(10)
        seen = carrier.invites
        monkeypatch.setattr(stage.store, "renew", _hang)
        info = stage.store.book.campaigns[1]
        info.owner, info.epoch, info.lease_expires_at = "two", info.epoch + 1, stage.clock.now() + 10 * LEASE_S
        await stage.clock.advance(LEASE_S / 3)
    assert seen
    assert dict(carrier.found).keys() == ({missed} if missed else set())


@pytest.mark.parametrize(
    ("store", "missed"), [(MemoryLeadStore, 0), (NoNumberGuard, "a second call to a number within its 24 hours")]
)
async def test_without_the_number_guard_two_campaigns_call_one_person(
    store: type[MemoryLeadStore], missed: str | int
) -> None:
    stage = Stage(store=store(), agents=2, carrier=only(Fate.RING_OUT))
    once = NumberCaps(per_24h=1)
    stage.campaign(leads=20, caps=once)
    stage.store.add_campaign(msgspec.structs.replace(SETTINGS, campaign_id=2, name="other", caps=once))
    stage.store.add_list(2)
    for n in range(1, 21):
        stage.store.add_lead(LeadRow(id=100 + n, customer_id=n, campaign_id=2, list_id=2, phone=f"+8470000{n:04d}"))
    stage.desks.man(2, stage.team)
    carrier = Carrier(stage)
    async with stage.running():
        await stage.clock.advance(240)
    assert carrier.invites > 10
    assert dict(carrier.found).keys() == ({missed} if missed else set())
