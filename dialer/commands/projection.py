"""What commands that work on the projection itself need: the event log, the ledger and the analytics, open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from dialer.commands.context import open_store, settings
from dialer.home import PROJECTOR, Home

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from cdr.clickhouse import Analytics
    from dialer.config import Settings
    from dialer.ports import EventLog
    from store.binding import Bound
    from store.ledger import SqlOffsetLedger


class Projection(NamedTuple):
    """Both ends of the projection, how far it is, and what it is to be bound to."""

    event_log: EventLog
    ledger: SqlOffsetLedger
    analytics: Analytics
    engine: AsyncEngine
    bound: Bound


@asynccontextmanager
async def open_projection() -> AsyncIterator[Projection]:
    """Open it here and now; raise ResourceBusy when a running service has the embedded analytics."""
    from cdr.choose import open_analytics
    from dialer.kafka import log_name
    from store.binding import Bound
    from store.ledger import SqlOffsetLedger

    chosen = settings()
    url, cluster = chosen.clickhouse_url, chosen.clickhouse_cluster
    if not url:
        Home(chosen.home).refuse_if_running()
        Home(chosen.home).refuse_if_running((PROJECTOR,))
    async with open_store() as store, AsyncExitStack() as stack:
        analytics = await open_analytics(chosen.analytics_path, url=url, cluster=cluster)
        stack.push_async_callback(analytics.close)
        event_log = await _open_log(chosen, store.engine, stack)
        bound = Bound(await log_name(chosen), await analytics.made_at())
        yield Projection(event_log, SqlOffsetLedger(store.engine), analytics, store.engine, bound)


async def _open_log(chosen: Settings, engine: AsyncEngine, stack: AsyncExitStack) -> EventLog:
    from store.outbox import SqlOutboxLog

    if not chosen.kafka:
        return SqlOutboxLog(engine)
    from cdr.kafka_log import KafkaLog
    from dialer.kafka import kafka_at

    event_log = KafkaLog(kafka_at(chosen), chosen.kafka_topic, group=None)
    await event_log.start()
    stack.push_async_callback(event_log.close)
    return event_log
