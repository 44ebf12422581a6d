"""The part that dials: driver and keeper, with a drain that lets calls finish."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from dialer import metrics
from dialer.core.figures import LiveFigures
from dialer.metrics import Sample
from dialer.service.clock import PacedClock
from dialer.service.driver import Driver
from dialer.service.keeper import Keeper
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

FLUSH_S = 10.0
"""The least time that a drain gives the store to take what is left; past it the process fails, and says so."""
LAST_WORDS_S = 3.0
"""How long calls that outlive the drain get to confirm their hang-up."""


class EnginePart:
    """Driver and keeper of one process."""

    def __init__(
        self, driver: Driver, keeper: Keeper, *, drain_s: float, trunks: Callable[[], Iterable[Sample]] = tuple
    ) -> None:
        self.driver = driver
        self.keeper = keeper
        self._trunks = trunks
        self._drain_s = drain_s

    def services(self) -> Sequence[Service]:
        """Return driver and keeper, and the clock if it has to be driven."""
        clock = self.driver.clock
        pace: list[Service] = []
        if isinstance(clock, PacedClock):
            clock.is_busy = lambda: self.driver.is_busy
            pace = [Service("clock", clock.run)]
        return [*pace, Service("driver", self.driver.run), Service("keeper", self.keeper.run)]

    def health(self) -> Mapping[str, str]:
        """Say whether the store takes what is to be written, and whether campaigns are followed."""
        failures = self.driver.writer.failures
        return {
            "store": OK if failures == 0 else f"{failures} failed commits",
            "campaigns": OK if self.keeper.is_following else "not looked at yet, or the store does not answer",
        }

    def samples(self) -> Iterable[Sample]:
        """Return what this engine does now, and the figures of each campaign that it owns."""
        driver, keeper, now = self.driver, self.keeper, self.driver.clock.now()
        yield Sample(metrics.OWNED, len(driver.seats))
        yield Sample(metrics.SHARE, keeper.share)
        yield Sample(metrics.IN_FLIGHT, driver.calls_in_flight)
        yield Sample(metrics.RECOVERED, keeper.recovered)
        yield Sample(metrics.FENCED, keeper.fenced)
        yield Sample(metrics.FENCED_CALLS, driver.fenced_calls)
        yield Sample(metrics.QUEUE, driver.writer.waiting)
        yield Sample(metrics.COMMIT_FAILURES, driver.writer.failures)
        yield Sample(metrics.BAD_EFFECTS, driver.writer.bad_effects)
        yield from self._trunks()
        for campaign_id, seat in driver.seats.items():
            yield from _of_campaign(str(campaign_id), seat.engine.figures(now))

    async def drain(self) -> int:
        """Place no more calls, let those in flight finish, flush; return how many had to be cut."""
        await self.keeper.close()
        await self._calls_end(self._drain_s)
        cut = self.driver.calls_in_flight
        if cut:
            log.warning("calls outlive the drain and are ended", extra={"action": "drain.cut", "calls": cut})
            for campaign_id in self.driver.seats:
                self.driver.cut(campaign_id)
            await self._calls_end(LAST_WORDS_S)
        self.driver.finish_wrap_ups()
        await self.driver.quiet()
        async with asyncio.timeout(max(FLUSH_S, self._drain_s)):
            await self.driver.writer.flushed()
        await self.keeper.resign()
        return cut

    async def _calls_end(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.driver.no_calls.wait()


def _of_campaign(campaign: str, now: LiveFigures) -> Iterable[Sample]:
    for state in ("idle", "reserved", "talking", "wrapping", "paused"):
        yield Sample(metrics.AGENTS, getattr(now, state), (campaign, state))
    for phase in ("ringing", "waiting", "bridged"):
        yield Sample(metrics.CALLS, getattr(now, phase), (campaign, phase))
    yield Sample(metrics.HOPPER, now.hopper, (campaign,))
    yield Sample(metrics.PLACED, now.placed, (campaign,))
    yield Sample(metrics.ANSWERED, now.answered, (campaign,))
    yield Sample(metrics.ABANDONED, now.abandoned, (campaign,))
    yield Sample(metrics.LIMIT, now.abandon_limit, (campaign,))
