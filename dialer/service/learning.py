"""What campaigns have learned outlives the process: recalled at the start, saved while they dial and at the stop."""

from __future__ import annotations

import logging

from dialer.core.events import EstimatesForgotten
from dialer.core.types import SavedEstimates
from dialer.ports import LeadStore
from dialer.service.driver import Driver
from dialer.service.seat import Seat

log = logging.getLogger(__name__)

SAVE_EVERY_S = 60.0
"""So much of a campaign's own time a crash may cost; not saved more often, and only if something was learned."""
RETRY_S = 5.0
"""Until a save that failed is tried again (real seconds)."""
LAST_TRIES = 3
"""Of the save before a campaign is given back."""


class Learning:
    """Recall, save and forget what engines have learned; no failure here ever stops a campaign."""

    def __init__(self, store: LeadStore, driver: Driver) -> None:
        self._store = store
        self._driver = driver
        self.unreadable = 0
        """Campaigns that started cold because what was saved could not be read."""
        self.failures = 0
        """Saves that failed."""

    async def recall(self, seat: Seat) -> None:
        """Give a new engine what its campaign has learned; what it cannot read is told and counted: a cold start."""
        campaign_id = seat.row.settings.campaign_id
        learned = await self._store.learned(campaign_id)
        now = self._driver.clock.now()
        try:
            seat.engine.recall(learned, now=now)
        except Exception as error:
            # However the bytes are damaged, a campaign that knows nothing dials: carefully, as on its first day.
            self.unreadable += 1
            extra = {"action": "learned.unreadable", "campaign": campaign_id}
            words = "what the campaign had learned cannot be read; it starts cold and learns anew"
            log.warning(words, extra=extra, exc_info=error)
        else:
            if learned.blob:
                rate = round(seat.engine.expected_answer_rate, 4)
                extra = {"action": "learned.recalled", "campaign": campaign_id, "answer_rate": rate}
                log.info("estimates recalled", extra={**extra, "age_s": round(max(0.0, now - learned.saved_at), 1)})
        seat.saved, seat.save_at = seat.engine.learned(), now + SAVE_EVERY_S

    async def follow(self, seat: Seat, *, stopped: bool) -> None:
        """Save when it is time, or the campaign has just been paused or stopped."""
        now = self._driver.clock.now()
        if stopped or now >= seat.save_at:
            wait_s = SAVE_EVERY_S if await self._saved(seat) else RETRY_S * self._driver.clock.speed
            seat.save_at = now + wait_s

    async def leave(self, seat: Seat) -> None:
        """Save before the campaign is given back; past the last try, what was learned since the last save is lost."""
        for _ in range(LAST_TRIES):
            if await self._saved(seat):
                return

    async def heed(self, seat: Seat) -> None:
        """Let the engine forget if people asked for it."""
        campaign_id = seat.row.settings.campaign_id
        learned = await self._store.learned(campaign_id)
        if learned.forgets != seat.engine.forgets:
            log.info("estimates forgotten", extra={"action": "learned.forgotten", "campaign": campaign_id})
            self._driver.deliver(campaign_id, EstimatesForgotten(learned.forgets))

    async def _saved(self, seat: Seat) -> bool:
        """Save what is new; tell whether there is nothing left to save."""
        blob = seat.engine.learned()
        if blob == seat.saved:
            return True
        try:
            known = SavedEstimates(blob, self._driver.clock.now(), seat.engine.forgets)
            if not await self._store.remember(seat.fence, known):
                await self.heed(seat)  # forgotten meanwhile; or the campaign is another's, as the next renewal finds
                return True
        except Exception as error:
            # Whatever the cause, calls go on: at worst the next start knows less.
            self.failures += 1
            extra = {"action": "learned.retry", "campaign": seat.row.settings.campaign_id}
            log.warning("what was learned could not be saved; calls go on", extra=extra, exc_info=error)
            return False
        seat.saved = blob
        return True
