from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.events import Cdr, Decoded
from dialer.core.effects import SettleAttempt, SettleLead
from dialer.core.types import AttemptIntent, Fence, LeadResult
from dialer.recordings import RecordingFormat, Stored, path_of, url_of
from statuses.lead import Trigger
from store.load import ATTEMPTS
from store.recordings import RECORDINGS, SqlRecordings
from tests.store.worlds import NOW, SqlWorld, begun, commit, events, standing, talk

TOLD = ("cdr.finalized", "disposition.set", "recording.ready", "recording.deleted")


@pytest.fixture
async def world(engine: AsyncEngine) -> SqlWorld:
    async with engine.begin() as connection:
        await connection.execute(delete(RECORDINGS))
    return SqlWorld(engine)


def stored(call: AttemptIntent, **values: Any) -> Stored:
    made = Stored(
        call_id=call.call_id, campaign_id=1, began_at=call.begun_at, storage="",
        path=path_of(call.call_id, call.begun_at, RecordingFormat.MP3), format=RecordingFormat.MP3, bytes=900,
        sha256="ab" * 32, seconds=38.5, stored_at=NOW + 70,
    )  # fmt: skip
    return msgspec.structs.replace(made, **values)


async def talked(world: SqlWorld, fence: Fence, *, recorded: bool = True, at: float = NOW) -> AttemptIntent:
    call = await begun(world, fence, now=at)
    await commit(world, fence, SettleAttempt(talk(call, at=at + 60, recorded=recorded)), now=at + 60)
    return call


def wrap_up(call: AttemptIntent) -> SettleLead:
    return SettleLead(LeadResult(call.call_id, call.lead_id, Trigger.ANSWERED, "an", wrap_s=9.0, disposition="SALE"))


def cdr(one: Decoded) -> Cdr:
    assert isinstance(one.data, Cdr)
    return one.data


def line(one: Decoded) -> tuple[str, int, int, str | None, str | None]:
    data = cdr(one)
    return one.event.type, data.version, one.event.seq, data.recording_url, data.disposition


async def test_only_calls_whose_end_is_written_down_are_taken(world: SqlWorld) -> None:
    fence = await standing(world, 3)
    open_, over, kept = (await begun(world, fence), await talked(world, fence), await talked(world, fence))
    recordings = SqlRecordings(world.engine)
    assert await recordings.keep(stored(kept))
    found = await recordings.settled([open_.call_id, over.call_id, kept.call_id, "a stranger's"])
    assert {call_id: one.stored for call_id, one in found.items()} == {over.call_id: False, kept.call_id: True}
    assert found[over.call_id].began_at == over.begun_at


async def test_the_row_and_its_event_are_written_once(world: SqlWorld) -> None:
    fence = await standing(world)
    call = await talked(world, fence)
    recordings = SqlRecordings(world.engine)
    assert sorted(await asyncio.gather(*(recordings.keep(stored(call)) for _ in range(4)))) == [False] * 3 + [True]
    assert await recordings.find(call.call_id) == stored(call)
    assert await recordings.having([call.call_id, "other"]) == {call.call_id}
    (ready,) = await events(world, "recording.ready")
    assert cdr(ready).recording_url == url_of(call.call_id)
    assert (cdr(ready).recording_ms, cdr(ready).recording_bytes) == (38_500, 900)
    assert cdr(ready).recording_sha256 == "ab" * 32
    assert ready.event.occurred_at == int((NOW + 70) * 1e6)


async def test_a_recording_before_the_disposition_stays_in_the_record(world: SqlWorld) -> None:
    fence = await standing(world)
    call = await talked(world, fence)
    recordings = SqlRecordings(world.engine)
    await recordings.keep(stored(call))
    await commit(world, fence, wrap_up(call), now=NOW + 80)
    url, last = url_of(call.call_id), 7
    assert [line(one) for one in await events(world, *TOLD)] == [
        ("cdr.finalized", 1, last - 1, None, None),
        ("recording.ready", 3, last, url, None),
        ("disposition.set", 4, last + 1, url, "SALE"),
    ]


async def test_a_recording_after_the_disposition_keeps_the_agents_word(world: SqlWorld) -> None:
    fence = await standing(world)
    call = await talked(world, fence)
    recordings = SqlRecordings(world.engine)
    await commit(world, fence, wrap_up(call), now=NOW + 80)
    await recordings.keep(stored(call))
    assert await recordings.mark_deleted(call.call_id, now=NOW + 500)
    assert not await recordings.mark_deleted(call.call_id, now=NOW + 501)
    told = await events(world, *TOLD)
    assert [line(one)[:3] + line(one)[4:] for one in told] == [
        ("cdr.finalized", 1, 6, None),
        ("disposition.set", 2, 7, "SALE"),
        ("recording.ready", 4, 8, "SALE"),
        ("recording.deleted", 6, 9, "SALE"),
    ]
    assert [cdr(one).recording_url for one in told] == [None, None, url_of(call.call_id), None]
    found = await recordings.find(call.call_id)
    assert found is not None
    assert found.deleted_at == NOW + 500
    assert await recordings.having([call.call_id]) == frozenset()


async def test_a_call_that_nobody_ordered_to_be_recorded_has_its_row_without_an_event(world: SqlWorld) -> None:
    fence = await standing(world)
    call = await talked(world, fence, recorded=False)
    await commit(world, fence, wrap_up(call), now=NOW + 80)
    assert await SqlRecordings(world.engine).keep(stored(call))
    assert await events(world, "recording.ready") == []


async def test_nothing_is_kept_for_events_of_calls_that_are_not_recorded(world: SqlWorld) -> None:
    fence = await standing(world, 2)
    plain, recorded = await talked(world, fence, recorded=False), await talked(world, fence)
    for call in (plain, recorded):
        await commit(world, fence, wrap_up(call), now=NOW + 80)
    async with world.engine.connect() as connection:
        rows = await connection.execute(select(ATTEMPTS.c.call_id, ATTEMPTS.c.record, ATTEMPTS.c.result))
        held = {row[0]: (row[1] is not None, row[2] is not None) for row in rows}
    assert held == {plain.call_id: (False, False), recorded.call_id: (True, True)}


async def test_those_that_are_old_enough_are_listed_the_oldest_first(world: SqlWorld) -> None:
    fence = await standing(world, 3)
    calls = [await talked(world, fence, at=NOW + 100 * number) for number in range(3)]
    recordings = SqlRecordings(world.engine)
    for call in reversed(calls):
        await recordings.keep(stored(call))
    due = await recordings.expired(NOW + 150, 10)
    assert [one.call_id for one in due] == [calls[0].call_id, calls[1].call_id]
    assert len(await recordings.expired(NOW + 150, 1)) == 1
    await recordings.mark_deleted(calls[0].call_id, now=NOW + 900)
    assert [one.call_id for one in await recordings.expired(NOW + 150, 10)] == [calls[1].call_id]
    newest = await recordings.newest(campaign_id=1, deleted=False, limit=10)
    assert [one.call_id for one in newest] == [calls[2].call_id, calls[1].call_id]
    assert len(await recordings.newest(campaign_id=None, deleted=True, limit=10)) == 3
    assert await recordings.newest(campaign_id=2, deleted=True, limit=10) == []
    assert await recordings.totals() == (2, 1800)


async def test_what_is_old_is_found_by_the_index(sqlite: AsyncEngine) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT call_id FROM recordings WHERE deleted_at IS NULL AND began_at < 1 ORDER BY began_at"
    )
    async with sqlite.connect() as connection:
        plan = " ".join(str(row) for row in await connection.execute(text(query)))
    assert "ix_recordings_kept" in plan
