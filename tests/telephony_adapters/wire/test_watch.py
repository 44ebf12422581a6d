"""What wakes on real sockets, on each loop; the case that uvloop alone does not survive is in `test_udp`."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from telephony_adapters.wire.watch import NestedWatch, PlainWatch, WatchFactory, watch

KINDS = [PlainWatch, *([NestedWatch] if sys.platform == "linux" else [])]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_wakes_to_read_always_and_to_write_while_that_is_wanted(kind: WatchFactory) -> None:
    woke = asyncio.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        sock.bind(("127.0.0.1", 0))
        watching = kind(asyncio.get_running_loop(), sock, woke.set)
        assert not await woken(woke, soon=True)
        watching.want_write(wanted=True)
        assert await woken(woke)
        watching.want_write(wanted=False)
        await asyncio.sleep(0)  # what was ready before that may still come
        woke.clear()
        assert not await woken(woke, soon=True)
        sock.sendto(b"x", sock.getsockname())
        assert await woken(woke)
        sock.recv(10)
        watching.close()
        await asyncio.sleep(0)
        woke.clear()
        sock.sendto(b"x", sock.getsockname())
        assert not await woken(woke, soon=True)


async def woken(woke: asyncio.Event, *, soon: bool = False) -> bool:
    """Tell whether it wakes: `soon` within some turns of the loop, else within seconds."""
    try:
        async with asyncio.timeout(0.02 if soon else 5):
            await woke.wait()
    except TimeoutError:
        return False
    woke.clear()
    return True


def test_linux_nests() -> None:
    assert watch is (NestedWatch if sys.platform == "linux" else PlainWatch)
