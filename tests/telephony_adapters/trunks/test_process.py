"""The trunks in a process of their own: real processes, real sockets, a carrier on the wire beside them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.clock import SystemClock
from dialer.core.events import CallAnswered, CallConnected, CallEnded, CallRinging, TrunkOpened
from dialer.errors import AdapterDown, BadInput, NotSupported, ResourceBusy
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.trunks.config import load
from telephony_adapters.trunks.frames import Start, Tracing
from telephony_adapters.trunks.machine import Told
from telephony_adapters.trunks.process import SipProcess
from tests.telephony_adapters.trunks.live import LivePeers, peers, written

ONE = "+84900000001"
WAIT_S = 20.0


class Engine:
    """What an engine would do with the adapter."""

    def __init__(self, sip: SipProcess) -> None:
        self.sip = sip
        self.events = sip.events()
        self.heard: list[Told] = []

    async def call(self, call_id: str = "c1", phone: str = ONE) -> None:
        await self.sip.originate(call_id, phone=phone, hotline="+842400000001", trunk="main", ring_timeout_s=30.0)

    async def until(self, kind: type[Told]) -> Told:
        async with asyncio.timeout(WAIT_S):
            async for event in self.events:
                self.heard.append(event)
                if isinstance(event, kind):
                    return event
        raise AssertionError(self.heard)


@asynccontextmanager
async def started(folder: Path, others: LivePeers, **more: object) -> AsyncIterator[Engine]:
    trunks = written(folder, others)
    start = Start(str(trunks), b"key", journal=str(folder / "journal"), **more)  # type: ignore[arg-type]
    async with SipProcess(load(trunks), start, clock=SystemClock()) as sip:
        yield Engine(sip)


async def test_calls_and_talks_go_through_the_process(tmp_path: Path) -> None:
    joined = []
    async with peers() as others, started(tmp_path, others) as engine:
        sip = engine.sip
        sip.on_connected = lambda agent, call, _now: joined.append((agent, call))
        assert [limit.name for limit in sip.limits] == ["main"]
        await sip.station("a1", up=True)
        await engine.call()
        await engine.until(CallAnswered)
        assert await sip.snapshot() == (CallStatusAtSwitch("c1", answered=True),)
        await sip.connect("c1", agent_id="a1")
        assert await engine.until(CallConnected) == CallConnected("c1", "a1")
        await sip.hangup("c1", reason=CancelReason.OVERFLOW)
        end = await engine.until(CallEnded)
        assert end == CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER)
        assert [type(event) for event in engine.heard] == [CallRinging, CallAnswered, CallConnected, CallEnded]
        with pytest.raises(NotSupported):
            await sip.play("c1", prompt="hello")
        assert joined == [("a1", "c1")]
    assert await sip.snapshot() == ()


async def test_figures_come_by_themselves(tmp_path: Path) -> None:
    trace = Tracing(str(tmp_path / "trace"), 1.0, 10**6)
    async with peers() as others, started(tmp_path, others, trace=trace) as engine:
        await engine.call()
        await engine.until(CallAnswered)  # said after the first figures
        assert engine.sip.figures().trunks["main"] == (True, 0)
        assert engine.sip.figures().trace == (0, 0, 0)


async def test_its_end_by_itself_is_an_adapter_that_is_down(tmp_path: Path) -> None:
    async with peers() as others:
        async with started(tmp_path, others) as engine:
            await engine.call()
            await engine.until(CallAnswered)
            os.kill(engine.sip.pid, signal.SIGKILL)
            with pytest.raises(AdapterDown, match="status -9"):
                await engine.until(TrunkOpened)
            with pytest.raises(AdapterDown):
                await engine.call("c2")
            assert await engine.sip.snapshot() == ()
        assert others.customers.phone(ONE).leg is not None
        async with started(tmp_path, others) as engine:  # the next one ends what the dead one left behind
            await others.until(lambda: others.customers.phone(ONE).leg is None)
        assert others.customers.phone(ONE).ended == ["remote"]


async def test_it_hangs_up_and_ends_when_its_engine_is_gone(tmp_path: Path) -> None:
    async with peers() as others, started(tmp_path, others) as engine:
        await engine.call()
        await engine.until(CallAnswered)
        writer = engine.sip._writer
        assert writer is not None
        writer.transport.abort()
        process = engine.sip._process
        assert process is not None
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
        assert others.customers.phone(ONE).ended == ["remote"]


async def test_signals_leave_the_end_to_the_engine(tmp_path: Path) -> None:
    async with peers() as others, started(tmp_path, others) as engine:
        os.kill(engine.sip.pid, signal.SIGTERM)
        os.kill(engine.sip.pid, signal.SIGINT)
        await engine.call()
        await engine.until(CallAnswered)


async def test_what_is_wrong_is_told_as_if_it_were_here(tmp_path: Path) -> None:
    async with peers() as others, started(tmp_path, others):
        with pytest.raises(ResourceBusy, match="journal"):
            await started(tmp_path, others).__aenter__()
    trunks = written(tmp_path, others)
    start = Start(str(tmp_path / "none.toml"), b"key")
    with pytest.raises(BadInput, match=r"none\.toml"):
        await SipProcess(load(trunks), start, clock=SystemClock()).__aenter__()


async def test_its_log_is_the_engines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with peers() as others, started(tmp_path, others) as engine:
            await engine.call("c1")
            await engine.call("c1")
            await engine.until(CallAnswered)
    (record,) = [record for record in caplog.records if getattr(record, "action", "") == "sip.order_failed"]
    assert "live already" in record.getMessage()
    assert ONE not in record.getMessage()
