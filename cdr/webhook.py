"""Post finished call records to the campaigns' receivers: from the log, in order, at least once (docs/webhook.md).

Two loops. One moves the log's whole call records into a durable queue for each endpoint, atomically with its position
in the log. The other serves those queues as `cdr.webhook_policy` decides, and takes off what was accepted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

from cdr.events import MICROS, Cdr, RejectRecord, decode
from cdr.webhook_payload import call_body
from cdr.webhook_policy import Dispatcher, Failure, Health, Known, Policy, failed
from cdr.webhook_ports import Endpoint, NewDelivery, Queued, WebhookStore
from cdr.webhook_send import Sender
from cdr.webhook_signature import (
    DELIVERY_HEADER,
    EVENT_ID_HEADER,
    SIGNATURE_HEADER,
    endpoint_secret,
    fingerprint,
    signature,
)
from dialer.ports import EventLog, LogRecord, OffsetRange

log = logging.getLogger(__name__)

READ_ROWS: Final = 2_000
BATCH: Final = 20
"""Events of an endpoint that are posted before others have their turn, and the most that a crash repeats."""
TURN_S: Final = 0.5
"""A turn begins no post after so long: a slow receiver's events are confirmed one by one."""
POLL_S: Final = 1.0
POLL_IDLE_S: Final = 5.0
"""While no campaign has an address."""
TIDY_S: Final = 600.0
KEEP_S: Final = 7 * 86_400.0
POINTS: Final = ("webhook.read", "webhook.queued", "webhook.posted", "webhook.confirmed")
"""Where a crash can be injected; see `Webhooks`."""
_OTHER_KEY: Final = (
    "not posted: this home folder's secrets.json is not the one that the secret was shown from; "
    "put that one back, or rotate the secret"
)
_Check = Callable[[], Awaitable[None]]


def _no_fault(_point: str) -> None:
    """Go on: nobody injects faults."""


