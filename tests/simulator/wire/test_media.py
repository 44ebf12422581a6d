from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest

from dialer.errors import ResourceBusy
from simulator.wire.media import RtpPhones
from simulator.wire.phones import Heard
from simulator.wire.profile import MediaMode, MediaPlan
from simulator.wire.sounds import PCMA, Sound, frames

HOST = "127.0.0.1"


def free_port(count: int = 1) -> int:
    """Return an even port that is free, with those after it, at the moment."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOST, 0))
            port = sock.getsockname()[1] & ~1
        if port + 2 * count < 65_536:
            return int(port)
    raise AssertionError("no free port")


@asynccontextmanager
async def phones(mode: MediaMode, ports: int = 2) -> AsyncIterator[RtpPhones]:
    made = RtpPhones(MediaPlan(mode=mode, first_port=free_port(ports), ports=ports), HOST)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        made.shut()


@contextmanager
def caller() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.setblocking(False)
        yield sock


async def received(sock: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 2048), 5.0)


def packet(payload: bytes, sequence: int = 1) -> bytes:
    return b"\x80\x08" + sequence.to_bytes(2) + bytes(8) + payload


async def test_an_echo_returns_what_it_hears_and_counts_it() -> None:
    async with phones(MediaMode.ECHO) as made:
        port = made.open()
        assert port is not None
        with caller() as sock:
            for sequence in range(3):
                sock.sendto(packet(b"hello", sequence), (HOST, port))
                assert await received(sock) == packet(b"hello", sequence)
            sock.sendto(b"no rtp", (HOST, port))
            sock.sendto(packet(b"last", 9), (HOST, port))
            assert await received(sock) == packet(b"last", 9)
        assert made.close(port) == Heard(received=4, sent=4)


async def test_a_sound_comes_as_numbered_frames_until_it_is_stopped() -> None:
    async with phones(MediaMode.ANNOUNCE) as made:
        port = made.open()
        assert port is not None
        with caller() as sock:
            made.play(port, Sound.RECORDING, payload_type=PCMA, to=sock.getsockname())
            packets = [await received(sock) for _ in range(3)]
            made.play(port, None, payload_type=PCMA, to=sock.getsockname())
        assert [one[12:] for one in packets] == list(frames(Sound.RECORDING, PCMA)[:3])
        assert [int.from_bytes(one[2:4]) for one in packets] == [0, 1, 2]
        assert [int.from_bytes(one[4:8]) for one in packets] == [0, 160, 320]
        assert {one[:2] for one in packets} == {b"\x80\x08"}
        assert made.close(port).sent >= 3


async def test_tones_alone_keep_quiet_about_recordings() -> None:
    async with phones(MediaMode.TONE) as made:
        port = made.open()
        assert port is not None
        with caller() as sock:
            made.play(port, Sound.BEEP, payload_type=PCMA, to=sock.getsockname())
            assert (await received(sock))[12:] == frames(Sound.SILENCE, PCMA)[0]
        made.close(port)


async def test_ports_are_bounded_and_come_back() -> None:
    async with phones(MediaMode.ECHO, ports=2) as made:
        one, two = made.open(), made.open()
        assert one is not None
        assert two is not None
        assert (made.open(), made.refused, len(made)) == (None, 1, 2)
        made.close(one)
        assert made.open() == one


async def test_a_port_of_another_process_is_passed_over() -> None:
    first = free_port(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, first))
        made = RtpPhones(MediaPlan(mode=MediaMode.ECHO, first_port=first, ports=2), HOST)
        assert made.open() == first + 2
        made.shut()
        with pytest.raises(ResourceBusy, match=r"none of the 1 media ports from \d+ is free"):
            RtpPhones(MediaPlan(mode=MediaMode.ECHO, first_port=first, ports=1), HOST)


async def test_a_caller_that_hung_up_does_no_harm() -> None:
    """Its port answers with ICMP, which the socket reports at the next turn."""
    async with phones(MediaMode.TONE) as made:
        port = made.open()
        assert port is not None
        made.play(port, Sound.VOICE, payload_type=0, to=(HOST, free_port()))
        with caller() as sock:
            other = made.open()
            assert other is not None
            made.play(other, Sound.VOICE, payload_type=0, to=sock.getsockname())
            for _ in range(4):
                await received(sock)
        assert len(made) == 2


@pytest.mark.parametrize(("host", "lost"), [("255.255.255.255", True), ("::1", True), ("a.invalid", False)])
async def test_an_address_that_nothing_can_be_sent_to_costs_its_own_call_only(host: str, *, lost: bool) -> None:
    async with phones(MediaMode.TONE) as made:
        first, second = made.open(), made.open()
        assert first is not None
        assert second is not None
        with caller() as sock:
            made.play(first, Sound.VOICE, payload_type=PCMA, to=(host, 4000))
            made.play(second, Sound.VOICE, payload_type=PCMA, to=sock.getsockname())
            for _ in range(3):
                await received(sock)
        assert made.close(first).sent == 0
        assert bool(made.lost) is lost
