from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from cdr.adhoc import Table
from cdr.filters import CdrFilter
from cdr.readonly import TEXT_MAX
from cdr.reports import ReportRow
from dialer.errors import BadInput, DialerError
from web.api import make_api_router
from web.deps import WebDeps
from web.errors import install_error_handlers

NUMBER = "+84900000001"


class Records:
    """What is asked of the call records is kept; the answers are given."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fails: Exception | None = None

    async def report(self, wanted: CdrFilter, *, by: str, zone: str) -> list[ReportRow]:
        self.asked.append((wanted, by, zone))
        return [ReportRow("a", 1, 1, 1, 0, (1,), 5, 3, 2, 1, 1, 3, 0)]

    async def ask(self, sql: str, *, limit: int, seconds: int) -> Table:
        self.asked.append((sql, limit, seconds))
        if self.fails:
            raise self.fails
        return Table(("x",), ("UInt8",), [[1]], more=False)

    async def write_parquet(self, path: Path, wanted: CdrFilter, *, rows: int | None, mask: bool) -> None:
        self.asked.append((path, wanted, rows, mask))
        if self.fails:
            raise self.fails
        await _write(path)


async def _write(path: Path) -> None:
    path.write_bytes(b"PAR1 PAR1")  # noqa: ASYNC240 -- nine bytes of a test


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
async def client(records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deps = WebDeps(
        engine=create_async_engine("sqlite+aiosqlite://"), cdr=records, now=lambda: 0.0,  # type: ignore[arg-type]  # a part
        session_secret="s", service_token="t", health=dict,
    )  # fmt: skip
    api = FastAPI()
    api.include_router(make_api_router(deps))
    install_error_handlers(api)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1") as asking:
        yield asking


async def test_a_report_takes_the_filter_beside_its_own_parameters(client: httpx.AsyncClient, records: Records) -> None:
    answer = await client.get("/api/cdr/report?by=hour&zone=UTC&sip_status=486&sip_status=487&recorded=false")
    assert answer.json()[0]["group"] == "a"
    assert records.asked == [(CdrFilter(sip_status=(486, 487), recorded=False), "hour", "UTC")]


async def test_a_question_is_passed_on_with_its_limits(client: httpx.AsyncClient, records: Records) -> None:
    body = {"sql": "SELECT 1", "limit": 5, "seconds": 2}
    answer = await client.post("/api/cdr/sql", json=body)
    assert answer.json() == {"columns": ["x"], "types": ["UInt8"], "rows": [[1]], "more": False}
    assert answer.headers["cache-control"] == "no-store"
    assert (await client.post("/api/cdr/sql", json={"sql": "SELECT 2"})).is_success
    assert records.asked == [("SELECT 1", 5, 2), ("SELECT 2", 1_000, 30)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"SELECT 1",
        b"{}",
        b'{"sql": 1}',
        b'{"sql": "SELECT 1", "readonly": 0}',
        b'{"sql": "\xff"}',
        b"x" * 7 * TEXT_MAX,
    ],
)
async def test_a_body_that_is_no_question_is_refused(client: httpx.AsyncClient, records: Records, body: bytes) -> None:
    answer = await client.post("/api/cdr/sql", content=body)
    assert (answer.status_code, records.asked) == (400, [])
    assert answer.json()["error"]["code"] == "refused"


async def test_a_question_cannot_be_asked_by_a_link(client: httpx.AsyncClient, records: Records) -> None:
    assert (await client.get("/api/cdr/sql", params={"sql": "SELECT 1"})).status_code == 405
    assert records.asked == []


async def test_what_is_refused_is_told(client: httpx.AsyncClient, records: Records) -> None:
    records.fails = BadInput("only questions are answered")
    answer = await client.post("/api/cdr/sql", json={"sql": "DROP TABLE calls"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "only questions are answered")


async def test_a_file_is_sent_and_its_draft_is_gone(
    client: httpx.AsyncClient, records: Records, tmp_path: Path
) -> None:
    answer = await client.get("/api/cdr/parquet?rows=9&mask=true&lead_id=4")
    assert answer.content == b"PAR1 PAR1"
    ((draft, *rest),) = records.asked
    assert rest == [CdrFilter(lead_id=4), 9, True]
    assert (draft.parent, _names(tmp_path)) == (tmp_path, [])


async def test_a_file_that_fails_leaves_no_draft(client: httpx.AsyncClient, records: Records, tmp_path: Path) -> None:
    records.fails = DialerError("the disk is full")
    answer = await client.get("/api/cdr/parquet")
    assert (answer.status_code, _names(tmp_path)) == (409, [])


@pytest.mark.parametrize(
    "query", ["rows=0", f"rows={NUMBER}x", "mask=maybe", f"number={NUMBER}", f"sip_status={NUMBER}x"]
)
async def test_a_wrong_parameter_is_refused_without_its_value(
    client: httpx.AsyncClient, records: Records, query: str
) -> None:
    answer = await client.get(f"/api/cdr/parquet?{query}")
    assert answer.status_code in {400, 422}
    assert NUMBER.lstrip("+") not in answer.text
    assert records.asked == []