class Webhooks:
    """Deliver until cancelled; one process at a time does, others wait their turn.

    `key`: the installation's secret, of which the endpoints' are made. `wall` is the time for receivers and retries,
    `chance` draws the jitter. `fault` is called at each of `POINTS`; a test crashes there.
    """

    def __init__(
        self,
        event_log: EventLog,
        store: WebhookStore,
        *,
        key: str,
        sender: Sender,
        policy: Policy | None = None,
        keep_s: float = KEEP_S,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        fault: Callable[[str], None] | None = None,
    ) -> None:
        self._log = event_log
        self._store = store
        self._key = key
        self._sender = sender
        self._policy = policy or Policy()
        self._dispatcher = Dispatcher(self._policy)
        self._keep_s = keep_s
        self._wall = wall
        self._chance = chance
        self._fault = fault or _no_fault
        self._wake = asyncio.Event()
        self._tidied_at = float("-inf")
        self._poll_s = POLL_S

    async def run(self) -> None:
        """Deliver until cancelled; raises what the database or the log raise."""
        self._dispatcher = Dispatcher(self._policy)
        try:
            async with self._store.alone() as check, asyncio.TaskGroup() as group:
                group.create_task(self._fill(check), name="webhook.fill")
                group.create_task(self._serve_all(check, group), name="webhook.serve")
        finally:
            await self._sender.close()

    async def _fill(self, check: _Check) -> None:
        while True:
            await check()
            read = [await self._fill_from(partition) for partition in await self._log.partitions()]
            if max(read, default=0) < READ_ROWS:
                await asyncio.sleep(self._poll_s)

    async def _fill_from(self, partition: int) -> int:
        """Move the next records of a partition to the queues; return how many were read.

        The endpoints are asked for after the records: an address set meanwhile is later than all of them.
        """
        after = await self._store.position(partition)
        records = await self._log.read(partition, after=after, limit=READ_ROWS)
        endpoints = {one.campaign_id: one for one in await self._store.endpoints() if one.url}
        self._poll_s = POLL_S if endpoints else POLL_IDLE_S
        if not records:
            return 0
        self._fault("webhook.read")
        new = _deliveries(records, endpoints) if endpoints else []
        span = OffsetRange(partition, records[0].offset, records[-1].offset)
        if await self._store.enqueue(after, span, new, now=self._wall()) and new:
            self._fault("webhook.queued")
            self._wake.set()
        return len(records)

    async def _serve_all(self, check: _Check, group: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            await check()
            now = self._wall()
            endpoints = {one.campaign_id: one for one in await self._store.endpoints()}
            await self._tidy(endpoints.values(), now)
            self._dispatcher.know(_known(one) for one in endpoints.values())
            for campaign_id in self._dispatcher.start(now):
                group.create_task(self._serve(endpoints[campaign_id]), name=f"webhook.{campaign_id}")
            timer = self._dispatcher.next_timer(now)
            await self._rest(self._poll_s if timer is None else min(self._poll_s, timer - now))

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _serve(self, endpoint: Endpoint) -> None:
        """Give an endpoint its turn; what was accepted is taken off the queue, even when the turn is cut short."""
        began, done, health = time.monotonic(), list[int](), endpoint.health
        try:
            for item in await self._store.head(endpoint.campaign_id, BATCH):
                failure = await self._post(endpoint, item)
                if failure is not None:
                    health = self._failed(endpoint, health, failure)
                    break
                self._fault("webhook.posted")
                done.append(item.id)
                health = self._recovered(endpoint, health)
                if time.monotonic() - began > TURN_S:
                    break
        finally:
            if done or health is not endpoint.health:
                await _to_the_end(self._store.settle(endpoint, done, health, now=self._wall()))
                self._fault("webhook.confirmed")
            self._dispatcher.end(endpoint.campaign_id)
            self._wake.set()

    async def _post(self, endpoint: Endpoint, item: Queued) -> Failure | None:
        now = self._wall()
        secrets = secrets_of(self._key, endpoint, now=now)
        mark = fingerprint(secrets[0])
        if endpoint.fingerprint is None:
            await self._store.mark_secret(endpoint, mark)
        elif endpoint.fingerprint != mark:
            return Failure(_OTHER_KEY)
        headers = headers_of(secrets, item.event_id, item.body, at=now)
        return await self._sender.send(endpoint.url or "", item.body, headers, now=now)

    def _failed(self, endpoint: Endpoint, health: Health, failure: Failure) -> Health:
        now = self._wall()
        after = failed(health, failure, now=now, chance=self._chance(), policy=self._policy)
        extra = {"action": "webhook.failed", "campaign_id": endpoint.campaign_id, "failures": after.failures}
        if after.disabled_at is not None:
            extra |= {"action": "webhook.disabled", "reason": after.disabled_reason}
            log.warning("a webhook is disabled: %s", after.disabled_reason, extra=extra)
            return after
        extra |= {"reason": after.error, "retry_in_s": round(after.next_at - now, 1)}
        level = logging.WARNING if after.failures == 1 else logging.INFO
        log.log(level, "a webhook's receiver did not accept a call record: %s", after.error, extra=extra)
        return after

    def _recovered(self, endpoint: Endpoint, health: Health) -> Health:
        if health.failures:
            extra = {"action": "webhook.recovered", "campaign_id": endpoint.campaign_id, "failures": health.failures}
            log.info("a webhook's receiver accepts call records again", extra=extra)
        return Health()

    async def _tidy(self, endpoints: Iterable[Endpoint], now: float) -> None:
        """Drop what has waited for longer than it is kept, so that a dead receiver cannot fill the disk."""
        if now - self._tidied_at < TIDY_S:
            return
        self._tidied_at = now
        for endpoint in endpoints:
            dropped = await self._store.drop_older(endpoint.campaign_id, now - self._keep_s) if endpoint.waiting else 0
            if dropped:
                extra = {"action": "webhook.dropped", "campaign_id": endpoint.campaign_id, "count": dropped}
                log.warning("call records that no receiver took for too long were dropped", extra=extra)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await it however often a stop is asked for: what was accepted and is not written down is posted again."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _deliveries(records: Sequence[LogRecord], endpoints: Mapping[int, Endpoint]) -> list[NewDelivery]:
    found = (_delivery(record, endpoints) for record in records)
    return [delivery for delivery in found if delivery is not None]


def _delivery(record: LogRecord, endpoints: Mapping[int, Endpoint]) -> NewDelivery | None:
    """Return what the record means for a receiver; one that cannot be read reaches none, which is logged.

    It is the projector's dead letter: a replay brings it into the call records, and posts nothing.
    """
    try:
        understood = decode(record.value)
    except RejectRecord:
        extra = {"action": "webhook.unreadable", "partition": record.partition, "offset": record.offset}
        log.warning("a record that cannot be read is posted to nobody", extra=extra)
        return None
    event = understood.event
    endpoint = endpoints.get(event.campaign_id)
    if endpoint is None or not isinstance(understood.data, Cdr) or not event.call_id:
        return None
    if event.occurred_at < endpoint.since * MICROS:
        return None
    return NewDelivery(event.campaign_id, event.event_id, call_body(event, understood.data))


def _known(endpoint: Endpoint) -> Known:
    return Known(endpoint.campaign_id, endpoint.health, endpoint.waiting and endpoint.url is not None)


def secrets_of(key: str, endpoint: Endpoint, *, now: float) -> list[str]:
    """Return the secrets that sign for an endpoint now, the current one first."""
    generations = [endpoint.generation]
    if endpoint.old_until is not None and now < endpoint.old_until and endpoint.generation > 1:
        generations.append(endpoint.generation - 1)
    return [endpoint_secret(key, endpoint.campaign_id, generation) for generation in generations]


def headers_of(secrets: Sequence[str], event_id: str, body: bytes, *, at: float) -> dict[str, str]:
    """Return the headers of one post: the signature, the event (the receiver's idempotency key), and this very try."""
    return {
        SIGNATURE_HEADER: signature(secrets, body, at=int(at)),
        EVENT_ID_HEADER: event_id,
        DELIVERY_HEADER: str(uuid.uuid4()),
    }
