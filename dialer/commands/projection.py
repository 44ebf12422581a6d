"""What commands that work on the projection itself need: the event log, the ledger and the analytics, open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from dialer.commands.context import open_store, settings
from dialer.errors import DialerError
from dialer.home import Home

if TYPE_CHECKING:
    from cdr.clickhouse import Analytics
    from dialer.ports import EventLog, OffsetLedger


class Projection(NamedTuple):
    """Both ends of the projection and how far it is."""

    event_log: EventLog
    ledger: OffsetLedger
    analytics: Analytics


@asynccontextmanager
async def open_projection() -> AsyncIterator[Projection]:
    """Open it here and now; raise ResourceBusy when a running service has the embedded analytics."""
    from cdr.choose import open_analytics
    from store.ledger import SqlOffsetLedger
    from store.outbox import SqlOutboxLog

    chosen = settings()
    here = chosen.model_dump()
    url, cluster = here.get("clickhouse_url", ""), here.get("clickhouse_cluster", "")
    if here.get("kafka"):
        raise DialerError("DIALER_KAFKA is set, and this command reads the event log of the database only")
    if not url:
        Home(chosen.home).refuse_if_running()
    async with open_store() as store:
        analytics = await open_analytics(chosen.analytics_path, url=url, cluster=cluster)
        try:
            yield Projection(SqlOutboxLog(store.engine), SqlOffsetLedger(store.engine), analytics)
        finally:
            await analytics.close()
