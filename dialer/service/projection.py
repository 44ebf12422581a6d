"""The part that projects the event log into the call records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from cdr.projector import Projector
from dialer import metrics
from dialer.errors import DialerError
from dialer.metrics import Sample
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

LAG_EVERY_S = 5.0
BEGUN_S = 0.2
"""How soon the first look comes once the log may be projected."""
DRAIN_S = 10.0
"""The least time that a drain gives the last events; what is left then is projected at the next start."""

Alone = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Run something while no other process may; raise ResourceBusy when one does."""


async def at_once(work: Callable[[], Awaitable[None]]) -> None:
    """Run it beside whoever else does."""
    await work()


async def _nothing() -> None:
    """Be ready as it is."""


class ProjectorPart:
    """The projector of one process; `alone` keeps a second one off a log that only one may project.

    `prepare` is awaited before the first record; what it raises (DialerError) is told and tried again.
    """

    def __init__(
        self,
        projector: Projector,
        now: Callable[[], float],
        *,
        drain_s: float,
        alone: Alone = at_once,
        prepare: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.projector = projector
        self._now = now
        self._drain_s = drain_s
        self._alone = alone
        self._prepare = prepare
        self._refused: str | None = None
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
        if self._refused is not None:
            return {"analytics": self._refused}
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
        try:
            await self._prepare()
        except DialerError as error:
            self._refused = str(error)
            raise
        self._refused = None
        self._mine = True
        try:
            await self.projector.run()
        finally:
            self._mine = False

    async def _measure(self) -> None:
        while True:
            if self._mine:
                self._lag_s = await self.projector.lag_s(self._now())
            await asyncio.sleep(LAG_EVERY_S if self._mine else BEGUN_S)
