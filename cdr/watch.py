"""The verifier as a service: any gap, double or missing CDR is in the log and in `failure` within a minute (P11).

Each look counts the whole partition by the index, which tells gaps and doubles anywhere, and reads only what was
confirmed since the look before. From time to time a look reads everything; where the server's limits do not let it, the
looks at what is new go on, and it is said. A call that does not add up is believed at the second look: a batch may end
between a call's end and its CDR.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from cdr.named import Reader, named
from cdr.projector import PROJECTION
from cdr.verify import SHOWN, Double, Gap, OddCall, kept_after, verify_partition, verify_places
from dialer.errors import DialerError
from dialer.ports import EventLog, OffsetLedger

log = logging.getLogger(__name__)

EVERY_S: Final = 20.0
FULL_EVERY_S: Final = 3_600.0
MARGIN: Final = 1_000
"""Records before a span in which the rest of a call's end may lie."""

Problem: TypeAlias = Gap | Double | OddCall


class _Partition(msgspec.Struct):
    """What is known of one partition."""

    checked: int = 0
    places: tuple[Problem, ...] = ()
    suspects: tuple[OddCall, ...] = ()
    calls: tuple[OddCall, ...] = ()
    kept: tuple[OddCall, ...] = ()
    """What was wrong before a full look failed; only a full look takes it back."""
    look_full: bool = True
    unread: str | None = None
    """What kept the last full look from its end."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.places, *dict.fromkeys((*self.kept, *self.calls)))


class Verifier:
    """Look again and again; `failure` says what is wrong with the call records, None when nothing is."""

    def __init__(
        self,
        event_log: EventLog,
        ledger: OffsetLedger,
        analytics: Reader,
        *,
        every_s: float = EVERY_S,
        full_every_s: float = FULL_EVERY_S,
    ) -> None:
        self.failure: str | None = None
        self._log = event_log
        self._ledger = ledger
        self._reader = analytics
        self._every_s = every_s
        self._full_every = max(1, round(full_every_s / every_s))
        self._looks = 0
        self._partitions: dict[int, _Partition] = {}
        self._told: set[Problem] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong as of the last look, at most SHOWN of a kind and partition."""
        return tuple(problem for part in self._partitions.values() for problem in part.problems)

    async def run(self) -> None:
        """Look for ever; raise what keeps it from looking."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Look once at every partition here that is not being rebuilt; what another process took is forgotten."""
        full = self._looks % self._full_every == 0
        self._looks += 1
        try:
            here = await self._log.partitions()
            self._partitions = {number: self._partitions.get(number) or _Partition() for number in here}
            for part in self._partitions.values():
                part.look_full |= full
            for number, part in self._partitions.items():
                await self._look_at(number, part)
        except Exception as error:
            self.failure = f"the call records cannot be verified: {type(error).__name__}"
            raise
        self._tell()

    async def _look_at(self, number: int, part: _Partition) -> None:
        pending = await self._ledger.pending(PROJECTION, number)
        if pending is not None and pending.is_hold:
            return
        position = await self._ledger.position(PROJECTION, number)
        if not part.look_full:
            await self._look_on(number, part, position)
            return
        try:
            report = await verify_partition(self._reader, number, position)
        except Exception as error:  # noqa: BLE001 -- a server that is away does not answer the smaller look either
            await self._look_without(number, part, position, error)
            return
        part.places, part.kept, part.unread = (*report.gaps, *report.doubles), (), None
        part.calls, part.suspects = _believed(report.odd_calls, part), report.odd_calls
        part.look_full = bool(report.odd_calls)  # what only a full look sees is looked for in full again
        if not report.odd_calls:
            part.checked = position

    async def _look_on(self, number: int, part: _Partition, position: int) -> None:
        """Count the places, and read what was confirmed since the look before."""
        after = await kept_after(self._reader, number, position)
        part.places = await self._places(number, after, position)
        odd = await self._ended_since(number, max(after, part.checked), position)
        part.calls, part.suspects = _believed(odd, part), odd
        if not odd:
            part.checked = position

    async def _look_without(self, number: int, part: _Partition, position: int, error: Exception) -> None:
        """Look at what is new where the full look failed; what full looks had found stays found until one succeeds."""
        known = part.problems
        part.checked = part.checked or position
        await self._look_on(number, part, position)
        part.kept = tuple(problem for problem in known if isinstance(problem, OddCall))
        part.look_full = False
        part.unread = f"{type(error).__name__}: {error}" if isinstance(error, DialerError) else type(error).__name__
        extra = {"action": "verify.unread", "partition": number, "reason": part.unread}
        log.warning("the call records could not be read as a whole", extra=extra)

    async def _places(self, number: int, after: int, position: int) -> tuple[Problem, ...]:
        """Compare the count of places with the position; only when they differ find out where."""
        span = {"partition": number, "after": after, "upto": position}
        ((count,),) = await self._reader.query(named("verify_count"), span)
        if int(count) == position - after:
            return ()
        gaps, doubles = await verify_places(self._reader, number, after, position)
        return (*gaps, *doubles)

    async def _ended_since(self, number: int, checked: int, position: int) -> tuple[OddCall, ...]:
        if checked >= position:
            return ()
        span = {"partition": number, "after": checked, "margin": max(0, checked - MARGIN), "upto": position}
        rows = await self._reader.query(named("verify_recent"), span | {"limit": SHOWN})
        return tuple(OddCall(call_id, 1, ended, finals, count) for call_id, ended, finals, count in rows)

    def _tell(self) -> None:
        found = self.problems
        for problem in found:
            if problem not in self._told:
                extra = {"action": _ACTIONS[type(problem)], **msgspec.structs.asdict(problem)}
                log.error("the call records are wrong", extra=extra)
        if self._told and not found:
            log.info("the call records are whole again", extra={"action": "verify.whole"})
        self._told = set(found)
        self.failure = "; ".join(self._words()) or None

    def _words(self) -> Iterator[str]:
        if found := self.problems:
            yield f"{len(found)} gaps, doubles or missing CDRs; `dialer cdr verify` names them"
        for number, part in self._partitions.items():
            if part.unread:
                yield f"only new call records are verified, reading all of partition {number} failed: {part.unread}"


def _believed(odd: tuple[OddCall, ...], part: _Partition) -> tuple[OddCall, ...]:
    """Return what the look before saw too."""
    return tuple(call for call in odd if call in part.suspects)


_ACTIONS: Final = {Gap: "verify.gap", Double: "verify.double", OddCall: "verify.call"}
