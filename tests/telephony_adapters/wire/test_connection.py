"""One connection by itself, on a transport of the test's; `now` is the test's too where time decides."""

from __future__ import annotations

import asyncio

import pytest

from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire.connection import CLOSED, Connection, Limits
from tests.telephony_adapters.wire.recorder import message

pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])  # only the clock of a loop is used

FLOW = Flow("tcp", "192.0.2.1", 5060)
ONE, TWO = message("one"), message("two")


class Keep:
    """Implements Keeper."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.messages: list[bytes] = []
        self.whys: list[str] = []
        self.dirty = 0
        self.is_ended = False

    def heard(self, connection: Connection, messages: list[bytes]) -> None:
        self.messages += messages

    def wants_flush(self, connection: Connection) -> None:
        self.dirty += 1

    def gone(self, connection: Connection, why: str) -> None:
        self.whys.append(why)

    def ended(self, connection: Connection) -> None:
        self.is_ended = True


class Pipe(asyncio.Transport):
    """Keeps what is written; nobody reads it when `is_stuck`."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_stuck = False
        self.end = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"sockname": ("192.0.2.9", 5060, 0, 0)}.get(name, default)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written)) if self.is_stuck else 0

    def abort(self) -> None:
        self.end = "aborted"

    def close(self) -> None:
        self.end = "closed"


def made(keep: Keep, *, is_ours: bool = True) -> tuple[Connection, Pipe]:
    connection, pipe = Connection(keep, FLOW, is_ours=is_ours), Pipe()
    connection.connection_made(pipe)
    connection.begin(pipe)
    return connection, pipe


def feed(connection: Connection, data: bytes) -> None:
    """Give bytes as a loop does."""
    while data:
        buffer = connection.get_buffer(-1)
        part, data = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(part)] = part
        connection.buffer_updated(len(part))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_messages_come_whole_however_the_bytes_are_cut() -> None:
    keep = Keep()
    connection, _ = made(keep)
    large = message("large", size=100_000)
    for byte in ONE:
        feed(connection, bytes([byte]))
    feed(connection, TWO + large + ONE)
    assert keep.messages == [ONE, TWO, large, ONE]


async def test_what_one_turn_says_is_written_in_one_piece() -> None:
    keep = Keep()
    connection, pipe = made(keep)
    assert connection.write(ONE)
    assert connection.write(TWO)
    assert (keep.dirty, pipe.written) == (1, [])
    connection.flush()
    connection.flush()
    assert pipe.written == [ONE + TWO]


async def test_a_few_messages_wait_for_the_connection() -> None:
    keep = Keep(Limits(queue=2))
    connection, pipe = Connection(keep, FLOW, is_ours=True), Pipe()
    assert [connection.write(data) for data in (ONE, TWO, ONE)] == [True, True, False]
    connection.flush()
    connection.connection_made(pipe)
    assert pipe.written == []
    connection.begin(pipe)
    assert pipe.written == [ONE + TWO]
    assert connection.local == ("192.0.2.9", 5060)


async def test_what_cannot_be_told_apart_ends_it_and_what_was_whole_before_is_heard() -> None:
    keep = Keep()
    connection, pipe = made(keep)
    feed(connection, ONE + b"OPTIONS sip:x SIP/2.0\r\nContent-Length: many\r\n\r\n")
    assert (keep.messages, keep.whys, pipe.end) == ([ONE], ["Content-Length is not a number"], "aborted")


async def test_a_ping_is_answered_and_a_pong_is_not() -> None:
    keep = Keep()
    connection, pipe = made(keep)
    feed(connection, b"\r\n\r\n")
    connection.flush()
    feed(connection, b"\r\n")
    connection.flush()
    assert (keep.messages, pipe.written) == ([], [b"\r\n"])


async def test_we_ping_what_we_opened_and_miss_the_pong() -> None:
    keep = Keep(Limits(ping_s=30.0, pong_s=10.0))
    connection, pipe = made(keep)
    other, _ = made(keep, is_ours=False)
    began = now()
    for one in (connection, other):
        one.keep_alive(began + 29)
    assert keep.dirty == 0
    for one in (connection, other):
        one.keep_alive(began + 31)
        one.keep_alive(began + 32)
    connection.flush()
    assert (keep.dirty, pipe.written) == (1, [b"\r\n\r\n"])
    assert connection.overdue(began + 40) is None
    assert connection.overdue(began + 42) == "the peer does not answer to keep-alive"
    feed(connection, b"\r\n")
    assert connection.overdue(began + 42) is None


async def test_who_connects_and_says_nothing_is_overdue() -> None:
    keep = Keep(Limits(first_message_s=10.0))
    theirs, _ = made(keep, is_ours=False)
    ours, _ = made(keep)
    feed(theirs, b"\r\n\r\n")
    assert theirs.overdue(now() + 9) is None
    assert theirs.overdue(now() + 11) == "the peer connected and said nothing"
    assert ours.overdue(now() + 11) is None
    feed(theirs, ONE)
    assert theirs.overdue(now() + 11) is None


async def test_who_drips_a_message_is_overdue() -> None:
    keep = Keep(Limits(message_s=10.0))
    connection, _ = made(keep)
    feed(connection, ONE + TWO[:50])
    began = now()
    assert connection.overdue(began + 9) is None
    feed(connection, TWO[50:60])
    assert connection.overdue(began + 11) == "the peer sends a message too slowly"
    feed(connection, TWO[60:])
    assert connection.overdue(began + 11) is None


async def test_who_does_not_read_is_overdue_and_too_much_ends_it_at_once() -> None:
    keep = Keep(Limits(stall_s=10.0, buffer_bytes=1_000))
    connection, pipe = made(keep)
    connection.pause_writing()
    assert connection.overdue(now() + 9) is None
    assert connection.overdue(now() + 11) == "the peer does not read what is sent to it"
    connection.resume_writing()
    assert connection.overdue(now() + 11) is None
    pipe.is_stuck = True
    for _ in range(4):
        connection.write(ONE)
        connection.flush()
    assert (keep.whys, pipe.end) == (["the peer does not read what is sent to it"], "aborted")


async def test_idle_is_nothing_heard_and_nothing_written() -> None:
    connection, _ = made(Keep(Limits(idle_s=100.0)))
    assert not connection.is_idle(now() + 99)
    assert connection.is_idle(now() + 101)
    connection.write(ONE)
    assert not connection.is_idle(now() + 101)


async def test_closing_writes_what_is_left() -> None:
    connection, pipe = made(Keep())
    connection.write(ONE)
    connection.close()
    assert (pipe.written, pipe.end) == ([ONE], "closed")


@pytest.mark.parametrize(("error", "why"), [
    (None, CLOSED), (ConnectionResetError(104, "x"), "the peer broke the connection off"),
])  # fmt: skip
async def test_the_end_is_told_with_its_cause(error: Exception | None, why: str) -> None:
    keep = Keep()
    connection, _ = made(keep)
    connection.connection_lost(error)
    assert (keep.whys, keep.is_ended) == ([why], True)
