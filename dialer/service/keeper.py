"""Keep a process's campaigns in step with the store: take, recover, follow what people change, show figures."""

from __future__ import annotations

import logging
from functools import partial

import msgspec

from dialer.abilities import in_words, lacks
from dialer.core.campaign import CampaignState
from dialer.core.engine import CampaignEngine
from dialer.core.events import (
    CampaignPaused,
    CampaignStopped,
    HoldChanged,
    LeadsAdded,
    LeadsWithdrawn,
    SettingsChanged,
    TrunkClosed,
    TrunkOpened,
)
from dialer.core.kinds import script_for
from dialer.core.trunks import TrunkPool
from dialer.core.types import CampaignSettings, Fence, HoldReason
from dialer.core.window import WindowClock, effective
from dialer.errors import Fenced
from dialer.ports import CampaignRow, LeadStore, Telephony
from dialer.requests import FRESH_S
from dialer.service.driver import Driver
from dialer.service.learning import Learning
from dialer.service.recovery import reconcile
from dialer.service.seat import Seat, state_event
from dialer.service.sharing import Sharing
from statuses.classify import Override

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""How often the store is asked what people changed (real seconds)."""
LEASE_S = 15.0
"""How long a campaign stays this process's without a renewal, if nothing else is said (real seconds)."""
GUARD = 0.2
"""Engines' clocks may differ by this share of the lease: an owner stops so much earlier than the others may begin."""
GIVE_UP = 3_600
"""Looks in a row that may fail (half an hour)."""
RENEW_BELOW = 0.7
"""Renew when less than this share of the lease is left."""


