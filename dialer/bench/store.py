"""The live path: attempts through the store and into chDB, beside the same rows inserted raw into a fresh file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.clickhouse import open_chdb
from cdr.projector import Projector
from dialer.bench.figures import Pair, Result, Step, at_least, best, plain, ratio
from dialer.bench.traffic import CAMPAIGN, LIST_ID, NOW, Traffic, phone
from dialer.core.campaign import CampaignState
from store.adding import NewLead, add_leads
from store.lead_store import SqlLeadStore
from store.ledger import SqlOffsetLedger
from store.load import ATTEMPTS, CAMPAIGNS, CUSTOMERS, LEADS, LISTS
from store.models import OutboxRecord
from store.open import open_database
from store.outbox import SqlOutboxLog
from store.upgrade import upgrade

GOAL: Final = 0.5
_OUTBOX: Final[Any] = OutboxRecord.__table__


class Run(msgspec.Struct, frozen=True):
    """Seconds of one run, and the rows that it left behind."""

    settled_s: float
    projected_s: float
    cpu_s: float
    """Of the processor, until the last event is in chDB."""
    rows: dict[str, list[dict[str, Any]]]


def bench_store(*, attempts: int, batch: int, repeats: int, step: Step) -> Result:
    """Commit attempts in transactions of `batch` of each kind of effect; the raw rows in as many transactions."""
    settled: list[Pair] = []
    projected: list[Pair] = []
    busy: list[Pair] = []
    events = 0
    for number in range(1, repeats + 1):
        step(f"live path, {number} of {repeats}")
        with TemporaryDirectory(prefix="dialer-bench-") as folder:
            run = asyncio.run(_live(Path(folder), attempts, batch))
            step(f"raw rows, {number} of {repeats}")
            raw_s, raw_cpu_s = asyncio.run(_raw(Path(folder), run.rows, -(-attempts // batch)))
        settled.append((run.settled_s, raw_s))
        projected.append((run.projected_s, raw_s))
        busy.append((run.cpu_s, raw_cpu_s))
        events = len(run.rows["outbox"])
    return Result(
        "store",
        {"attempts": attempts, "batch": batch, "repeats": repeats},
        [
            at_least("attempts a second, begun to settled / raw rows", ratio(settled), GOAL),
            plain("the same, until the last is in chDB too", ratio(projected)),
            plain("the same, in processor time", ratio(busy)),
            plain("attempts a second, begun to settled", attempts / best([live for live, _ in settled])),
            plain("attempts a second, until in chDB", attempts / best([live for live, _ in projected])),
            plain("attempts a second, raw rows", attempts / best([raw for _, raw in settled])),
            plain("CDR events an attempt", events / attempts),
        ],
    )


async def _live(folder: Path, attempts: int, batch: int) -> Run:
    engine = await prepared(f"sqlite:///{folder / 'live.db'}", attempts)
    await fill_leads(engine, attempts)
    analytics = await open_chdb(folder / "analytics")
    projector = Projector(SqlOutboxLog(engine), SqlOffsetLedger(engine), analytics)
    try:
        while await projector.run_once():
            pass
        first = await last_offset(engine)
        cpu = time.process_time()
        settled_s, projected_s = await _dial(SqlLeadStore(engine), projector, Traffic(attempts, batch))
        return Run(settled_s, projected_s, time.process_time() - cpu, await written_rows(engine, first))
    finally:
        await analytics.close()
        await engine.dispose()


async def _dial(store: SqlLeadStore, projector: Projector, traffic: Traffic) -> tuple[float, float]:
    stop = asyncio.Event()
    began = time.perf_counter()
    projecting = asyncio.create_task(projector.run(stop))
    settled_s = await settle_all(store, traffic)
    stop.set()
    await projecting
    return settled_s, time.perf_counter() - began


async def settle_all(store: SqlLeadStore, traffic: Traffic) -> float:
    """Commit the whole traffic; return the seconds from the first transaction to the end of the last."""
    fence = await store.acquire(CAMPAIGN.campaign_id, owner="bench", now=NOW, ttl_s=3600.0)
    if fence is None:
        raise RuntimeError("a campaign that nobody owns could not be acquired")
    began = time.perf_counter()
    for commit in traffic.commits(fence):
        traffic.take(await store.commit(commit, now=traffic.now))
    spent = time.perf_counter() - began
    traffic.check()
    return spent


async def _raw(folder: Path, rows: dict[str, list[dict[str, Any]]], transactions: int) -> Pair:
    """Return wall and processor seconds."""
    engine = await prepared(f"sqlite:///{folder / 'raw.db'}", len(rows["leads"]))
    try:
        began, cpu = time.perf_counter(), time.process_time()
        for number in range(transactions):
            async with engine.begin() as connection:
                for table in (LEADS, ATTEMPTS, _OUTBOX):
                    every = rows[table.name]
                    size = -(-len(every) // transactions)
                    if some := every[number * size : (number + 1) * size]:
                        await connection.execute(insert(table), some)
        return time.perf_counter() - began, time.process_time() - cpu
    finally:
        await engine.dispose()


async def prepared(url: str, customers: int) -> AsyncEngine:
    """Open an empty database and give it the tables, a running campaign, its list and so many customers."""
    engine = open_database(url)
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.run_sync(_fill, customers)
    return engine


def _fill(connection: Connection, customers: int) -> None:
    campaign = {
        "id": CAMPAIGN.campaign_id,
        "name": CAMPAIGN.name,
        "state": CampaignState.RUNNING.value,
        "settings": msgspec.json.encode(CAMPAIGN).decode(),
        "state_since": NOW,
        "created_at": NOW,
    }
    connection.execute(insert(CAMPAIGNS), campaign)
    one_list = {"id": LIST_ID, "campaign_id": CAMPAIGN.campaign_id, "name": "bench", "created_at": NOW}
    connection.execute(insert(LISTS), one_list)
    connection.execute(insert(CUSTOMERS), [_customer(number) for number in range(1, customers + 1)])


def _customer(number: int) -> dict[str, Any]:
    times = {"created_at": NOW, "updated_at": NOW}
    return {"id": number, "code": f"KH{number:06d}", "phone_e164": phone(number), "name": f"Lead {number}", **times}


async def fill_leads(engine: AsyncEngine, count: int) -> None:
    """Add leads for customers 1, 2, 3 ..."""
    new = [NewLead(number, phone(number)) for number in range(1, count + 1)]
    async with engine.begin() as connection:
        await connection.run_sync(add_leads, CAMPAIGN, LIST_ID, new, now=NOW)


async def last_offset(engine: AsyncEngine) -> int:
    """Return the offset of the newest record of the outbox."""
    async with engine.connect() as connection:
        found = await connection.execute(select(_OUTBOX.c.offset).order_by(_OUTBOX.c.offset.desc()).limit(1))
        return int(found.scalar_one())


async def written_rows(engine: AsyncEngine, first: int) -> dict[str, list[dict[str, Any]]]:
    """Read what the live path has written, as it is inserted: without the columns that the database computes."""
    async with engine.connect() as connection:
        found = {table.name: await connection.execute(_written(table)) for table in (LEADS, ATTEMPTS)}
        found["outbox"] = await connection.execute(select(_OUTBOX).where(_OUTBOX.c.offset > first))
        return {name: [dict(row) for row in result.mappings()] for name, result in found.items()}


def _written(table: Table) -> Any:
    return select(*(column for column in table.c if column.computed is None))
