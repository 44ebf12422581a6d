"""Recordings over HTTP: listed, listened to in pieces, downloaded; each hearing is in the audit (docs/recordings.md).

`web.guard` has let the asker in: a reader who is signed in, or a program with the service token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm.recordings import DOWNLOAD, LISTEN, Asker, RecordingShelf, Sound
from dialer.errors import Damaged, Deleted, Unreachable
from web.errors import problem
from web.ranges import Span, Unsatisfiable, span_of

LISTEN_S: Final = 3600.0
"""Further pieces for the same player are the same hearing for so long."""
LIMIT_MAX: Final = 1000
SERVICE: Final = "service"
_BOTH: Final = ["GET", "HEAD"]


@dataclass(slots=True)
class Hearings:
    """Which hearings have their row: a player that seeks, or asks again for what it had, is still the same one.

    A request belongs to a hearing by reader, address, call, action and the player's `listen` token; without a token
    only what does not begin at the first byte does.
    """

    wall: Callable[[], float]
    _noted: dict[tuple[str, ...], float] = field(default_factory=dict)

    def is_new(self, key: tuple[str, ...], *, continues: bool) -> bool:
        """Tell whether the request begins a hearing."""
        return not continues or self._noted.get(key, -LISTEN_S) + LISTEN_S <= self.wall()

    def noted(self, key: tuple[str, ...]) -> None:
        """Remember that it has its row."""
        now = self.wall()
        self._noted = {one: at for one, at in self._noted.items() if at + LISTEN_S > now}
        self._noted.setdefault(key, now)


def make_recording_router(shelf: RecordingShelf, wall: Callable[[], float]) -> APIRouter:
    """Build `/api/recordings`, `/{call_id}`, `/{call_id}/audio` to listen and `/{call_id}/file` to download."""
    router = APIRouter(prefix="/api/recordings")
    hearings = Hearings(wall)

    @router.get("")
    async def several(
        campaign_id: int | None = None,
        deleted: bool = False,  # noqa: FBT001, FBT002 -- a parameter of the address
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        return _json(await shelf.rows.newest(campaign_id=campaign_id, deleted=deleted, limit=limit, offset=offset))

    @router.get("/{call_id}")
    async def one(call_id: str) -> Response:
        try:
            return _json(await shelf.need(call_id))
        except Deleted as gone:
            return problem(410, "deleted", str(gone))

    @router.api_route("/{call_id}/audio", methods=_BOTH)
    async def audio(request: Request, call_id: str) -> Response:
        return await _heard(shelf, hearings, request, call_id, LISTEN)

    @router.api_route("/{call_id}/file", methods=_BOTH)
    async def file(request: Request, call_id: str) -> Response:
        return await _heard(shelf, hearings, request, call_id, DOWNLOAD)

    return router


def asker_of(request: Request) -> Asker:
    """Return who asks: the reader's name, or the service token's."""
    remote = request.client.host if request.client is not None else ""
    return Asker(str(request.session.get("user") or SERVICE), remote)


async def _heard(shelf: RecordingShelf, hearings: Hearings, request: Request, call_id: str, action: str) -> Response:
    try:
        sound = await shelf.open(call_id)
    except Deleted as gone:
        return problem(410, "deleted", str(gone))
    except Damaged as damaged:
        return problem(409, "damaged", str(damaged))
    except Unreachable as away:
        return problem(503, "storage_away", str(away))
    headers = _headers(sound, action)
    try:
        span = _span(request, sound)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(sound.data)}"})
    if request.method == "GET":
        token = request.query_params.get("listen", "")[:64]
        asker = asker_of(request)
        key = (asker.actor, asker.remote, action, call_id, token)
        if hearings.is_new(key, continues=bool(token) or (span is not None and span.first > 0)):
            await shelf.note(asker, action, call_id)
            hearings.noted(key)
    return _answer(sound, span, headers, empty=request.method == "HEAD")


def _span(request: Request, sound: Sound) -> Span | None:
    wanted = request.headers.get("if-range")
    if wanted is not None and wanted != _tag(sound):
        return None
    return span_of(request.headers.get("range"), len(sound.data))


def _tag(sound: Sound) -> str:
    return f'"{sound.stored.sha256}"'


def _headers(sound: Sound, action: str) -> dict[str, str]:
    kind = "attachment" if action == DOWNLOAD else "inline"
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",  # what a person said does not stay in a browser's cache
        "Content-Disposition": f'{kind}; filename="{sound.stored.file_name}"',
        "Content-Type": sound.stored.format.media_type,
        "ETag": _tag(sound),
    }


def _answer(sound: Sound, span: Span | None, headers: dict[str, str], *, empty: bool) -> Response:
    size = len(sound.data)
    data = sound.data if span is None else sound.data[span.first : span.last + 1]
    more = {} if span is None else {"Content-Range": f"bytes {span.first}-{span.last}/{size}"}
    length = {"Content-Length": str(len(data))}
    return Response(b"" if empty else data, 200 if span is None else 206, {**headers, **more, **length})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})
