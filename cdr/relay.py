"""Carry the outbox to Kafka exactly once, in order by key (docs/adr/0015).

Every partition of the topic is a lane. A relay owns some of the lanes, reads the outbox in order and sends each lane
one batch at a time. The batch, with its producer id and sequence number, is durable before it leaves: whoever owns the
lane after a crash sends the very same batch again, and the broker drops what it has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Final

import msgspec
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import murmur2

from cdr.kafka_writer import BatchBytes, KafkaWriter, ProducerId
from cdr.lanes import Batch, Lane, Outbox, OutboxRow
from dialer.errors import DialerError, Unreachable

log = logging.getLogger(__name__)

LEASE_S: Final = 15.0
"""How long a lane waits for an owner that has died."""
SEND_S: Final = 10.0
"""Deadline of a round, from before its batches are made durable to the last replica's answer."""
POLL_S: Final = 0.1
BACKOFF_S: Final = (0.2, 5.0)
"""First and longest pause after a failure."""
BATCH_BYTES: Final = 256 << 10
READ_ROWS: Final = 4_000
WAITING_ROWS: Final = 4_000
"""One lane that waits for so many rows to leave stops the reading: memory stays bounded."""
_SEQUENCE_MAX: Final = 2**31 - 2**20
POINTS: Final = ("lanes.claimed", "batch.begun", "batch.sent", "batch.marked")
"""Where a crash can be injected; see `Relay`."""


class OutboxBroken(DialerError):
    """The outbox does not hold what was to be sent."""


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """Return a key's partition, as every Kafka client computes it."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


class _Way:
    """A lane at work: what waits, what is under way, and under which name and number the next batch leaves."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.marked = lane
        """What the store holds of it."""
        self.inherited = lane.batch is not None
        """The batch was begun by an earlier owner: it may be in Kafka already."""
        self.read_to = lane.position
        self.waiting: deque[OutboxRow] = deque()
        self.data: bytes | None = None
        self.producer: ProducerId | None = None
        self.sequence = 0

    def take(self, row: OutboxRow) -> None:
        if row.offset > self.read_to:
            self.waiting.append(row)
            self.read_to = row.offset

    def build(self, producer: ProducerId, limit_bytes: int) -> None:
        """Make the next batch of what waits."""
        if self.producer != producer or self.sequence > _SEQUENCE_MAX:
            self.producer, self.sequence = producer, 0
        made = BatchBytes(limit_bytes)
        for row in self.waiting:
            if not made.add(row):
                break
        last = self.waiting[made.count - 1].offset
        self._fix(made, Batch(last, made.count, producer.id, producer.epoch, self.sequence))

    def rebuild(self, batch: Batch) -> bool:
        """Make the bytes of a batch that an earlier owner began; False while not all of its rows are read."""
        if self.read_to < batch.last:
            return False
        made = BatchBytes(1 << 30)
        for row in self.waiting:
            if row.offset <= batch.last:
                made.add(row)
        if made.count != batch.count:
            raise OutboxBroken(
                f"partition {self.lane.partition}: the outbox holds {made.count} of {batch.count} rows up to "
                f"{batch.last} that were about to be sent; restore the database, they are needed"
            )
        self._fix(made, batch)
        return True

    def _fix(self, made: BatchBytes, batch: Batch) -> None:
        self.lane = msgspec.structs.replace(self.lane, batch=batch)
        self.data = made.sealed(batch)

    def arrived(self) -> int:
        """Take note that the batch is in Kafka; return how many records it held."""
        batch = self.lane.batch
        if batch is None:
            return 0
        for _ in range(batch.count):
            self.waiting.popleft()
        self.lane = msgspec.structs.replace(self.lane, position=batch.last, batch=None)
        self.data, self.inherited = None, False
        if self.producer == ProducerId(batch.producer_id, batch.producer_epoch):
            self.sequence = batch.sequence + batch.count
        return batch.count

    def renamed(self) -> None:
        """Forget the batch: nothing of it is in Kafka, and its producer is unknown there."""
        self.lane = msgspec.structs.replace(self.lane, batch=None)
        self.data, self.inherited, self.producer = None, False, None


