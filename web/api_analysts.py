"""The part of the JSON API that analysts need: reports, their own questions, Parquet files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from cdr.adhoc import ROWS, SECONDS
from cdr.readonly import TEXT_MAX
from dialer.errors import BadInput
from web.api_filter import read_filter
from web.deps import HasCalls

Rows = Annotated[int | None, Query(ge=1, le=2**62)]
_REPORT: Final = frozenset({"by", "zone"})
_PARQUET: Final = frozenset({"rows", "mask"})
_BODY_MAX: Final = 6 * TEXT_MAX


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /api/cdr/sql` takes."""

    sql: str
    limit: int = ROWS
    seconds: int = SECONDS


def make_analyst_router(deps: HasCalls) -> APIRouter:
    """Build `report`, `sql` and `parquet`."""
    router = APIRouter()

    @router.get("/report")
    async def report(request: Request, by: str, zone: str) -> Response:
        rows = await deps.cdr.report(read_filter(request, beside=_REPORT), by=by, zone=zone)
        return _json(rows)

    @router.post("/sql")
    async def sql(request: Request) -> Response:
        question = await _question(request)
        return _json(await deps.cdr.ask(question.sql, limit=question.limit, seconds=question.seconds))

    @router.get("/parquet")
    async def parquet(request: Request, rows: Rows = None, mask: bool = False) -> Response:  # noqa: FBT001, FBT002 -- of the address
        wanted = read_filter(request, beside=_PARQUET)
        draft = await run_in_threadpool(_draft)
        try:
            await deps.cdr.write_parquet(draft, wanted, rows=rows, mask=mask)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return FileResponse(
            draft, media_type="application/vnd.apache.parquet", headers={"Cache-Control": "no-store"},
            background=BackgroundTask(draft.unlink, missing_ok=True),
        )  # fmt: skip

    return router


def _draft() -> Path:
    with tempfile.NamedTemporaryFile(prefix="dialer-", suffix=".parquet", delete=False) as file:
        return Path(file.name)


async def _question(request: Request) -> Question:
    if int(request.headers.get("content-length") or 0) > _BODY_MAX:
        raise BadInput("the question is too long")
    try:
        return msgspec.json.decode(await request.body(), type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput('send JSON: {"sql": "SELECT ...", "limit": 1000, "seconds": 30}') from error


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})
