"""Bring the switch's finished recordings into the storage: file, row and event, and only then away from the switch.

Whatever dies in between, the next look finds the recording at the switch and does again what is missing: the file has
the call's name, so it is overwritten by itself, and the row is written once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from dialer import metrics
from dialer.core.events import RecordingEnded
from dialer.core.types import CallId
from dialer.errors import AdapterError, DialerError
from dialer.metrics import Sample
from dialer.ports import Telephony
from dialer.recordings import (
    RecordingFiles,
    RecordingFormat,
    RecordingStore,
    Settled,
    Stored,
    path_of,
    prune,
)
from dialer.service.encoding import Unreadable, encode
from dialer.service.lifecycle import Service
from dialer.service.part import OK

log = logging.getLogger(__name__)

LOOK_S: Final = 3.0
PAUSE_S: Final = (1.0, 60.0)
"""First and longest pause while the storage, the switch or the database is away."""
AT_ONCE: Final = 4
SPOILT_S: Final = 600.0
"""How soon a recording that could not be read is tried again."""
PRUNE_S: Final = 3600.0
DAY_S: Final = 86_400.0
DRAIN_S: Final = 10.0
"""How long a stop waits for the last recordings; what is left then waits at the switch for the next start."""
POINTS: Final = ("recording.fetched", "recording.put", "recording.kept", "recording.dropped", "recording.removed")
"""Where a crash can be injected; see `Collector`."""


def _no_fault(_point: str) -> None:
    """Go on."""


class Collector:
    """Fetch, encode, store, write down, drop; and delete what is older than `keep_days` (0 = never).

    `fault` is called at each of `POINTS`, the last between the deletion of a file and the mark in its row.
    """

    def __init__(
        self,
        telephony: Telephony,
        store: RecordingStore,
        files: RecordingFiles,
        now: Callable[[], float],
        *,
        kind: RecordingFormat = RecordingFormat.MP3,
        keep_days: float = 0,
        fault: Callable[[str], None] | None = None,
    ) -> None:
        self._telephony, self._store, self._files, self._now = telephony, store, files, now
        self._kind, self._keep_days = kind, keep_days
        self._fault = fault or _no_fault
        self._wake = asyncio.Event()
        self._spoilt: dict[CallId, float] = {}
        """Which could not be read, and when they are tried again (monotonic)."""
        self._aside: dict[CallId, tuple[int, float]] = {}
        """How often a recording failed in a row, and when it is tried again (monotonic)."""
        self._prune_at = 0.0
        self.waiting = 0
        """Recordings at the switch, as of the last look."""
        self.failures = 0
        """Looks in a row that failed."""
        self.failure = ""
        self.counts: Counter[str] = Counter()
        """stored, bytes, missing, deleted."""

    def ended(self, event: RecordingEnded) -> None:
        """Hear that a recording is whole at the switch, or that there is none."""
        if event.seconds is None:
            self.counts["missing"] += 1
            log.warning("the switch recorded nothing", extra={"action": "recording.missing", "call_id": event.call_id})
        self._wake.set()

    @property
    def spoilt(self) -> int:
        """Count the recordings at the switch that cannot be read."""
        return len(self._spoilt)

    @property
    def aside(self) -> int:
        """Count the recordings at the switch that could not be brought."""
        return len(self._aside)

    async def run(self) -> None:
        """Look every few seconds and when a recording has ended, until cancelled."""
        while True:
            await self._look()
            if self.failures:
                await asyncio.sleep(min(PAUSE_S[0] * 2 ** min(self.failures - 1, 10), PAUSE_S[1]))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _look(self) -> None:
        """Collect and prune once; what is wrong is said, and tried again later."""
        try:
            await self.collect()
            await self.prune()
        except Exception as error:  # noqa: BLE001 -- a driver, the switch or the database: all of them come back
            self.failures += 1
            self.failure = str(error) if isinstance(error, DialerError | AdapterError) else type(error).__name__
            if self.failures == 1:  # told once, not at each try
                extra = {"action": "recording.waits", "reason": self.failure, "waiting": self.waiting}
                log.warning("recordings wait at the switch; it is tried again", extra=extra)
            return
        if self.failures:
            log.warning("recordings are stored again", extra={"action": "recording.again", "failures": self.failures})
        self.failures, self.failure = 0, ""

    async def collect(self) -> None:
        """Store what is finished at the switch, of calls whose end is written down.

        One that fails lets the others pass; raise what stood in the way when nothing of a handful came through.
        """
        waiting = await self._telephony.recordings()
        self.waiting = len(waiting)
        here = set(waiting)
        self._spoilt = {call_id: at for call_id, at in self._spoilt.items() if call_id in here}
        self._aside = {call_id: tries for call_id, tries in self._aside.items() if call_id in here}
        ours = await self._store.settled(waiting) if waiting else {}
        now = time.monotonic()
        wanted = [call_id for call_id in waiting if call_id in ours and self._is_due(call_id, now)]
        for at in range(0, len(wanted), AT_ONCE):
            some = wanted[at : at + AT_ONCE]
            done = await asyncio.gather(*(self._bring(one, ours[one]) for one in some), return_exceptions=True)
            failed = [error for one, error in zip(some, done, strict=True) if self._has_failed(one, error)]
            if len(failed) == len(some) and failed[0] is not None:
                raise failed[0]

    def _is_due(self, call_id: CallId, now: float) -> bool:
        return self._spoilt.get(call_id, 0.0) <= now and self._aside.get(call_id, (0, 0.0))[1] <= now

    def _has_failed(self, call_id: CallId, error: BaseException | None) -> bool:
        """Set a recording that failed again aside for a while, longer each time: those behind it must not wait."""
        tries = self._aside.pop(call_id, (0, 0.0))[0] + 1
        if error is None:
            return False
        if not isinstance(error, Exception):
            raise error
        pause_s = 0.0 if tries == 1 else min(PAUSE_S[0] * 2 ** min(tries, 10), SPOILT_S)
        self._aside[call_id] = tries, time.monotonic() + pause_s
        if tries == 2:  # noqa: PLR2004 -- told once; a first failure is most often the storage's or the switch's
            extra = {"action": "recording.aside", "call_id": call_id, "reason": type(error).__name__}
            log.warning("a recording could not be brought; it is tried again later", extra=extra)
        return True

    async def _bring(self, call_id: CallId, call: Settled) -> None:
        """Take one recording the whole way."""
        if not call.stored and not await self._store_one(call_id, call):
            return
        await self._telephony.drop_recording(call_id)
        self.waiting -= 1
        self._fault("recording.dropped")

    async def _store_one(self, call_id: CallId, call: Settled) -> bool:
        try:
            wav = await self._telephony.recording(call_id)
        except LookupError:
            return False
        self._fault("recording.fetched")
        try:
            made = await asyncio.to_thread(encode, wav, self._kind)
        except Unreadable as error:
            self._set_aside(call_id, error)
            return False
        path = path_of(call_id, call.began_at, self._kind)
        await self._files.put(path, made.data)
        self._fault("recording.put")
        new = Stored(
            call_id=call_id, campaign_id=call.campaign_id, began_at=call.began_at, storage=self._files.storage,
            path=path, format=self._kind, bytes=len(made.data), sha256=sha256(made.data).hexdigest(),
            seconds=made.seconds, stored_at=self._now(),
        )  # fmt: skip
        if await self._store.keep(new):
            self.counts.update(stored=1, bytes=new.bytes)
        self._fault("recording.kept")
        return True

    def _set_aside(self, call_id: CallId, error: Unreadable) -> None:
        """Leave a file that nobody can read where it is: it must not stop the others, nor be thrown away."""
        if call_id not in self._spoilt:
            extra = {"action": "recording.unreadable", "call_id": call_id, "reason": str(error)}
            log.error("a recording at the switch cannot be read", extra=extra)
        self._spoilt[call_id] = time.monotonic() + SPOILT_S

    async def prune(self) -> None:
        """Delete what has been kept long enough, once an hour."""
        if not self._keep_days or time.monotonic() < self._prune_at:
            return
        now = self._now()
        found = await prune(self._store, self._files, before=now - self._keep_days * DAY_S, now=now, fault=self._fault)
        self.counts["deleted"] += found.deleted
        if found.deleted:
            extra = {"action": "recording.pruned", "deleted": found.deleted, "keep_days": self._keep_days}
            log.info("old recordings are deleted", extra=extra)
        if not found.more:
            self._prune_at = time.monotonic() + PRUNE_S


class RecordingsPart:
    """The collector of a process that runs an engine."""

    def __init__(self, collector: Collector, *, records: bool) -> None:
        self.collector = collector
        self._records = records

    def services(self) -> Sequence[Service]:
        """Return the collecting."""
        return [Service("recordings", self.collector.run, essential=False)]

    def health(self) -> Mapping[str, str]:
        """Say whether recordings reach the storage; nothing where the switch records none."""
        if not self._records:
            return {}
        seen = self.collector
        if seen.failures:
            return {"recordings": f"{seen.waiting} wait at the switch: {seen.failure}"}
        if seen.spoilt:
            return {"recordings": f"{seen.spoilt} at the switch cannot be read"}
        return {"recordings": f"{seen.aside} at the switch could not be brought" if seen.aside else OK}

    def samples(self) -> Iterable[Sample]:
        """Return what was stored, what waits and what went wrong."""
        if not self._records:
            return
        seen, counts = self.collector, self.collector.counts
        yield Sample(metrics.RECORDED, counts["stored"])
        yield Sample(metrics.RECORDED_BYTES, counts["bytes"])
        yield Sample(metrics.RECORDINGS_WAITING, seen.waiting)
        yield Sample(metrics.RECORDING_FAILURES, seen.failures)
        yield Sample(metrics.RECORDINGS_MISSING, counts["missing"])
        yield Sample(metrics.RECORDINGS_SPOILT, seen.spoilt)
        yield Sample(metrics.RECORDINGS_DELETED, counts["deleted"])

    async def drain(self) -> int:
        """Bring what is whole by now; the calls are over, no more comes."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.collector.collect()
        except Exception as error:  # noqa: BLE001 -- whatever it is, they wait at the switch for the next start
            extra = {"action": "recording.left", "waiting": self.collector.waiting, "reason": type(error).__name__}
            log.warning("recordings are left at the switch; the next start fetches them", extra=extra)
        return 0