class Relay:
    """One relay of possibly several; `owner` names this process and no other, before or after.

    `failure` says what stands in the way, None when the last round was good. `fault` is called at each of `POINTS`; a
    test crashes there.
    """

    def __init__(
        self,
        outbox: Outbox,
        writer: KafkaWriter,
        *,
        owner: str,
        fault: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
        batch_bytes: int = BATCH_BYTES,
        read_rows: int = READ_ROWS,
        lease_s: float = LEASE_S,
        send_s: float = SEND_S,
    ) -> None:
        self.failure: str | None = None
        self.sent = 0
        self._outbox = outbox
        self._writer = writer
        self._owner = owner
        self._fault = fault or (lambda _point: None)
        self._clock = clock
        self._batch_bytes = batch_bytes
        self._read_rows = read_rows
        self._lease_s = lease_s
        self._send_s = send_s
        self._ways: dict[int, _Way] = {}
        self._partitions = 0
        self._producer: ProducerId | None = None
        self._read_to = 0
        self._more = False
        self._claimed_at = float("-inf")

    @property
    def idle(self) -> bool:
        """Say whether the last round found nothing left to do."""
        return not self._more and not any(way.waiting for way in self._ways.values())

    @property
    def has_lanes(self) -> bool:
        """Say whether this relay knows, by its lanes, what waits for it."""
        return bool(self._ways)

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`, then what is left for a while; what stands in the way is told, waited out, tried again.

        Raises what the store throws: run it again.
        """
        try:
            await self._until(stop)
            await self.close()
        finally:
            self._producer = None
            await self._writer.close()

    async def _until(self, stop: asyncio.Event) -> None:
        pause = BACKOFF_S[0]
        while not stop.is_set():
            try:
                await self.run_once()
            except DialerError:
                await _wait(stop, pause)
                pause = min(2 * pause, BACKOFF_S[1])
                continue
            pause = BACKOFF_S[0]
            if self.idle:
                await _wait(stop, POLL_S)

    async def close(self) -> None:
        """Send what is left, as far as Kafka answers, and give the lanes back."""
        until = time.monotonic() + self._send_s
        try:
            await self.run_once()
            while not self.idle and time.monotonic() < until:
                await self.run_once()
            await self._mark(idle=True)
            await self._outbox.resign(self._owner, self._writer.topic)
        except DialerError:
            log.warning("the outbox is not empty", extra={"action": "relay.left", "count": self._waiting()})
        finally:
            await self._writer.close()

    async def run_once(self) -> int:
        """Send one batch on every lane that has something; return how many records Kafka has confirmed.

        Raises what stands in the way (Unreachable, OutboxBroken ...): call again after a pause, nothing is lost.
        """
        try:
            sent = await self._round()
        except Exception as error:
            words = f": {error}" if isinstance(error, DialerError) else ""  # others may quote a record
            if self.failure is None:
                log.warning("the relay is held up", extra={"action": "relay.held_up", "reason": type(error).__name__})
            self.failure = f"call records wait in the outbox: {type(error).__name__}{words}"
            raise
        if self.failure is not None:
            log.info("the relay goes on", extra={"action": "relay.goes_on"})
        self.failure = None
        self.sent += sent
        return sent

    def lag_s(self, now: float) -> float:
        """Return the age in seconds of the oldest record that this relay has not brought to Kafka, 0 for none."""
        heads = [way.waiting[0].created_at for way in self._ways.values() if way.waiting]
        return max(0.0, now - min(heads, default=now))

    async def _round(self) -> int:
        if self._producer is None:
            await self._connect()
        if self._clock() - self._claimed_at > self._lease_s / 3:
            await self._claim()
        if self.idle:
            await self._read()
        ready = await self._prepare()
        until = time.monotonic() + self._send_s
        await self._mark()  # also what has arrived in the last round
        if ready:
            self._fault("batch.begun")
        sent = await self._send_and_read([way for way in ready if self._ways.get(way.lane.partition) is way], until)
        if sent:
            self._fault("batch.sent")
            if self.idle:
                await self._mark()
                self._fault("batch.marked")
        return sent

    async def _send_and_read(self, ready: Sequence[_Way], until: float) -> int:
        """Send, and read on meanwhile."""
        reading = asyncio.create_task(self._read())
        try:
            return await self._send(ready, until) if ready else 0
        finally:
            await reading

    async def _connect(self) -> None:
        await self._writer.close()
        self._partitions = await self._writer.start()
        self._producer = await self._writer.new_producer()

    async def _claim(self) -> None:
        """Mark how far the lanes are, prolong them, and begin with those that came."""
        await self._mark(idle=True)
        topic, owner = self._writer.topic, self._owner
        now = self._clock()
        owned = await self._outbox.claim(owner, topic, self._partitions, now=now, ttl_s=self._lease_s)
        self._claimed_at = now
        kept = {lane.partition: self._ways.get(lane.partition) for lane in owned}
        self._ways = {}
        for lane in owned:
            way = kept[lane.partition]
            if way is None or way.lane.epoch != lane.epoch:
                way = _Way(lane)
            self._ways[lane.partition] = way
        self._read_to = min((way.read_to for way in self._ways.values()), default=0)
        self._fault("lanes.claimed")

    async def _read(self) -> None:
        """Read on, unless a lane is full."""
        self._more = False
        if not self._ways or any(len(way.waiting) >= WAITING_ROWS for way in self._ways.values()):
            return
        rows = await self._outbox.read(after=self._read_to, limit=self._read_rows)
        for row in rows:
            way = self._ways.get(partition_of(row.key, self._partitions))
            if way is not None:
                way.take(row)
        if rows:
            self._read_to = rows[-1].offset
            for way in self._ways.values():
                way.read_to = max(way.read_to, self._read_to)
        self._more = len(rows) == self._read_rows

    async def _prepare(self) -> list[_Way]:
        """Return the lanes that have a batch to send, with its bytes made."""
        inherited = [way for way in self._ways.values() if way.inherited and way.data is None]
        complete = [way for way in inherited if way.lane.batch is not None and way.rebuild(way.lane.batch)]
        if complete:
            await self._look_up(complete)
        producer = self._producer
        for way in self._ways.values():
            if producer is not None and way.lane.batch is None and way.waiting:
                way.build(producer, self._batch_bytes)
        return [way for way in self._ways.values() if way.data is not None]

    async def _look_up(self, ways: Collection[_Way]) -> None:
        """Look at the end of the partitions for batches of an earlier owner.

        The broker forgets a producer a day after its last batch; the log does not.
        """
        tails = await self._writer.tails([way.lane.partition for way in ways])
        for way in ways:
            batch = way.lane.batch
            if batch is not None and way.waiting[batch.count - 1].event_id in tails[way.lane.partition]:
                way.arrived()

    async def _send(self, ways: Sequence[_Way], until: float) -> int:
        batches = {way.lane.partition: way.data for way in ways if way.data is not None}
        try:
            verdicts = await self._writer.send(batches, until=until)
        except Unreachable:
            self._producer = None  # connect anew: the brokers may have other addresses by now
            raise
        sent, refused = 0, {}
        for way in ways:
            error = verdicts[way.lane.partition]
            if error is None:
                sent += way.arrived()
            else:
                refused[way] = error
        for way, error in refused.items():
            await self._refused(way, error)
        return sent

    async def _refused(self, way: _Way, error: KafkaError) -> None:
        """Begin anew under another name what the broker will not take under this one, or say what to do."""
        at = f"{self._writer.topic}:{way.lane.partition}"
        if isinstance(error, MessageSizeTooLargeError):
            raise OutboxBroken(
                f"{at}: the outbox row {way.waiting[0].offset} is larger than the topic takes; raise its "
                "max.message.bytes, and the line goes on"
            )
        log.warning("a producer is unknown", extra={"action": "relay.renamed", "reason": type(error).__name__})
        self._producer = await self._writer.new_producer()
        way.inherited = True
        await self._look_up([way])
        if way.inherited:
            way.renamed()

    async def _mark(self, *, idle: bool = False) -> None:
        """Write how far the lanes are and what is about to leave; drop those that another relay owns now.

        `idle`: also how far those are that have nothing to send.
        """
        for way in self._ways.values():
            if idle and way.lane.batch is None and not way.waiting:
                way.lane = msgspec.structs.replace(way.lane, position=way.read_to)
        changed = [way for way in self._ways.values() if way.lane != way.marked]
        lost = await self._outbox.mark(self._owner, self._writer.topic, [way.lane for way in changed])
        for way in changed:
            way.marked = way.lane
        for partition in lost:
            log.info("a lane has another owner", extra={"action": "relay.lane_lost", "partition": partition})
            del self._ways[partition]

    def _waiting(self) -> int:
        return sum(len(way.waiting) for way in self._ways.values())


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