class Keeper:
    """Seat, follow and unseat campaigns; one pass is `look`."""

    def __init__(
        self,
        store: LeadStore,
        telephony: Telephony,
        driver: Driver,
        pool: TrunkPool,
        *,
        owner: str,
        overrides: tuple[Override, ...] = (),
        lease_s: float = LEASE_S,
    ) -> None:
        self._store = store
        self._telephony = telephony
        self._driver = driver
        self._pool = pool
        self._owner = owner
        self._overrides = overrides
        self._ttl_s = lease_s * driver.clock.speed
        self._held: HoldReason | None = None
        self._closing = False
        self._failures = 0
        self._looks = 0
        self.share = 0
        """How many campaigns are this engine's: as many as each of those that live."""
        self.recovered = 0
        """Attempts settled for a stopped engine."""
        self.fenced = 0
        """Campaigns lost to another engine."""
        driver.on_trunk = self._trunk
        self._sharing = Sharing(store, driver, owner, self._ttl_s)
        self.learning = Learning(store, driver)

    async def run(self) -> None:
        """Look until cancelled. A store that does not answer brakes dialing; past half an hour it ends the process."""
        while True:
            try:
                await self.look()
            except Exception as error:
                self._failures += 1
                if self._failures > GIVE_UP:
                    raise
                log.warning("the store does not answer", extra={"action": "keeper.retry"}, exc_info=error)
            else:
                self._failures = 0
                self._looks += 1
            self._brake()
            await self._driver.clock.sleep_until(self._driver.clock.now() + LOOK_EVERY_S * self._driver.clock.speed)

    async def look(self) -> None:
        """Compare the store's campaigns with the seats, once."""
        rows = {row.settings.campaign_id: row for row in await self._store.campaigns()}
        if not self._closing:
            self.share = await self._sharing.look(
                [row for row in rows.values() if row.state is not CampaignState.DRAFT]
            )
        for campaign_id in self._driver.seats.keys() - rows.keys():
            await self._release_ended(campaign_id)
        for campaign_id, row in rows.items():
            seat = self._driver.seats.get(campaign_id)
            if seat is None:
                await self._take(row)
            else:
                await self._follow(seat, row)
        await self._hear_requests()

    async def _hear_requests(self) -> None:
        """Hand what people ask of agents' desks to the engines."""
        clock = self._driver.clock
        fences = [seat.fence for seat in self._driver.seats.values()]
        if not fences:
            return
        fresh_s = FRESH_S * clock.speed
        for campaign_id, event in await self._store.requests(fences, now=clock.now(), fresh_s=fresh_s):
            self._driver.deliver(campaign_id, event)

    async def close(self) -> None:
        """Place and take no new calls; what is in flight goes on, and other engines may take what is not owned here."""
        self._closing = True
        for campaign_id, seat in self._driver.seats.items():
            seat.declines = True
            self._driver.deliver(campaign_id, CampaignPaused())
        await self._sharing.leave()

    @property
    def is_following(self) -> bool:
        """Tell whether the store's campaigns were looked at, and answered the last time."""
        return self._looks > 0 and self._failures == 0

    async def resign(self) -> None:
        """Give every campaign back."""
        for seat in tuple(self._driver.seats.values()):
            await self._give_back(seat)

    async def _give_back(self, seat: Seat) -> None:
        await self.learning.leave(seat)
        self._driver.unseat(seat.row.settings.campaign_id)
        seat.engine.give_back_trunks()
        await self._store.resign(seat.fence)

    async def _take(self, row: CampaignRow) -> None:
        if row.state is CampaignState.DRAFT or self._closing or len(self._driver.seats) >= self.share:
            return
        now = self._driver.clock.now()
        campaign_id = row.settings.campaign_id
        fence = await self._store.acquire(campaign_id, owner=self._owner, now=now, ttl_s=self._ttl_s)
        if fence is None:
            return
        found = await reconcile(
            self._store, self._telephony, fence, self._driver.clock,
            expect=partial(self._driver.expect, campaign_id), has_trunk=self._pool.knows,
        )  # fmt: skip
        self._driver.adopt(campaign_id, found.going_on)
        self.recovered += found.settled
        engine = CampaignEngine(
            row.settings, self._pool, now=now, overrides=self._overrides, epoch=fence.epoch, script=row.script
        )
        seat = Seat(row, fence, engine, guard_s=self._ttl_s * GUARD)
        await self.learning.recall(seat)
        self._driver.seat(campaign_id, seat)
        self._compare(seat)
        await self._tell_state(row)
        log.info("campaign taken", extra={"action": "campaign.taken", "campaign": campaign_id, "epoch": fence.epoch})

    async def _tell_state(self, row: CampaignRow) -> None:
        settings = row.settings
        since = self._driver.clock.now() - settings.legal.window_s
        answers, abandons = await self._store.legal_counts(settings.campaign_id, since=since)
        self._driver.deliver(settings.campaign_id, state_event(row, answers, abandons))

    async def _follow(self, seat: Seat, row: CampaignRow) -> None:
        campaign_id, now = row.settings.campaign_id, self._driver.clock.now()
        fence = await self._renew(seat, now)
        if fence is None:
            return
        before, seat.row = seat.row, row
        if row.settings != before.settings or row.script != before.script:
            self._driver.deliver(campaign_id, SettingsChanged(row.settings, row.script))
            self._compare(seat)
            self._driver.deliver(campaign_id, LeadsAdded())
        if row.revision != before.revision:
            await self._changed(seat, row)
        if row.state is not before.state or row.resumes_by_schedule is not before.resumes_by_schedule:
            await self._tell_state(row)
        stopped = before.state is CampaignState.RUNNING and row.state is not CampaignState.RUNNING
        await self.learning.follow(seat, stopped=stopped)
        if self._closing:
            self._driver.deliver(campaign_id, CampaignPaused())
        elif self._sharing.gives_up(campaign_id):
            if await self._handed_over(seat):
                return
        elif self._sharing.keeps_again(campaign_id):
            seat.declines = False
            await self._tell_state(row)
        else:
            await self._by_schedule(seat, row, now)
        await self._store.publish(fence, msgspec.json.encode(seat.engine.figures(now)), now=now)

    async def _renew(self, seat: Seat, now: float) -> Fence | None:
        if seat.fence.expires_at - now > self._ttl_s * RENEW_BELOW:
            return seat.fence
        try:
            seat.fence = await self._store.renew(seat.fence, now=now, ttl_s=self._ttl_s)
        except Fenced:
            campaign_id = seat.row.settings.campaign_id
            log.exception(
                "another engine owns the campaign", extra={"action": "campaign.fenced", "campaign": campaign_id}
            )
            self.fenced += 1
            self._driver.abandon(campaign_id)
            seat.engine.give_back_trunks()
            return None
        return seat.fence

    async def _changed(self, seat: Seat, row: CampaignRow) -> None:
        campaign_id = row.settings.campaign_id
        gone = await self._store.withdrawn(campaign_id, seat.engine.leased_leads)
        if gone:
            self._driver.deliver(campaign_id, LeadsWithdrawn(tuple(gone)))
        self._driver.deliver(campaign_id, LeadsAdded())
        await self.learning.heed(seat)

    async def _by_schedule(self, seat: Seat, row: CampaignRow, now: float) -> None:
        settings = row.settings
        ends = settings.ends_at is not None and now >= settings.ends_at
        if row.state is CampaignState.RUNNING and (ends or (settings.end_when_done and seat.engine.is_dry)):
            await self._store.set_state(row, CampaignState.ENDED, resumes_by_schedule=False, now=now)
        elif (
            row.state is CampaignState.PAUSED
            and row.resumes_by_schedule
            and _opened_since(settings, row.state_since, now)
        ):
            await self._store.set_state(row, CampaignState.RUNNING, resumes_by_schedule=True, now=now)

    async def _release_ended(self, campaign_id: int) -> None:
        seat = self._driver.seats[campaign_id]
        self._driver.deliver(campaign_id, CampaignStopped())
        if seat.engine.is_quiet:
            await self._driver.writer.flushed()
            await self._give_back(seat)
        else:
            await self._renew(seat, self._driver.clock.now())

    async def _handed_over(self, seat: Seat) -> bool:
        """Let the calls of a campaign end, then leave it to an engine that has fewer; tell whether it is done."""
        campaign_id, seat.declines = seat.row.settings.campaign_id, True
        self._driver.deliver(campaign_id, CampaignPaused())
        if not seat.engine.has_work:
            await self._driver.writer.flushed()
            await self._driver.quiet()
        if seat.engine.has_work:
            return False
        await self._give_back(seat)
        log.info("campaign handed over", extra={"action": "campaign.handed_over", "campaign": campaign_id})
        return True

    def _trunk(self, event: TrunkClosed | TrunkOpened) -> None:
        """Take a trunk out of the pool, or put it back; the engines look again."""
        if isinstance(event, TrunkClosed):
            self._pool.close(event.trunk)
            log.warning("trunk down", extra={"action": "trunk.closed", "trunk": event.trunk, "why": event.why})
        else:
            self._pool.open(event.trunk, event.channels)
            log.warning("trunk takes calls", extra={"action": "trunk.opened", "trunk": event.trunk})
        for seat in self._driver.seats.values():
            self._tell_hold(seat)

    def _compare(self, seat: Seat) -> None:
        """Say what the adapter cannot do of what a campaign asks for; without what is vital nobody is called."""
        row, before = seat.row, seat.lacks
        missing = lacks(row.settings, script_for(row.settings, row.script), self._telephony.capabilities)
        said = in_words(self._telephony.name, missing) if missing else ""
        if missing:
            about = {"action": "campaign.lacks", "campaign": row.settings.campaign_id}
            log.warning("campaign %r: %s", row.settings.name, said, extra=about)
        seat.lacks = said if any(lack.vital for lack in missing) else ""
        if seat.lacks != before:
            self._tell_hold(seat)

    def _tell_hold(self, seat: Seat) -> None:
        reason = self._held or (HoldReason.ADAPTER if seat.lacks else None)
        detail = seat.lacks if reason is HoldReason.ADAPTER else ""
        self._driver.deliver(seat.row.settings.campaign_id, HoldChanged(reason, detail))

    def _brake(self) -> None:
        hold = HoldReason.STORE_SLOW if self._driver.writer.is_slow or self._failures else None
        if hold is not self._held:
            self._held = hold
            for seat in self._driver.seats.values():
                self._tell_hold(seat)


def _opened_since(settings: CampaignSettings, since: float, now: float) -> bool:
    return WindowClock(effective(settings)).opened_between(since, now)
