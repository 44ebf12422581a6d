"""The part that projects the event log into the call records."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from cdr.projector import Projector
from dialer import metrics
from dialer.errors import DialerError
from dialer.metrics import Sample
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

LAG_EVERY_S = 5.0
PAUSE_S = (0.5, 5.0)
"""First and longest pause after a failure."""
STEADY_S = 60.0
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
        """Nobody else projects."""
        self._may = False
        """... and nothing forbids it."""
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
                while self._may and await self.projector.run_once():
                    pass
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next start goes on from there
            extra = {"action": "projector.behind", "drain_s": within_s, "reason": type(error).__name__}
            log.warning("events are left in the log; the next start projects them", extra=extra)
        return 0

    async def _project(self) -> None:
        """Project, and after a failure again soon: what one partition cannot do, the others do meanwhile."""
        self._mine = True
        try:
            await self._again_and_again()
        finally:
            self._mine = self._may = False

    async def _again_and_again(self) -> None:
        pause_s = PAUSE_S[0]
        while True:
            began = time.monotonic()
            try:
                await self._run()
            except Exception as error:
                if time.monotonic() - began > STEADY_S:
                    pause_s = PAUSE_S[0]
                if pause_s == PAUSE_S[0]:  # told once, not at each try
                    extra = {
                        "action": "projector.failed",
                        "reason": self._refused or self.projector.failure or "unknown",
                    }
                    log.warning("call records are not up to date; it is tried again", extra=extra, exc_info=error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S[1])

    async def _run(self) -> None:
        self._may = False
        try:
            await self._prepare()
        except DialerError as error:
            self._refused = str(error)
            raise
        self._refused, self._may = None, True
        await self.projector.run()

    async def _measure(self) -> None:
        while True:
            if self._may:
                self._lag_s = await self.projector.lag_s(self._now())
            await asyncio.sleep(LAG_EVERY_S if self._may else BEGUN_S)
