"""The parts that stand on Kafka: the relay that writes the event log, and the log that the projector reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from cdr.kafka_log import KafkaLog
from cdr.relay import Relay
from dialer import metrics
from dialer.errors import DialerError
from dialer.metrics import Sample
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

TRY_S = 2.0
"""Between two tries to reach a Kafka that is away at the start."""
DRAIN_S = 15.0
"""The least time that a drain gives the relay to send what is left; the next start sends the rest."""
PRUNE_S = 60.0
LAG_EVERY_S = 5.0

Prune = Callable[[], Awaitable[int]]
"""Delete some of what was sent long ago; return how many rows that were."""


class _Patience:
    """Try until it works; say what stands in the way, once in the log and for as long as it does in `failure`."""

    def __init__(self, what: str) -> None:
        self.failure: str | None = f"{what} has not begun"
        self._what = what

    async def get(self, work: Callable[[], Awaitable[None]]) -> None:
        """Return when it has worked once."""
        told = False
        while True:
            try:
                await work()
            except DialerError as error:
                self.failure = str(error)
                if not told:
                    log.warning("%s waits for Kafka", self._what, extra={"action": "kafka.waits", "reason": str(error)})
                told = True
                await asyncio.sleep(TRY_S)
            else:
                self.failure = None
                return


class RelayPart:
    """The relay of one process; `prepare` makes and checks the topic, `prune` keeps the outbox short.

    `oldest` says when the oldest unsent row of the outbox was written: the lag of a relay that cannot begin.
    """

    def __init__(
        self,
        relay: Relay,
        now: Callable[[], float],
        *,
        prepare: Callable[[], Awaitable[None]],
        prune: Prune,
        oldest: Callable[[], Awaitable[float | None]],
        drain_s: float,
    ) -> None:
        self.relay = relay
        self._now = now
        self._prepare = prepare
        self._prune = prune
        self._oldest = oldest
        self._measured = False
        self._waits_since: float | None = None
        self._drain_s = max(DRAIN_S, drain_s)
        self._start = _Patience("the relay")
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()

    def services(self) -> Sequence[Service]:
        """Return the relaying, the look at how far it is behind before it can begin, and the tidying behind it."""
        return [
            Service("relay", self._run, essential=False),
            Service("relay lag", self._measure, essential=False),
            Service("outbox pruning", self._tidy, essential=False),
        ]

    def health(self) -> Mapping[str, str]:
        """Say whether events reach Kafka."""
        return {"kafka": self._start.failure or self.relay.failure or OK}

    def samples(self) -> Iterable[Sample]:
        """Return the lag, once it is known."""
        lag_s = self._lag_s()
        return () if lag_s is None else (Sample(metrics.LAG, lag_s, ("relay",)),)

    def _lag_s(self) -> float | None:
        now = self._now()
        if self._has_begun:
            return self.relay.lag_s(now)
        return max(0.0, now - (self._waits_since or now)) if self._measured else None

    @property
    def _has_begun(self) -> bool:
        """Say whether the relay itself knows what waits: it has had lanes, or nothing stands in its way."""
        return self._start.failure is None and (self.relay.failure is None or self.relay.has_lanes)

    async def drain(self) -> int:
        """Send what is in the outbox, for as long as a stop may take."""
        self._stop.set()
        if self._start.failure is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._drain_s):
                    await self._ended.wait()
        return 0

    async def _run(self) -> None:
        await self._start.get(self._prepare)
        await self.relay.run(self._stop)
        self._ended.set()
        await asyncio.Event().wait()

    async def _measure(self) -> None:
        while True:
            if not self._has_begun:
                self._waits_since = await self._oldest()
                self._measured = True
            await asyncio.sleep(LAG_EVERY_S)

    async def _tidy(self) -> None:
        while True:
            while await self._prune():
                pass
            await asyncio.sleep(PRUNE_S)


class KafkaLogPart:
    """Joins the readers of the topic as soon as Kafka answers; until then the log has no partition."""

    def __init__(self, event_log: KafkaLog) -> None:
        self._log = event_log
        self._start = _Patience("the projector")

    def services(self) -> Sequence[Service]:
        """Return the joining."""
        return [Service("event log", self._join, essential=False)]

    def health(self) -> Mapping[str, str]:
        """Say whether the log has been joined; what goes wrong later is the reader's to say."""
        return {"event log": self._start.failure or OK}

    def samples(self) -> Iterable[Sample]:
        """Return nothing: the reader tells its lag."""
        return ()

    async def drain(self) -> int:
        """Do nothing: the log is closed after its readers."""
        return 0

    async def _join(self) -> None:
        await self._start.get(self._log.start)
        await asyncio.Event().wait()
