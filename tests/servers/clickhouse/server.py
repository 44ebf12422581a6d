"""ClickHouse's HTTP interface over chDB, for tests: as much of it as clickhouse-connect's HTTP client asks for.

`python -m tests.servers.clickhouse.server FOLDER` prints the port that it listens on and serves until it is ended. Each
request has a chDB handle of its own, so its settings and its database are forgotten with it, as ClickHouse does.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import os
import re
import secrets
import socket
import tempfile
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import chdb
import lz4.frame  # type: ignore[import-untyped]  # it ships no types
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cdr.clickhouse import SERVER_LIMITS

TRANSPORT: Final = frozenset({
    "query", "database", "user", "password", "quota_key", "role", "default_format", "session_id", "session_timeout",
    "session_check", "query_id", "compress", "decompress", "wait_end_of_query", "buffer_size",
    "client_protocol_version", "enable_http_compression", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
})  # fmt: skip
"""Parameters of the URL that are no settings of the engine."""
STATUSES: Final = {
    "192": HTTPStatus.FORBIDDEN, "497": HTTPStatus.FORBIDDEN, "516": HTTPStatus.FORBIDDEN,
    "60": HTTPStatus.NOT_FOUND, "81": HTTPStatus.NOT_FOUND, "62": HTTPStatus.BAD_REQUEST,
}  # fmt: skip
_INSERT: Final = re.compile(rb"\s*(INSERT\s+INTO\s+[^\n]+?)\s+FORMAT\s+(\w+)\s*?(?:\n|$)", re.IGNORECASE)
_FORMAT: Final = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_CODE: Final = re.compile(r"Code: (\d+)")


class Refused(Exception):
    """The request fails as ClickHouse would let it fail; the text begins with its code."""


def _unpack_lz4(packed: bytes) -> bytes:
    """Unpack frame after frame: a client sends one for each block of an insert."""
    parts: list[bytes] = []
    while packed:
        frame = lz4.frame.LZ4FrameDecompressor()
        parts.append(frame.decompress(packed))
        if not frame.eof:
            raise Refused("Code: 432. DB::Exception: Truncated lz4 data. (UNKNOWN_COMPRESSION_METHOD)")
        packed = frame.unused_data or b""
    return b"".join(parts)


_UNPACK: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "lz4": _unpack_lz4, "gzip": gzip.decompress, "deflate": zlib.decompress,
}  # fmt: skip
_PACK: Final[Mapping[str, Callable[[bytes], Any]]] = {"lz4": lz4.frame.compress, "gzip": gzip.compress}


_connect: Any = chdb.connect  # its types end here


class Query(NamedTuple):
    """What a request asks for."""

    sql: bytes
    data: bytes
    database: str
    settings: dict[str, str]
    parameters: dict[str, str]


class Engine:
    """One chDB folder."""

    def __init__(self, folder: Path, version: str) -> None:
        self._address = f"{folder}?{urlencode(SERVER_LIMITS)}"
        self._version = version
        self._keep = _connect(self._address)  # as long as one handle is open, the engine stays up
        self._scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix="inserts-"))

    def run(self, query: Query) -> tuple[bytes, str]:
        """Return the result and its format, "" for a statement that has none."""
        handle = _connect(self._address)
        try:
            handle.query(f"USE `{query.database}`", "TabSeparated")
            for name, value in sorted(query.settings.items(), key=lambda item: item[0] == "readonly"):
                handle.query(f"SET {_word(name)} = {_quoted(value)}", "TabSeparated")
            insert = _INSERT.match(query.sql)
            if insert and (query.data or insert.end() < len(query.sql) or insert[2] == b"Native"):
                self._insert(handle, insert, query.data or query.sql[insert.end() :])
                return b"", ""
            return self._select(handle, query)
        except Exception as error:
            raise Refused(_told(error)) from error
        finally:
            handle.close()

    def _insert(self, handle: Any, insert: re.Match[bytes], data: bytes) -> None:
        path = self._scratch / secrets.token_hex(8)
        path.write_bytes(data)
        try:
            sql = f"{insert[1].decode()} FROM INFILE {_quoted(str(path))} FORMAT {insert[2].decode()}"
            handle.query(sql, "TabSeparated")
        finally:
            path.unlink()

    def _select(self, handle: Any, query: Query) -> tuple[bytes, str]:
        sql = query.sql.replace(b"version()", f"{_quoted(self._version)}".encode()) if self._version else query.sql
        text = sql.decode()
        if found := _FORMAT.search(sql):
            return handle.query(text, "TabSeparated", params=query.parameters).bytes() or b"", found[1].decode()
        # A statement without a result prints nothing even with names; a result of no rows prints its names.
        named = handle.query(text, "TabSeparatedWithNames", params=query.parameters).bytes() or b""
        return (named.partition(b"\n")[2], "TabSeparated") if named else (b"", "")


def _word(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise Refused(f"Code: 115. DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)")
    return name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _told(error: Exception) -> str:
    text = str(error)
    return text[max(0, text.find("Code: ")) :]


class Gate:
    """The HTTP side: who asks, what, in which packing."""

    def __init__(self, engine: Engine, user: str, password: str) -> None:
        self._engine = engine
        self._wanted = (user, password)

    async def ping(self, _request: Request) -> Response:
        """Say that the server is there; nobody needs to be known for that."""
        return PlainTextResponse("Ok.\n")

    async def query(self, request: Request) -> Response:
        """Answer a query as ClickHouse does."""
        try:
            self._check(request)
            asked = await _read(request)
            if not asked.sql.strip():
                return PlainTextResponse("Ok.\n")
            body, kind = await run_in_threadpool(self._engine.run, asked)
        except Refused as refused:
            return _refusal(str(refused))
        return _answer(request, body, kind)

    def _check(self, request: Request) -> None:
        given = request.query_params.get("user"), request.query_params.get("password", "")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            try:
                user, _, password = base64.b64decode(token).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user, password = "", ""
            given = user, password
        elif "x-clickhouse-user" in request.headers:
            given = request.headers["x-clickhouse-user"], request.headers.get("x-clickhouse-key", "")
        if given != self._wanted:
            raise Refused(
                f"Code: 516. DB::Exception: {given[0]}: Authentication failed: password is incorrect, or there is no "
                "user with such name. (AUTHENTICATION_FAILED)"
            )


async def _read(request: Request) -> Query:
    given = dict(request.query_params)
    body = b""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            given |= {name: value for name, value in form.items() if isinstance(value, str)}
    else:
        body = await request.body()
    packed = request.headers.get("content-encoding")
    body = _UNPACK[packed](body) if packed else body
    sql = given.get("query", "").encode()
    settings = {name: value for name, value in given.items() if name not in TRANSPORT and not name.startswith("param_")}
    if request.method == "GET":
        settings["readonly"] = "2"
    return Query(
        sql=sql or body,
        data=body if sql else b"",
        database=given.get("database", "") or "default",
        settings=settings,
        parameters={name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")},
    )


def _answer(request: Request, body: bytes, kind: str) -> Response:
    headers = {"X-ClickHouse-Timezone": "UTC", "X-ClickHouse-Query-Id": request.query_params.get("query_id", "")}
    if kind:
        headers["X-ClickHouse-Format"] = kind
    wished = request.headers.get("accept-encoding", "").replace(" ", "").split(",")
    packing = next((one for one in wished if one in _PACK), None)
    if packing and body and request.query_params.get("enable_http_compression") == "1":
        body, headers["Content-Encoding"] = _PACK[packing](body), packing
    return Response(body, headers=headers, media_type="application/octet-stream")


def _refusal(text: str) -> Response:
    found = _CODE.search(text)
    code = found[1] if found else "1001"
    status = STATUSES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return PlainTextResponse(f"{text}\n", status_code=status, headers={"X-ClickHouse-Exception-Code": code})


def main() -> None:
    """Serve a folder until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default="", help="what version() says, for tests of old servers")
    chosen = parser.parse_args()
    gate = Gate(Engine(chosen.folder, chosen.version), os.environ["SERVER_USER"], os.environ["SERVER_PASSWORD"])
    routes = [Route("/ping", gate.ping), Route("/", gate.query, methods=["GET", "POST"])]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", chosen.port))
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 -- whoever started us waits for this line
    config = uvicorn.Config(Starlette(routes=routes), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
