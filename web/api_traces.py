"""The signalling of single calls over HTTP: the ladder as JSON, and the messages as files; numbers are masked."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from dialer.errors import NotFound
from dialer.ports import CallTraces

T = TypeVar("T")
_FRESH: Final = {"Cache-Control": "no-store"}


def make_trace_router(traces: CallTraces) -> APIRouter:
    """Build `/api/calls/trace`, `trace.pcap` and `trace.txt`; 404 for a call of which no message is kept."""
    router = APIRouter(prefix="/api/calls")

    @router.get("/trace")
    async def ladder(call_id: str) -> Response:
        found = msgspec.json.encode(_kept(await traces.trace(call_id)))
        return Response(found, media_type="application/json", headers=_FRESH)

    @router.get("/trace.pcap")
    async def pcap(call_id: str) -> Response:
        return _file(_kept(await traces.pcap(call_id)), "application/vnd.tcpdump.pcap", call_id, "pcap")

    @router.get("/trace.txt")
    async def text(call_id: str) -> Response:
        found = _kept(await traces.text(call_id))
        return _file(found.encode(), "text/plain; charset=utf-8", call_id, "txt")

    return router


def _kept(found: T | None) -> T:
    if found is None:
        raise NotFound("no SIP message of this call is kept: the setting sip_trace_share says which calls have a trace")
    return found


def _file(content: bytes, kind: str, call_id: str, ending: str) -> Response:
    name = re.sub(r"[^A-Za-z0-9-]", "_", call_id)[:64]
    headers = {"Content-Disposition": f'attachment; filename="call-{name}.{ending}"', **_FRESH}
    return Response(content, media_type=kind, headers=headers)
