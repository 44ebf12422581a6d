"""Call records of a running service, over its HTTP API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec

from cdr.adhoc import Table
from cdr.queries import CallRow, CdrFilter
from cdr.reports import ReportRow
from cdr.verify import Report
from dialer.errors import BadInput, DialerError
from dialer.home import PROJECTOR, Home

T = TypeVar("T")
_GRACE_S: Final = 30.0
_EXPORT_S: Final = 3_700.0
"""How long the first bytes of a file may take: longer than the service allows its database."""


class _Problem(msgspec.Struct):
    """How the service tells what went wrong (web/errors.py)."""

    error: dict[str, str]


class RemoteCdr:
    """The methods of `cdr.queries.CdrQueries`, answered by the service that owns the files."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_GRACE_S, trust_env=False
        )

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self._http.__aexit__(kind, value, trace)

    async def history(self, phone: str, limit: int, offset: int = 0) -> list[CallRow]:
        """List the calls of one number, newest first."""
        return await self._get("history", list[CallRow], phone=phone, limit=limit, offset=offset)

    async def detail(self, call_id: str) -> CallRow | None:
        """Return one call."""
        return await self._get("detail", CallRow | None, call_id=call_id)  # type: ignore[arg-type]  # a union type is no class

    async def keys(self, call_id: str) -> str:
        """Return the keys that were pressed in its script."""
        return await self._get("keys", str, call_id=call_id)

    async def search(self, wanted: CdrFilter) -> list[CallRow]:
        """List the calls that match."""
        return await self._get("search", list[CallRow], **msgspec.to_builtins(wanted))

    async def count(self, wanted: CdrFilter) -> int:
        """Count the calls that match."""
        return await self._get("count", int, **msgspec.to_builtins(wanted))

    async def verify(self, positions: Mapping[int, int]) -> Report:
        """Say whether all records up to these confirmed positions are there exactly once."""
        return await self._get("verify", Report, upto=[f"{part}:{offset}" for part, offset in positions.items()])

    async def report(self, wanted: CdrFilter, *, by: str, zone: str) -> list[ReportRow]:
        """Return the sums of the calls that match, by group."""
        return await self._get("report", list[ReportRow], by=by, zone=zone, **_sent(wanted))

    async def ask(self, sql: str, *, limit: int, seconds: int) -> Table:
        """Answer an analyst's own SELECT."""
        body = {"sql": sql, "limit": limit, "seconds": seconds}
        with self._problems():
            answer = await self._target().post("/api/cdr/sql", json=body, timeout=_GRACE_S + seconds)
            answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Table)

    async def write_parquet(self, path: Path, wanted: CdrFilter, *, rows: int | None, mask: bool) -> None:
        """Write the calls that match over a draft; the service prepares the whole file first."""
        query = _sent(wanted) | {"mask": mask} | ({} if rows is None else {"rows": rows})
        timeout = httpx.Timeout(_GRACE_S, read=_EXPORT_S)
        with self._problems(), path.open("wb") as file:
            async with self._target().stream("GET", "/api/cdr/parquet", params=query, timeout=timeout) as answer:
                if answer.is_error:
                    await answer.aread()
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    file.write(chunk)

    def _target(self) -> httpx.AsyncClient:
        return self._http

    async def _get(self, what: str, kind: type[T], **query: Any) -> T:
        wanted = {name: value for name, value in query.items() if value is not None}
        http = self._target()
        with self._problems():
            answer = await http.get(f"/api/cdr/{what}", params=wanted)
            answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=kind)

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Say in our words what went wrong; what the service refused is told as if it had been refused here."""
        try:
            yield
        except httpx.HTTPStatusError as error:
            raise _refusal(error.response) from error
        except httpx.HTTPError as error:
            raise DialerError(f"the running service at {self._http.base_url} does not answer: {error!r}") from error


class RemoteDesks(RemoteCdr):
    """Agents' desks of a running service (docs/manual.md)."""

    async def order(self, action: str, **asked: Any) -> int:
        """Ask a desk for something and return the request's id."""
        with self._problems():
            answer = await self._target().post(f"/api/desks/{action}", json=asked)
            answer.raise_for_status()
        return int(msgspec.json.decode(answer.content)["request_id"])

    async def answer(self, request_id: int) -> dict[str, Any]:
        """Return what came of a request so far."""
        with self._problems():
            answer = await self._target().get(f"/api/desks/requests/{request_id}")
            answer.raise_for_status()
        found: dict[str, Any] = msgspec.json.decode(answer.content)
        return found


class ProjectorCdr(RemoteCdr):
    """The same, of the projector that lives on a home folder; it may come, go and move while this one stays open."""

    def __init__(self, home: Home) -> None:
        super().__init__("http://127.0.0.1", home.secrets().service)
        self._home = home

    def _target(self) -> httpx.AsyncClient:
        projector = self._home.running(PROJECTOR)
        if projector is None:
            raise DialerError(
                f"no projector runs on {self._home.path}, so call records cannot be shown: start `dialer projector` "
                "with this --home, or set DIALER_CLICKHOUSE_URL"
            )
        self._http.base_url = projector.url
        return self._http


def _sent(wanted: CdrFilter) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}


def _refusal(answer: httpx.Response) -> DialerError:
    try:
        said = msgspec.json.decode(answer.content, type=_Problem).error["message"]
    except (msgspec.DecodeError, KeyError):
        return DialerError(f"the running service refused: {answer.status_code} {answer.text}")
    return BadInput(said) if answer.status_code == httpx.codes.BAD_REQUEST else DialerError(said)
