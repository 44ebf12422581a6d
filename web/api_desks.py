"""The JSON API of agents' desks: dial, hang up, hold, give away, supervise, and what came of it (docs/manual.md)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from crm.calling import RequestNow, ask, read_request
from dialer.core.types import Supervision
from dialer.errors import BadInput, NotFound
from dialer.requests import ACTIONS, ID_MAX, Wanted
from statuses.lead import Trigger
from web.deps import WebDeps
from web.desk_words import refusal
from web.i18n import Words

_BODY_MAX: Final = 16_384
_FRESH: Final = {"Cache-Control": "no-store"}
_ENGLISH: Final = Words("en")


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /api/desks/{action}` takes: `campaign` by name, the rest where the action needs it."""

    campaign: str
    agent: str
    number: str = ""
    lead_id: int = 0
    to_agent: str | None = None
    supervisor: str = ""
    mode: Supervision | None = None
    trigger: Trigger = Trigger.ANSWERED
    note: str | None = None
    callback_at: float | None = None


def make_desk_router(deps: WebDeps) -> APIRouter:
    """Build `POST /api/desks/{action}` and `GET /api/desks/requests/{id}`; `web.guard` has let the asker in."""
    router = APIRouter(prefix="/api/desks")

    @router.get("/requests/{request_id}")
    async def answer(request_id: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
        return _json(_told(await read_request(deps.engine, request_id, now=deps.now())))

    @router.post("/{action}")
    async def order(request: Request, action: str) -> Response:
        wanted, campaign = await _wanted(request, action)
        author = str(request.scope.get("session", {}).get("user") or "api")
        made = await ask(deps.engine, campaign, wanted, author=author, now=deps.now())
        return _json({"request_id": made}, status=202)

    return router


async def _wanted(request: Request, action: str) -> tuple[Wanted, str]:
    known = next((one for one in ACTIONS if one.replace("_", "-") == action), None)
    if known is None:
        raise NotFound(f"a desk cannot {action}; it can: {', '.join(one.replace('_', '-') for one in ACTIONS)}.")
    if int(request.headers.get("content-length") or 0) > _BODY_MAX:
        raise BadInput("the request is too long")
    try:
        asked = msgspec.json.decode(await request.body(), type=Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        example = '{"campaign": "...", "agent": "ana", "number": "0901234567"}'
        raise BadInput(f"send JSON like {example}: {error}") from error
    wanted = Wanted(
        known, asked.agent, phone=asked.number, lead_id=asked.lead_id, to_agent=asked.to_agent,
        supervisor=asked.supervisor, mode=asked.mode, trigger=asked.trigger, note=asked.note,
        callback_at=asked.callback_at,
    )  # fmt: skip
    return wanted, asked.campaign


def _told(found: RequestNow) -> dict[str, object]:
    call = found.call
    return {
        "request_id": found.request_id,
        "state": found.state,
        "code": found.code,
        "message": refusal(found.code, _ENGLISH) if found.code else None,
        "lead_id": found.lead_id,
        "call_id": None if call is None else call.call_id,
        "stage": None if call is None else call.stage,
        "status": None if call is None else call.status,
    }


def _json(value: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json", headers=_FRESH)
