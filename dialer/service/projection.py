"""The part that projects the event log into the call records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from cdr.projector import Projector
from dialer import metrics
from dialer.metrics import Sample
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

LAG_EVERY_S = 5.0
DRAIN_S = 10.0
"""The least time that a drain gives the last events; what is left then is projected at the next start."""

Alone = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Run something while no other process may; raise ResourceBusy when one does."""


async def _at_once(work: Callable[[], Awaitable[None]]) -> None:
    await work()


class ProjectorPart:
    """The projector of one process; `alone` keeps a second one off a log that only one may project."""

    def __init__(
        self, projector: Projector, now: Callable[[], float], *, drain_s: float, alone: Alone = _at_once
    ) -> None:
        self.projector = projector
        self._now = now
        self._drain_s = drain_s
        self._alone = alone
        self._mine = False
        self._lag_s: float | None = None

    def services(self) -> Sequence[Service]:
        """Return the projecting, and the look at how far it is behind."""
        return [
            Service("projector", lambda: self._alone(self._project), essential=False),
            Service("projector lag", self._measure, essential=False),
        ]

    def health(self) -> Mapping[str, str]:
        """Say whether call records are kept up to date."""
        if not self._mine:
            return {"analytics": "another process projects the call records, or this one has not begun"}
        return {"analytics": OK if self.projector.failure is None else self.projector.failure}

    def samples(self) -> Iterable[Sample]:
        """Return the lag."""
        return () if self._lag_s is None else (Sample(metrics.LAG, self._lag_s, ("projector",)),)

    async def drain(self) -> int:
        """Project what is in the log, for as long as a stop may take."""
        within_s = max(DRAIN_S, self._drain_s)
        try:
            async with asyncio.timeout(within_s):
                while self._mine and await self.projector.run_once():
                    pass
        except TimeoutError:
            extra = {"action": "projector.behind", "drain_s": within_s}
            log.warning("events are left in the log; the next start projects them", extra=extra)
        return 0

    async def _project(self) -> None:
        self._mine = True
        try:
            await self.projector.run()
        finally:
            self._mine = False

    async def _measure(self) -> None:
        while True:
            self._lag_s = await self.projector.lag_s(self._now())
            await asyncio.sleep(LAG_EVERY_S)
