"""The loop with real sockets around a machine that writes down what it is told."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dialer.errors import BadInput, ResourceBusy
from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire import loop as module
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import RECEIVED, SENT, SipLoop
from telephony_adapters.wire.tls import client_context, server_context
from telephony_adapters.wire.udp import bind_udp
from tests.telephony_adapters.wire.certificates import NAME, authority, issue
from tests.telephony_adapters.wire.recorder import PATIENCE_S, Recorder, message

ONE, TWO = message("one"), message("two")
HERE = Listen("udp", "127.0.0.1", 0)


@asynccontextmanager
async def turning(
    machine: Recorder, listens: Sequence[Listen] = (HERE,), *, server_tls: Any = None, **options: Any
) -> AsyncIterator[SipLoop]:
    loop = SipLoop(machine, now=time.time, **options)
    await loop.open(listens, server_tls=server_tls)
    try:
        yield loop
    finally:
        await loop.close()


def flow_to(loop: SipLoop, index: int = 0) -> Flow:
    return Flow(*loop.listening[index])


def say(loop: SipLoop, machine: Recorder, flow: Flow, *messages: bytes) -> None:
    machine.say(flow, *messages)
    loop.kick()


def echo(machine: Recorder) -> Recorder:
    machine.react = lambda data, flow: machine.say(flow, data)
    return machine


@pytest.mark.parametrize("transport", ["udp", "tcp", pytest.param("tls", marks=pytest.mark.component("openssl"))])
async def test_messages_go_there_and_back(transport: str, tmp_path: Path) -> None:
    client_tls = client_context(authorities=authority(tmp_path)) if transport == "tls" else None
    server_tls = server_context(*issue(tmp_path, NAME)) if transport == "tls" else None
    caller, carrier = Recorder(), echo(Recorder())
    async with (
        turning(carrier, [Listen(transport, "localhost", 0)], server_tls=server_tls) as far,
        turning(caller, client_tls=lambda _flow: client_tls) as near,
    ):
        flow = flow_to(far)._replace(server_name=NAME if transport == "tls" else "")
        say(near, caller, flow, ONE, TWO)
        await caller.until(lambda: len(caller.heard) == 2)
        assert caller.heard == [(ONE, flow), (TWO, flow)]
        assert carrier.messages == [ONE, TWO]
        kind = "udp" if transport == "udp" else "stream"
        assert (far.counters[f"{kind}.received"], far.counters["sent"]) == (2, 2)


async def test_a_batch_is_one_turn_and_the_owner_acts_in_it() -> None:
    caller, carrier, turns = Recorder(), Recorder(), []

    def act() -> None:
        turns.append(len(carrier.heard))
        if len(carrier.heard) == 10:
            carrier.say(carrier.heard[0][1], TWO)

    async with turning(carrier, after_turn=act) as far, turning(caller) as near:
        await asyncio.sleep(0)
        turns.clear()
        say(near, caller, flow_to(far), *[ONE] * 10)
        await caller.until(lambda: caller.heard)
        assert turns == [10]
        assert caller.messages == [TWO]


async def test_others_have_their_turn_between_batches() -> None:
    machine, marks = Recorder(), []
    async with turning(machine) as loop:
        with bind_udp("127.0.0.1", 0) as sender:
            for _ in range(200):
                sender.sendto(ONE, tuple(loop.listening[0][1:]))
        while len(machine.heard) < 200:
            await asyncio.sleep(0)
            marks.append(len(machine.heard))
    assert [mark for mark in marks if mark in (64, 128, 192)] == [64, 128, 192]


async def test_what_one_datagram_breaks_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caller, carrier, phone = Recorder(), Recorder(), "0900000001"

    def break_on_one(data: bytes, flow: Flow) -> None:
        if data == ONE:
            raise ValueError(f"cannot read {phone}")
        carrier.say(flow, data)

    carrier.react = break_on_one
    async with turning(carrier) as far, turning(caller) as near:
        say(near, caller, flow_to(far), ONE, TWO, ONE, TWO, ONE)
        await caller.until(lambda: len(caller.heard) == 2)
        assert far.counters["failed.receive"] == 3
    (record,) = (one for one in caplog.records if one.levelno >= logging.ERROR)
    fields = record.__dict__
    assert (fields["action"], fields["where"]) == ("sip.failed", "receive")
    assert "break_on_one" in fields["trace"]
    assert phone not in fields["trace"] + record.getMessage()


async def test_what_breaks_on_a_connection_harms_no_other() -> None:
    caller, carrier = Recorder(), Recorder()
    async with turning(carrier, [Listen("tcp", "127.0.0.1", 0)]) as far, turning(caller) as near:
        carrier.react = lambda data, flow: carrier.say(flow, {TWO: data}[data])
        say(near, caller, flow_to(far), ONE, TWO)
        await caller.until(lambda: caller.heard)
        assert far.counters["failed.receive"] == 1


async def test_a_tap_that_fails_costs_no_message() -> None:
    caller, carrier = Recorder(), echo(Recorder())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with turning(carrier, tap=full) as far, turning(caller) as near:
        say(near, caller, flow_to(far), ONE, TWO)
        await caller.until(lambda: len(caller.heard) == 2)
        assert far.counters["failed.tap"] == 4


async def test_an_owner_that_fails_does_not_stop_the_loop() -> None:
    caller, carrier = Recorder(), echo(Recorder())

    def fail() -> None:
        raise RuntimeError

    async with turning(carrier, after_turn=fail) as far, turning(caller) as near:
        say(near, caller, flow_to(far), ONE)
        await caller.until(lambda: caller.heard)
        assert far.counters["failed.after_turn"] >= 1


class Broken(Recorder):
    """Its timer fails, and stays due."""

    def handle_timer(self, now: float) -> None:
        self.fired.append(now)
        self._changed.set()
        raise RuntimeError


async def test_a_timer_that_fails_is_tried_again_but_not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AFTER_FAILURE_S", 0.05)
    machine = Broken()
    async with turning(machine) as loop:
        machine.due = time.time()
        loop.kick()
        await machine.until(lambda: len(machine.fired) == 3)
        assert machine.fired[2] - machine.fired[0] >= 0.09
        assert loop.counters["failed.handle_timer"] == 3


async def test_many_kicks_are_one_turn_and_a_kick_inside_a_turn_none() -> None:
    machine, turns = Recorder(), list[None]()

    def act() -> None:
        turns.append(None)
        loop.kick()

    loop = SipLoop(machine, now=time.time, after_turn=act)
    await loop.open([HERE])
    for _ in range(10):
        loop.kick()
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(turns) == 1
    await loop.close()


async def test_the_timer_fires_when_due_and_never_before() -> None:
    machine = Recorder()
    async with turning(machine) as loop:
        dues = []
        for wait in (0.03, 0.005, 0.0, -5.0):
            dues.append(time.time() + wait)
            machine.due = dues[-1]
            loop.kick()
            count = len(dues)
            await machine.until(lambda count=count: len(machine.fired) == count)  # type: ignore[misc]
        assert all(fired >= due for fired, due in zip(machine.fired, dues, strict=True))
        assert machine.fired[0] - dues[0] < PATIENCE_S / 2


async def test_a_timer_that_moves_fires_once_when_it_is_due_at_last() -> None:
    machine = Recorder()
    async with turning(machine) as loop:
        now = time.time()
        for due in (now + 3600, now + 0.02, now + 0.06):
            machine.due = due
            loop.kick()
            await asyncio.sleep(0)
        await machine.until(lambda: machine.fired)
        assert machine.fired[0] >= now + 0.06
        assert len(machine.fired) == 1


async def test_a_peer_that_is_not_there_is_lost_and_the_machine_goes_elsewhere_in_the_same_turn() -> None:
    class Failover(Recorder):
        def flow_lost(self, flow: Flow, why: str, now: float) -> None:
            super().flow_lost(flow, why, now)
            self.say(elsewhere, TWO)

    caller, carrier = Failover(), Recorder()
    gone = bind_udp("127.0.0.1", 0)
    nobody = Flow("udp", *gone.getsockname())
    gone.close()
    async with turning(carrier) as far, turning(caller) as near:
        elsewhere = flow_to(far)
        say(near, caller, nobody, ONE)
        await carrier.until(lambda: carrier.heard)
        assert caller.lost == [(nobody, "nothing listens on the port")]
        assert carrier.messages == [TWO]


async def test_the_tap_sees_both_directions_on_every_transport() -> None:
    seen: list[tuple[bool, Flow, tuple[str, int], bytes]] = []
    caller, carrier = Recorder(), echo(Recorder())
    listens = [HERE, Listen("tcp", "127.0.0.1", 0)]
    async with turning(carrier, listens) as far, turning(caller, tap=lambda *told: seen.append(told[:4])) as near:
        udp, tcp = flow_to(far, 0), flow_to(far, 1)
        say(near, caller, udp, ONE)
        await caller.until(lambda: len(caller.heard) == 1)
        say(near, caller, tcp, ONE)
        await caller.until(lambda: len(caller.heard) == 2)
        say(near, caller, tcp, TWO)
        await caller.until(lambda: len(caller.heard) == 3)
        local, peer = tuple(near.listening[0][1:]), carrier.heard[-1][1]
        assert seen[:2] == [(SENT, udp, local, ONE), (RECEIVED, udp, local, ONE)]
        assert seen[2] == (SENT, tcp, ("", 0), ONE)  # there is no connection yet
        assert seen[4:] == [(way, tcp, (peer.host, peer.port), TWO) for way in (SENT, RECEIVED)]


@pytest.mark.parametrize(("sent", "received", "expected"), [
    ([[], [0.0]], [[0.0]], [TWO]),  # the first is lost on its way out
    ([[0.0], [0.0]], [[], [0.0]], [TWO]),  # the first is lost on its way in
    ([[0.0, 0.0], [0.0]], [[0.0]] * 3, [ONE, ONE, TWO]),
    ([[0.03], [0.0]], [[0.0]] * 2, [TWO, ONE]),  # overtaken
    ([[0.0], [0.0]], [[0.03, 0.06], [0.0]], [TWO, ONE, ONE]),
])  # fmt: skip
async def test_a_bad_network_loses_doubles_and_reorders(
    sent: list[list[float]], received: list[list[float]], expected: list[bytes]
) -> None:
    caller, carrier = Recorder(), Recorder()
    out, into = iter(sent), iter(received)
    async with (
        turning(carrier, impair=lambda is_sent: [] if is_sent else next(into)) as far,
        turning(caller, impair=lambda is_sent: next(out) if is_sent else []) as near,
    ):
        say(near, caller, flow_to(far), ONE, TWO)
        await carrier.until(lambda: len(carrier.heard) == len(expected))
        assert carrier.messages == expected
    assert list(out) == list(into) == []


async def test_what_is_still_on_its_way_at_the_end_is_lost() -> None:
    machine = Recorder()
    async with turning(machine, impair=lambda _sent: [0.01]) as loop:
        say(loop, machine, flow_to(loop), ONE)
    await asyncio.sleep(0.03)
    assert machine.heard == []


async def test_an_answer_leaves_from_the_socket_that_was_asked() -> None:
    carrier = echo(Recorder())
    async with turning(carrier, [HERE, HERE]) as far:
        for index in (1, 0, 1):
            place = tuple(far.listening[index][1:])
            with bind_udp("127.0.0.1", 0) as sender:
                sender.sendto(ONE, place)
                await carrier.until(lambda: len(carrier.heard))
                carrier.heard.clear()
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        try:
                            assert sender.recvfrom(2_000) == (ONE, place)
                        except BlockingIOError:
                            await asyncio.sleep(0)
                        else:
                            break


async def test_a_family_without_a_socket_is_said() -> None:
    machine = Recorder()
    async with turning(machine) as loop:
        flow = Flow("udp", "::1", 5060)
        assert not loop.reaches(flow)
        assert loop.reaches(flow_to(loop))
        assert loop.reaches(flow._replace(transport="tcp"))
        say(loop, machine, flow, ONE)
        await machine.until(lambda: machine.lost)
        assert machine.lost == [(flow, "no UDP socket of IPv6 is open here: listen on an IPv6 address, too")]


async def test_both_families_side_by_side() -> None:
    machine = echo(Recorder())
    machine.react = None
    async with turning(machine, [HERE, Listen("udp", "::1", 0)]) as loop:
        say(loop, machine, flow_to(loop, 0), ONE)
        say(loop, machine, flow_to(loop, 1), TWO)
        await machine.until(lambda: len(machine.heard) == 2)
        assert sorted(machine.heard) == sorted([(ONE, flow_to(loop, 0)), (TWO, flow_to(loop, 1))])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_port_of_another_process_is_named_and_nothing_stays_open(transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if transport == "tcp":
            other.listen()
        taken = Listen(transport, *other.getsockname())
        loop = SipLoop(Recorder(), now=time.time)
        with pytest.raises(ResourceBusy, match=f"^{taken} belongs to another process: stop that, or listen on another"):
            await loop.open([HERE, taken])
        free = loop.listening[0]
        bind_udp(free.host, free.port).close()


@pytest.mark.parametrize(("listen", "words"), [
    (Listen("udp", "192.0.2.1", 0), "udp:192.0.2.1:0: this machine does not have that address"),
    (Listen("tcp", "192.0.2.1", 0), "tcp:192.0.2.1:0: this machine does not have that address"),
    (Listen("tls", "127.0.0.1", 0), "tls:127.0.0.1:0 needs a certificate and its key"),
    (Listen("udp", "no host", 0), "udp:no host:0 cannot be listened on: there is no such host name"),
])  # fmt: skip
async def test_what_is_no_place_of_ours_is_said(listen: Listen, words: str) -> None:
    loop = SipLoop(Recorder(), now=time.time)
    with pytest.raises(BadInput, match=words):
        await loop.open([listen])


async def test_closing_sends_the_last_words_and_turns_no_more() -> None:
    caller, carrier, turns = Recorder(), Recorder(), list[None]()
    async with turning(carrier, [HERE, Listen("tcp", "127.0.0.1", 0)]) as far:
        near = SipLoop(caller, now=time.time, after_turn=lambda: turns.append(None))
        await near.open([HERE])
        say(near, caller, flow_to(far, 1), ONE)
        await carrier.until(lambda: carrier.heard)
        caller.say(flow_to(far, 0), TWO)
        caller.say(flow_to(far, 1), TWO)
        await near.close()
        await carrier.until(lambda: len(carrier.heard) == 3)
        turns.clear()
        caller.due = time.time()
        near.kick()
        near.lost(flow_to(far), "x")
        await near.close()
        await asyncio.sleep(0.01)
        assert (turns, caller.fired, caller.lost) == ([], [], [])


async def test_what_the_kernel_drops_is_told() -> None:
    async with turning(Recorder()) as loop:
        assert loop.kernel_drops() == 0
