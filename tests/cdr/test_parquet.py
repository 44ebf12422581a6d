from __future__ import annotations

from pathlib import Path

import pytest

from cdr import parquet
from cdr.clickhouse import Analytics
from cdr.memory import MemoryOffsetLedger
from cdr.parquet import write_parquet
from cdr.projector import Projector
from cdr.queries import CallRow, CdrFilter, CdrQueries
from dialer.errors import DialerError
from tests.cdr.parquet_file import read_parquet
from tests.cdr.samples import log_of, phone

pytestmark = pytest.mark.component("chdb")
FIELDS = CallRow.__struct_fields__


@pytest.fixture
async def calls(analytics: Analytics) -> Analytics:
    projector = Projector(log_of(9), MemoryOffsetLedger(), analytics)
    while await projector.run_once():
        pass
    return analytics


async def test_the_columns_are_those_of_a_search_and_so_are_the_rows(calls: Analytics, tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    await write_parquet(calls, path, CdrFilter(), FIELDS)
    found = await CdrQueries(calls).search(CdrFilter())
    kept = read_parquet(path)
    assert [tuple(row) for row in kept] == [FIELDS] * 9
    for name in set(FIELDS) - {name for name in FIELDS if name.endswith("_at")}:
        assert [row[name] for row in kept] == [getattr(row, name) for row in found], name


async def test_a_number_is_looked_for_whole_and_written_masked(calls: Analytics, tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    await write_parquet(calls, path, CdrFilter(phone=phone(3)), FIELDS, mask=True)
    assert [(row["call_id"], row["phone_e164"]) for row in read_parquet(path)] == [("call-000003", "*****00003")]


async def test_no_more_rows_than_asked_for_the_newest_first(calls: Analytics, tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    await write_parquet(calls, path, CdrFilter(status=("busy",)), FIELDS, rows=2)
    assert [row["call_id"] for row in read_parquet(path)] == ["call-000008", "call-000006"]


async def test_nothing_that_matches_is_a_file_without_rows(calls: Analytics, tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    await write_parquet(calls, path, CdrFilter(campaign_id=99), FIELDS)
    assert path.read_bytes().startswith(b"PAR1")
    assert read_parquet(path) == []


async def test_what_fails_is_said_without_the_query(
    calls: Analytics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parquet._SETTINGS, "max_bytes_to_read", 1)
    with pytest.raises(DialerError, match="could not write the calls") as failed:
        await write_parquet(calls, tmp_path / "x", CdrFilter(phone=phone(3)), FIELDS)
    assert phone(3) not in str(failed.value)


async def test_a_folder_that_is_not_there_is_an_error(calls: Analytics, tmp_path: Path) -> None:
    with pytest.raises(DialerError, match=r"no/calls\.parquet"):
        await write_parquet(calls, tmp_path / "no" / "calls.parquet", CdrFilter(), FIELDS)
