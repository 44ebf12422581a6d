from __future__ import annotations

import asyncio
import csv
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm import importing
from crm.campaigns import act
from crm.import_batch import Counts, write_batch
from crm.importing import HEADINGS, import_leads
from crm.reading import BATCH_ROWS
from dialer.core.campaign import CampaignAction
from dialer.errors import BadInput, IllegalAction, NotFound
from simulator.sample import BLANK_AFTER, DUPLICATES, ROWS, write_sample
from store.models import Comment, Customer, Lead, LeadList, Suppression
from store.open import open_database
from tests.crm.worlds import NOW, add, campaign, campaign_row, csv_file, customer, e164, lead, moves, number, people

OLD = "01990000001"


async def count(engine: AsyncEngine, model: Any) -> int:
    async with engine.connect() as db:
        return await db.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.req("S3-15", "S3-18", "S3-20", "S3-24", "S4-25")
async def test_rows_become_customers_and_leads(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    before = await campaign_row(engine)
    result = await add(engine, tmp_path, [["Đỗ Thị Ước", number(1), "u@example.com"], ["Bình", number(2), ""]])
    assert (result.added, result.existing, result.failed, result.rows) == (2, 0, 0, 2)
    assert result.result_path is None
    uoc = await customer(engine, e164(1))
    assert (uoc.name, uoc.name_sort, uoc.email, uoc.code) == ("Đỗ Thị Ước", "do thi uoc", "u@example.com", "KH000001")
    first = await lead(engine, 1)
    assert (first.phone_e164, first.state, first.added_at, first.dial_rank) == (e164(1), "not_called", NOW, 4)
    assert (await campaign_row(engine)).revision > before.revision
    assert [(event.lead_id, data.rule, data.state_to) for event, data in await moves(engine)] == [
        (1, "T1", "not_called"),
        (2, "T1", "not_called"),
    ]


@pytest.mark.req("S3-21", "S3-27")
async def test_a_number_that_is_known_updates_its_customer(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    await campaign(engine, "Hè")
    await add(engine, tmp_path, [["An", number(1), "an@example.com"]])
    again = await add(engine, tmp_path, [["Trần An", f"84{number(1)[1:]}", ""]], now=NOW + 1)
    assert (again.added, again.existing, again.failed) == (0, 1, 0)
    other = await add(engine, tmp_path, [["", number(1), "moi@example.com"]], "Hè", now=NOW + 2)
    assert (other.added, other.existing) == (1, 0)
    found = await customer(engine, e164(1))
    assert (found.name, found.email, found.updated_at) == ("Trần An", "moi@example.com", NOW + 2)
    assert (await count(engine, Customer), await count(engine, Lead)) == (1, 2)


async def test_the_same_file_again_changes_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    path = csv_file(tmp_path / "a.csv", [["An", number(1), "ghi chú"], ["Bình", number(2), ""]])
    columns = {"name": 1, "phone": 2, "comment": 3}
    for run in range(3):
        result = await import_leads(engine, path, "Tết", columns, 1, now=NOW + run)
        assert (result.added, result.existing) == ((2, 0) if run == 0 else (0, 2))
        assert result.duplicates == 0
    assert [await count(engine, model) for model in (Customer, Lead, Comment, LeadList)] == [2, 2, 1, 1]
    assert len(await moves(engine)) == 2


async def test_duplicates_in_the_file_count_as_existing(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    rows = [["An", number(1), ""], ["", f"+84{number(1)[1:]}", "an@example.com"], ["Bình", number(2), ""]]
    result = await add(engine, tmp_path, rows)
    assert (result.added, result.existing, result.duplicates) == (2, 1, 1)
    assert ((await customer(engine, e164(1))).name, (await customer(engine, e164(1))).email) == ("An", "an@example.com")


async def test_duplicates_in_far_apart_batches_are_found(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    rows = [["An", number(n), ""] for n in range(BATCH_ROWS + 5)] + [["An", number(0), ""]]
    done: list[tuple[int, int | None]] = []
    result = await add(sqlite, tmp_path, rows, on_progress=lambda row, last: done.append((row, last)))
    assert (result.added, result.existing, result.duplicates) == (BATCH_ROWS + 5, 1, 1)
    assert [row for row, _ in done] == [BATCH_ROWS + 1, BATCH_ROWS + 7]


@pytest.mark.parametrize(("kind", "state", "rule"), [("dnc", "dnc", "T3"), ("blacklist", "blacklisted", "T2")])
@pytest.mark.req("S4-3.10", "S4-3.11")
async def test_listed_numbers_come_in_held(
    engine: AsyncEngine, tmp_path: Path, kind: str, state: str, rule: str
) -> None:
    await campaign(engine)
    async with engine.begin() as db:
        await db.execute(insert(Suppression).values(phone_e164=e164(1), kind=kind, created_at=NOW))
    await people(engine, tmp_path, 2)
    held = await lead(engine, 1)
    assert (held.state, held.remembered, held.due_at) == (state, "not_called", None)
    assert [data.rule for _, data in await moves(engine)] == [rule, "T1"]


async def test_old_numbers_need_a_yes(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    refused = await add(engine, tmp_path, [["An", OLD, ""]])
    assert (refused.failed, refused.old_numbers, refused.migrated) == (1, 1, 0)
    taken = await add(engine, tmp_path, [["An", OLD, ""]], migrate_2018=True)
    assert (taken.added, taken.old_numbers, taken.migrated) == (1, 0, 1)
    assert await customer(engine, "+84590000001") is not None


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.req("S3-22", "S3-23")
async def test_the_result_file_says_which_cell_and_why(sqlite: AsyncEngine, tmp_path: Path, suffix: str) -> None:
    await campaign(sqlite)
    out = tmp_path / f"result.{suffix}"
    rows = [["An", number(1), ""], ["=1+1", "12", ""], ["Chi", number(2), "@example"]]
    result = await add(sqlite, tmp_path, rows, result_path=out)
    assert (result.added, result.failed, result.result_path) == (1, 2, out)
    table = read_table(out)
    assert tuple(table[0][:7]) == HEADINGS
    assert [row[:4] for row in table[1:]] == [
        ["3", "B3", "phone", "12"],
        ["4", "C4", "email", apostrophe(suffix, "@example")],
    ]
    assert table[1][4:6] == ["Số điện thoại quá ngắn", "The phone number is too short"]
    assert table[1][6] == apostrophe(suffix, "=1+1")


def apostrophe(suffix: str, text: str) -> str:
    return "'" + text if suffix == "csv" else text


def read_table(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return [[str(value) if value is not None else "" for value in row] for row in sheet.iter_rows(values_only=True)]


@pytest.mark.req("S0-8")
async def test_codes_are_unique(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    columns = {"name": 1, "phone": 2, "code": 3}
    rows = [
        ["An", number(1), "VIP7"],
        ["Bình", number(2), "vip7"],
        ["Chi", number(3), ""],
        ["Dũng", number(4), "KH000002"],
    ]
    result = await add(engine, tmp_path, rows, mapping=columns)
    assert (result.added, result.failed) == (3, 1)
    codes = [(await customer(engine, e164(n))) for n in (1, 3, 4)]
    assert [found.code for found in codes] == ["VIP7", "KH000002A", "KH000002"]
    stolen = await add(engine, tmp_path, [["Em", number(5), "VIP7"]], mapping=columns, now=NOW + 1)
    assert (stolen.added, stolen.failed) == (0, 1)


async def test_an_appointment_and_a_comment_come_along(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    columns = {"phone": 1, "call_at": 2, "comment": 3}
    await add(engine, tmp_path, [[number(1), "15/01/2027 09:30", "=gọi lại"]], mapping=columns)
    found = await lead(engine, 1)
    assert (found.call_at, found.dial_rank) == (1_799_980_200.0, 1)
    async with engine.connect() as db:
        assert (await db.scalar(select(Comment.text))) == "=gọi lại"


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_limit_takes_the_first_rows(sqlite: AsyncEngine, tmp_path: Path, limit: int) -> None:
    await campaign(sqlite)
    rows = [["An", number(n), ""] for n in range(5)]
    assert (await add(sqlite, tmp_path, rows, limit=limit)).added == limit


async def test_an_interrupted_import_can_be_repeated(
    sqlite: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await campaign(sqlite)
    rows = [["An", number(n), ""] for n in range(2 * BATCH_ROWS)]
    batches = iter(range(9))

    def crash(*args: Any) -> Counts:
        counts = write_batch(*args)
        if next(batches) == 1:
            raise RuntimeError("the power is gone")
        return counts

    monkeypatch.setattr(importing, "write_batch", crash)
    with pytest.raises(RuntimeError):
        await add(sqlite, tmp_path, rows)
    assert await count(sqlite, Lead) == await count(sqlite, Customer) == BATCH_ROWS
    again = await add(sqlite, tmp_path, rows, now=NOW + 1)
    assert (again.added, again.existing, again.duplicates) == (BATCH_ROWS, BATCH_ROWS, 0)
    assert len(await moves(sqlite)) == 2 * BATCH_ROWS


async def test_nothing_is_written_when_the_order_is_wrong(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    rows = [["An", number(1), ""]]
    with pytest.raises(NotFound, match="Did you mean 'Tết'"):
        await add(sqlite, tmp_path, rows, "tet")
    with pytest.raises(BadInput, match="no field 'zalo'"):
        await add(sqlite, tmp_path, rows, mapping={"zalo": 1, "phone": 2})
    with pytest.raises(BadInput, match="no rows from row 7"):
        await add(sqlite, tmp_path, rows, start_row=7)
    with pytest.raises(BadInput, match="would overwrite the file"):
        await add(sqlite, tmp_path, rows, result_path=tmp_path / "leads.csv")
    with pytest.raises(BadInput, match="give it a name"):
        await add(sqlite, tmp_path, rows, list_name=" ")
    await act(sqlite, "Tết", CampaignAction.END, now=NOW)
    with pytest.raises(IllegalAction, match="has ended"):
        await add(sqlite, tmp_path, rows)
    assert [await count(sqlite, model) for model in (Customer, Lead, LeadList)] == [0, 0, 0]


async def test_the_sample_workbook(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    write_sample(tmp_path / "sample.xlsx")
    columns = {"code": 1, "name": 2, "phone": 3, "email": 4, "birthday": 5, "gender": 6, "province": 7}
    result = await import_leads(sqlite, tmp_path / "sample.xlsx", "Tết", columns, 2, now=NOW, migrate_2018=True)
    assert (result.rows, result.blank, result.failed, result.old_numbers) == (ROWS, len(BLANK_AFTER), 12, 0)
    assert result.duplicates == result.existing == DUPLICATES
    assert result.added == await count(sqlite, Lead) == ROWS - DUPLICATES - 12
    assert result.migrated > 100


line = st.tuples(
    st.sampled_from(["An", "", " =1 "]),
    st.sampled_from(
        [number(1), "951" + "000002", f"+84{number(1)[1:]}", number(3), "12", "", OLD, "x", number(4) + ".0"]
    ),
    st.sampled_from(["", "a@example.com", "a@"]),
)


@settings(max_examples=20, deadline=None)
@given(lines=st.lists(line, min_size=1, max_size=12), known=st.sets(st.integers(1, 4)))
async def test_the_counters_always_add_up(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    lines: Sequence[tuple[str, str, str]],
    known: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("counters")
    engine = open_database(f"sqlite:///{shutil.copy(empty_database, folder)}")
    try:
        await campaign(engine)
        for serial in known:
            await add(engine, folder, [["Cũ", number(serial), ""]], now=NOW - 1)
        before = await count(engine, Lead)
        result = await add(engine, folder, lines, result_path=folder / "r.csv")
        filled = sum(any(cell.strip() for cell in row) for row in lines)
        assert result.added + result.existing + result.failed == result.rows == filled
        assert result.blank == len(lines) - filled
        assert await count(engine, Lead) == await count(engine, Customer) == before + result.added
        assert result.duplicates <= result.existing
        failed = len(read_table(result.result_path)) - 1 if result.result_path else 0
        assert failed == result.failed
    finally:
        await engine.dispose()


async def test_two_imports_at_once_add_nobody_twice(engine: AsyncEngine, tmp_path: Path) -> None:
    await campaign(engine)
    await campaign(engine, "Hè")
    rows = [["An", number(n), ""] for n in range(300)]
    random.Random(1).shuffle(rows)
    path = csv_file(tmp_path / "a.csv", rows)
    columns = {"name": 1, "phone": 2}
    results = await asyncio.gather(
        *(import_leads(engine, path, name, columns, 1, now=NOW + n) for n, name in enumerate(["Tết", "Tết", "Hè"]))
    )
    assert sorted((result.added, result.existing) for result in results) == [(0, 300), (300, 0), (300, 0)]
    assert (await count(engine, Lead), await count(engine, Customer)) == (600, 300)


async def test_a_list_that_is_named_is_made_once(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await add(sqlite, tmp_path, [["An", number(1), ""]], list_name="Hà Nội")
    await add(sqlite, tmp_path, [["An", number(2), ""]], list_name="Hà Nội")
    async with sqlite.begin() as db:
        assert (await db.execute(select(LeadList.name))).scalars().all() == ["Hà Nội"]
        await db.execute(update(LeadList).values(active=False))
