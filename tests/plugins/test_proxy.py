from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.plugins.processes import HOST, free_port
from tests.plugins.proxy import Proxy


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """Run a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    port = free_port()
    async with await asyncio.start_server(echo, HOST, port):
        yield port


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> bytes:
    writer.write(words)
    return await asyncio.wait_for(reader.read(100), 10)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Tell whether a connection ends without a word."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(100), 10) == b""
    return True


async def test_what_is_open_goes_on_until_it_is_cut_and_then_anew() -> None:
    async with echoing() as port, Proxy(port) as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        assert await asked(reader, writer, b"one") == b"one"
        async with proxy.away():
            assert await ended(reader)
            kept_out, more = await asyncio.open_connection(HOST, proxy.port)
            assert await ended(kept_out)
            more.close()
        writer.close()
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        assert await asked(reader, writer, b"two") == b"two"
        assert proxy.passed == 2
        writer.close()
