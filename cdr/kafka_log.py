"""Kafka as an event log: a consumer group shares the partitions, the ledger says where each goes on.

An offset of the log is Kafka's plus one: the ledger begins at 0 and the first record is 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from cdr.kafka_at import TOPIC, KafkaAt, unbroken
from cdr.kafka_fetch import Fetched, KafkaFetcher
from cdr.kafka_topics import partitions_of
from dialer.errors import DialerError, PartitionGone, Unreachable
from dialer.ports import LogRecord

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP: Final = "predictive-dialer-projector"
"""With the topic's name behind it: readers of another topic are another group, and disturb nobody here."""
DRAIN_S: Final = 20.0
"""How long a partition is kept for the round in progress when the group asks for it."""
SESSION_S: Final = 30.0
"""The group waits so long for a reader that is silent; longer than DRAIN_S."""
IDLE_S: Final = 5.0
"""What was fetched of a partition that nobody has read for so long is forgotten."""
HELD_BYTES: Final = 32 << 20
"""With so much of a partition in hand no more is fetched: two of a projector's ranges."""
HELD_BYTES_ALL: Final = 4 * HELD_BYTES
"""With so much of all partitions in hand those that were not read for the longest time are forgotten."""
ASKS_S: Final = 300.0
"""The client takes a member that asks for nothing for so long for hung."""
ASKS: Final = 10
"""How often we ask in that time."""
COMMIT_S: Final = 5.0
"""How often the group is told where we are; nothing but lag tools looks at it."""
_PAUSE_S: Final = 0.05


class LogBroken(DialerError):
    """The topic does not hold what the ledger says it held."""


class _Held:
    """A partition that is ours: records that were fetched and not yet passed by the reader."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.bytes = 0
        """Of the records' values."""
        self.lock = asyncio.Lock()
        self.after = -1
        """The last offset before the first record in hand; -1 = nowhere yet."""
        self.fetched = -1
        """The last offset fetched."""
        self.read_at = 0.0

    def covers(self, after: int) -> bool:
        return 0 <= self.after <= after <= self.fetched

    def restart(self, after: int) -> None:
        self.records.clear()
        self.bytes = 0
        self.after = self.fetched = after

    def take(self, found: Fetched) -> None:
        """Add what was fetched."""
        self.records += found.records
        self.bytes += _bytes(found.records)
        self.fetched = found.next

    def forget(self, after: int) -> None:
        """Drop what the reader has passed."""
        passed = bisect_right(self.records, after, key=attrgetter("offset"))
        self.bytes -= _bytes(self.records[:passed])
        del self.records[:passed]
        self.after = after


def _bytes(records: Sequence[LogRecord]) -> int:
    return sum(len(record.value) for record in records)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, of: KafkaLog) -> None:
        self._of = of

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        log.info("partitions go", extra={"action": "log.revoked", "count": len(revoked)})
        await self._of.give_up()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._of.receive([place.partition for place in assigned])


