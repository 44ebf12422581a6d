"""Share the campaigns evenly among the engines that live: how many are ours, and which to hand over."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dialer.core.campaign import CampaignState
from dialer.ports import CampaignRow, LeadStore
from dialer.service.driver import Driver

BEAT_BELOW = 0.7
"""Say again that this engine lives when less than this share of the time is left."""


class Sharing:
    """Each engine takes at most its share, rounded up, so that together they take all; one with more hands over."""

    def __init__(self, store: LeadStore, driver: Driver, owner: str, ttl_s: float) -> None:
        self._store = store
        self._driver = driver
        self._owner = owner
        self._ttl_s = ttl_s
        self._alive_until = 0.0
        self._leaving: set[int] = set()
        self._kept: set[int] = set()

    async def look(self, rows: Sequence[CampaignRow]) -> int:
        """Say that this engine lives; return its share of these campaigns, and choose what to hand over."""
        now = self._driver.clock.now()
        if self._alive_until - now < self._ttl_s * BEAT_BELOW:
            await self._store.beat(self._owner, now=now, ttl_s=self._ttl_s)
            self._alive_until = now + self._ttl_s
        share = math.ceil(len(rows) / max(1, await self._store.engines(now=now)))
        self._choose(share, rows)
        return share

    async def leave(self) -> None:
        """Leave the whole to the others."""
        self._leaving.clear()
        await self._store.leave(self._owner)

    def gives_up(self, campaign_id: int) -> bool:
        """Tell whether a campaign is to be handed over."""
        return campaign_id in self._leaving

    def keeps_again(self, campaign_id: int) -> bool:
        """Tell, once, that a campaign which was to be handed over stays after all."""
        kept = campaign_id in self._kept
        self._kept.discard(campaign_id)
        return kept

    def _choose(self, share: int, rows: Sequence[CampaignRow]) -> None:
        running = {row.settings.campaign_id: row.state is CampaignState.RUNNING for row in rows}
        mine = [campaign_id for campaign_id in self._driver.seats if campaign_id in running]
        self._leaving &= set(mine)
        excess = max(0, len(mine) - share)
        cheap = sorted(
            mine, key=lambda id_: (id_ not in self._leaving, running[id_], len(self._driver.calls_of(id_)), -id_)
        )  # what is on its way out stays so; then what costs the fewest calls
        chosen = set(cheap[:excess])
        self._kept |= self._leaving - chosen
        self._leaving = chosen
