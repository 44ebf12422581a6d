from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from dialer.ports import CallTrace
from telephony_adapters.tracing.read import TraceFolder
from tests.telephony_adapters.tracing.sample import CALL_ID, calls, note_call
from web.api_traces import make_trace_router
from web.errors import install_error_handlers

PATHS = ["/api/calls/trace", "/api/calls/trace.pcap", "/api/calls/trace.txt"]


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    note_call(tmp_path)
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(make_trace_router(TraceFolder(tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_the_ladder_is_json_and_the_messages_are_files(http: httpx.AsyncClient) -> None:
    ladder, pcap, text = [await http.get(path, params={"call_id": CALL_ID}) for path in PATHS]
    assert len(msgspec.json.decode(ladder.content, type=CallTrace).steps) == len(calls())
    assert pcap.content[:4] == b"\xd4\xc3\xb2\xa1"
    assert "sip:*******123@10.0.0.1" in text.text
    for answer, ending in ((pcap, "pcap"), (text, "txt")):
        assert answer.headers["content-disposition"] == f'attachment; filename="call-{CALL_ID}.{ending}"'
    assert {answer.headers["cache-control"] for answer in (ladder, pcap, text)} == {"no-store"}


@pytest.mark.parametrize("path", PATHS)
async def test_a_call_without_messages_is_not_found_and_no_call_at_all_is_a_mistake(
    http: httpx.AsyncClient, path: str
) -> None:
    missing = await http.get(path, params={"call_id": '../x"\r\nX: y'})
    assert missing.status_code == 404
    assert "sip_trace_share" in missing.json()["error"]["message"]
    assert (await http.get(path)).status_code == 422


async def test_a_files_name_takes_nothing_from_the_call_that_a_header_could_not_bear(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    note_call(tmp_path, call_id='a";filename="b/../é')
    answer = await http.get(PATHS[1], params={"call_id": 'a";filename="b/../é'})
    assert answer.headers["content-disposition"] == 'attachment; filename="call-a__filename__b_____.pcap"'