class KafkaLog:
    """The partitions that the group gave this process, as an EventLog; `start` it first, `close` it last.

    `group` "" is the topic's own; None: it reads all partitions, beside whoever else does. Set `drain` to what waits
    for the reader's round in progress (`Projector.drain`): partitions go after it.
    """

    def __init__(
        self,
        kafka: KafkaAt,
        topic: str = TOPIC,
        *,
        group: str | None = "",
        drain: Callable[[], Awaitable[None]] | None = None,
        drain_s: float = DRAIN_S,
        session_s: float = SESSION_S,
        asks_s: float = ASKS_S,
    ) -> None:
        self.topic = topic
        self.drain = drain
        self._kafka = kafka
        self._group = f"{GROUP}.{topic}" if group == "" else group
        self._drain_s = drain_s
        self._session_s = session_s
        self._asks_s = asks_s
        self._stays: asyncio.Task[None] | None = None
        self._consumer: Any = None
        """The member of the group; it fetches nothing."""
        self._fetcher = KafkaFetcher(kafka, topic)
        self._held: dict[int, _Held] = {}
        self._gone = asyncio.Event()
        self._told_at = 0.0
        self._doing = f"reading the topic {topic}"

    async def start(self) -> None:
        """Join the group; partitions come a little later. Raises Unreachable or NotFound."""
        await unbroken(self._start())

    async def _start(self) -> None:
        session_ms = round(self._session_s * 1000)
        numbers = range(await partitions_of(self._kafka, self.topic))
        consumer = AIOKafkaConsumer(
            **self._kafka.options(), group_id=self._group, enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=session_ms, rebalance_timeout_ms=session_ms, heartbeat_interval_ms=session_ms // 10,
            max_poll_interval_ms=round(self._asks_s * 1000),
        )  # fmt: skip
        try:
            with self._kafka.explained(self._doing):
                async with asyncio.timeout(2 * self._kafka.timeout_s):
                    await consumer.start()
                    await self._fetcher.start()
        except BaseException:
            await consumer.stop()
            await self._fetcher.close()
            raise
        self._consumer = consumer
        if self._group is not None:
            consumer.subscribe([self.topic], listener=_Listener(self))
            self._stays = asyncio.create_task(self._stay(consumer))
            return
        consumer.assign([TopicPartition(self.topic, number) for number in numbers])
        self.receive(numbers)

    async def close(self) -> None:
        """Let the round in progress end, say where we are and leave the group; nothing to do if it never began."""
        if self._stays is not None:
            self._stays.cancel()
        await self.give_up()
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        try:
            await consumer.stop()
        finally:
            await self._fetcher.close()

    async def partitions(self) -> Sequence[int]:
        """List the partitions that are this process's now."""
        return sorted(self._held)

    async def read(self, partition: int, *, after: int, limit: int, until: int | None = None) -> Sequence[LogRecord]:
        """Return records with `after` < offset (<= `until`), in order; empty when there are none yet.

        Large records come fewer at a time (HELD_BYTES), but for a range that is asked for exactly: a replay is whole.
        Reading on where the last reading ended, or there again, costs no fetch. Raises PartitionGone; Unreachable when
        records are there and do not come; LogBroken when the topic no longer holds them.
        """
        held = self._mine(partition)
        async with held.lock:
            place = TopicPartition(self.topic, partition)
            self._forget_idle(held)
            if not held.covers(after):
                held.restart(after)
            held.forget(after)
            want = limit if until is None else min(limit, until - after)
            with self._kafka.explained(self._doing):
                if len(held.records) < want:
                    await self._fill(place, held, want, whole=until is not None and limit == until - after)
                await self._tell()
            if self._held.get(partition) is not held:
                raise PartitionGone(partition)
            found = held.records[:want]
        return found if until is None else [record for record in found if record.offset <= until]

    async def extent(self, partition: int) -> tuple[int, int]:
        """Return the first and the last offset that the topic holds now, (0, 0) when it holds none; raises as `read`.

        A marker of somebody's transaction counts as a record here.
        """
        self._mine(partition)
        place = TopicPartition(self.topic, partition)
        with self._kafka.explained(self._doing):
            begin = (await self._unless_gone(self._consumer.beginning_offsets([place])))[place]
            end = (await self._unless_gone(self._consumer.end_offsets([place])))[place]
        return (begin + 1, end) if end > begin else (0, 0)

    def receive(self, partitions: Iterable[int]) -> None:
        """Take what the group gives; nothing is fetched of a partition before it is read."""
        self._gone = asyncio.Event()
        self._held = {partition: _Held() for partition in partitions}
        self._consumer.pause(*(TopicPartition(self.topic, partition) for partition in self._held))
        log.info("partitions", extra={"action": "log.assigned", "partitions": sorted(self._held)})

    async def give_up(self) -> None:
        """Give all partitions away once the round in progress has ended, or its time is over."""
        given, self._held = self._held, {}
        self._gone.set()  # whoever waits for records lets go: the group will not deliver any now
        if given and self.drain is not None:
            try:
                async with asyncio.timeout(self._drain_s):
                    await self.drain()
            except TimeoutError:
                log.warning("a round outlives its partitions", extra={"action": "log.drain_timeout"})
        if given:
            await self._commit(given)

    def _mine(self, partition: int) -> _Held:
        held = self._held.get(partition)
        if held is None:
            raise PartitionGone(partition)
        return held

    def _forget_idle(self, held: _Held) -> None:
        now = held.read_at = time.monotonic()
        total = sum(one.bytes for one in self._held.values())
        for other in sorted(self._held.values(), key=attrgetter("read_at")):
            if (now - other.read_at > IDLE_S or total > HELD_BYTES_ALL) and not other.lock.locked():
                total -= other.bytes
                other.restart(-1)

    async def _fill(self, place: TopicPartition, held: _Held, want: int, *, whole: bool) -> None:
        """Fetch until `want` records are in hand, or (unless `whole`) many bytes, or the end is reached."""
        waited = time.monotonic()
        while len(held.records) < want and (whole or held.bytes < HELD_BYTES):
            before = held.fetched
            high = await self._fetch(place, held)
            if held.fetched > before:
                waited = time.monotonic()
            elif high <= before:
                return
            elif time.monotonic() - waited > self._kafka.timeout_s:
                raise Unreachable(
                    f"{self._doing}: Kafka at {self._kafka.bootstrap} does not send partition {place.partition} from "
                    f"offset {held.fetched}; check its brokers"
                )
            else:
                await asyncio.sleep(_PAUSE_S)

    async def _fetch(self, place: TopicPartition, held: _Held) -> int:
        """Fetch once; return where the partition ends."""
        try:
            found = await self._unless_gone(self._fetcher.fetch(place.partition, held.fetched))
        except OffsetOutOfRangeError:
            await self._check_end(place, held)
            await self._check_hole(place, held, held.fetched)
            raise
        if found.records and found.records[0].offset != held.fetched + 1:
            await self._check_hole(place, held, found.records[0].offset - 1)
        held.take(found)
        return found.high

    async def _check_end(self, place: TopicPartition, held: _Held) -> None:
        end = (await self._unless_gone(self._consumer.end_offsets([place])))[place]
        if held.fetched > end:
            raise LogBroken(
                f"{self.topic}:{place.partition} ends at {end}, but it was read to {held.fetched} before: the topic "
                "was made anew or cut; restore it, or start again with a new ledger and an empty ClickHouse"
            )

    async def _check_hole(self, place: TopicPartition, held: _Held, found: int) -> None:
        """Refuse to go on where records were dropped; a hole in the middle is a marker of somebody's transaction."""
        begin = (await self._unless_gone(self._consumer.beginning_offsets([place])))[place]
        if begin > held.fetched or found < held.fetched:
            raise LogBroken(
                f"{self.topic}:{place.partition}: the offsets from {held.fetched + 1} on are gone before they were "
                "read; raise the topic's retention, restore it, or start again with a new ledger"
            )

    async def _unless_gone(self, work: Awaitable[T]) -> T:
        """Await the client's work, which hangs while the group shares its partitions out anew."""
        task, gone = asyncio.ensure_future(work), asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise PartitionGone(self.topic)
            return task.result()
        finally:
            for one in (task, gone):
                one.cancel()

    async def _tell(self) -> None:
        if time.monotonic() - self._told_at > COMMIT_S:
            self._told_at = time.monotonic()
            await self._unless_gone(self._commit(dict(self._held)))

    async def _stay(self, consumer: Any) -> None:
        """Ask the client for records now and then, though it has none: one that nobody asks leaves the group for good.

        It must not matter whether the reader gets on: its database may be away for hours.
        """
        while True:
            await asyncio.sleep(self._asks_s / ASKS)
            with contextlib.suppress(KafkaError):
                await consumer.getmany(timeout_ms=0)

    async def _commit(self, held: dict[int, _Held]) -> None:
        """Tell the group how far the reader is; it matters to nobody but lag tools."""
        offsets = {TopicPartition(self.topic, number): one.after for number, one in held.items() if one.after > 0}
        try:
            async with asyncio.timeout(self._kafka.timeout_s):
                if offsets and self._group is not None:
                    await self._consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            reason = type(error).__name__
            log.info("the group was not told where we are", extra={"action": "log.commit", "reason": reason})
