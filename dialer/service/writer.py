"""Group commit: whatever the engines want written goes to the store in one transaction after another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from dialer.core.events import Event
from dialer.ports import BadEffects, Clock, LeadStore, Owned

log = logging.getLogger(__name__)

BATCH = 2_000
SLOW_S = 2.0
"""An effect that waits longer than this for its commit makes the store slow."""
RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)
GIVE_UP = 360
"""Failures in a row (half an hour) before the process stops and says so."""


class Writer:
    """Commit owned effects in order, all that wait at once; `deliver` gets the answering events.

    Nothing is dropped: a commit that fails is tried again until it succeeds; meanwhile `is_slow` brakes the engines.
    """

    def __init__(self, store: LeadStore, clock: Clock, deliver: Callable[[int, Event], None]) -> None:
        self._store = store
        self._clock = clock
        self._deliver = deliver
        self._queue: deque[tuple[float, Owned]] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.failures = 0
        """Failed commits in a row."""
        self.bad_effects = 0
        """Effects that no commit can perform; each is in the log."""

    def put(self, owned: Owned) -> None:
        """Queue one effect."""
        self._queue.append((self._clock.now(), owned))
        self._idle.clear()
        self._wake.set()

    @property
    def is_slow(self) -> bool:
        """Tell whether dialing has to wait for the store (pipeline.md rule 9)."""
        waited_s = (self._clock.now() - self._queue[0][0]) / self._clock.speed if self._queue else 0.0
        return self.failures > 0 or waited_s > SLOW_S

    @property
    def waiting(self) -> int:
        """Count the effects that wait for their commit."""
        return len(self._queue)

    async def flushed(self) -> None:
        """Return when everything queued is durable."""
        await self._idle.wait()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._commit()
            self._idle.set()

    async def _commit(self) -> None:
        batch = [owned for _, owned in list(self._queue)[:BATCH]]
        try:
            answers = await self._store.commit(batch, now=self._clock.now())
        except BadEffects as error:
            # The rest of the batch is durable: trying again would not mend these, so they are told, loudly.
            log.exception("effects could not be written", extra={"action": "store.bad_effects"})
            self.bad_effects += len(error.failures)
            answers = error.answers
        except Exception as error:
            # Whatever the cause, what is queued must not be lost: brake, try again, give up loudly.
            self.failures += 1
            if self.failures > GIVE_UP:
                raise
            delay_s = RETRY_S[min(self.failures, len(RETRY_S)) - 1]
            extra = {"action": "store.retry", "delay_s": delay_s, "effects": len(batch)}
            log.warning("store commit failed, trying again", extra=extra, exc_info=error)
            await asyncio.sleep(delay_s)
            return
        self.failures = 0
        for _ in batch:
            self._queue.popleft()
        for campaign_id, event in answers:
            self._deliver(campaign_id, event)
