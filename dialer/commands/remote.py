"""Call records of a running service, over its HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from cdr.queries import CallRow, CdrFilter
from cdr.verify import Report
from dialer.errors import DialerError
from dialer.home import PROJECTOR, Home

T = TypeVar("T")


class RemoteCdr:
    """The methods of `cdr.queries.CdrQueries`, answered by the service that owns the files."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False
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

    async def search(self, wanted: CdrFilter) -> list[CallRow]:
        """List the calls that match."""
        return await self._get("search", list[CallRow], **msgspec.to_builtins(wanted))

    async def count(self, wanted: CdrFilter) -> int:
        """Count the calls that match."""
        return await self._get("count", int, **msgspec.to_builtins(wanted))

    async def verify(self, positions: Mapping[int, int]) -> Report:
        """Say whether all records up to these confirmed positions are there exactly once."""
        return await self._get("verify", Report, upto=[f"{part}:{offset}" for part, offset in positions.items()])

    def _target(self) -> httpx.AsyncClient:
        return self._http

    async def _get(self, what: str, kind: type[T], **query: Any) -> T:
        http = self._target()
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            answer = await http.get(f"/api/cdr/{what}", params=wanted)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise DialerError(
                f"the running service refused: {error.response.status_code} {error.response.text}"
            ) from error
        except httpx.HTTPError as error:
            raise DialerError(f"the running service at {http.base_url} does not answer: {error!r}") from error
        return msgspec.json.decode(answer.content, type=kind)


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
