"""The adapter over real sockets; what calls and talks come to is in the tests of the machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.clock import SystemClock
from dialer.core.events import CallAnswered, CallConnected, CallEnded
from dialer.errors import AdapterDown, BadInput, NotSupported, ResourceBusy
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.trunks.config import load
from telephony_adapters.trunks.journal import Journal
from telephony_adapters.trunks.machine import Told
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.telephony import SipTelephony
from tests.telephony_adapters.trunks.live import LivePeers, peers, written

ONE = "+84900000001"
WAIT_S = 20.0


def adapter(folder: Path, others: LivePeers, more: str = "") -> SipTelephony:
    plant = Plant(load(written(folder, others, more)), key=b"key", spend_file=folder / "spend")
    return SipTelephony(plant, clock=SystemClock(), journal=Journal(folder / "journal"))


@asynccontextmanager
async def dialing(folder: Path) -> AsyncIterator[tuple[SipTelephony, LivePeers]]:
    async with peers() as others, adapter(folder, others) as sip:
        yield sip, others


async def call(sip: SipTelephony, call_id: str = "c1") -> None:
    await sip.originate(call_id, phone=ONE, hotline="+842400000001", trunk="main", ring_timeout_s=30.0)


async def until(sip: SipTelephony, kind: type[Told]) -> Told:
    async with asyncio.timeout(WAIT_S):
        async for event in sip.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(kind)


async def test_a_call_is_answered_joined_and_hung_up(tmp_path: Path) -> None:
    joined = []
    async with dialing(tmp_path) as (sip, _):
        sip.on_connected = lambda agent, call, _now: joined.append((agent, call))
        await call(sip)
        await until(sip, CallAnswered)
        assert await sip.snapshot() == (CallStatusAtSwitch("c1", answered=True),)
        await sip.connect("c1", agent_id="a1")
        assert await until(sip, CallConnected) == CallConnected("c1", "a1")
        assert joined == [("a1", "c1")]
        figures = sip.figures()
        assert (figures.trunks, figures.phones) == ({"main": (True, 1)}, {"up": 1})
        await sip.hangup("c1", reason=CancelReason.OVERFLOW)
        assert await until(sip, CallEnded) == CallEnded("c1", sip_status=200, ended_by=EndedBy.DIALER)
        with pytest.raises(NotSupported):
            await sip.play("c1", prompt="hello")


async def test_a_stop_hangs_up_and_lets_the_far_ends_know(tmp_path: Path) -> None:
    async with peers() as others:
        async with adapter(tmp_path, others) as sip:
            await call(sip)
            await until(sip, CallAnswered)
        assert others.customers.phone(ONE).ended == ["remote"]
        with pytest.raises(AdapterDown):
            await call(sip, "c2")
        await sip.hangup("c1", reason=CancelReason.ADMIN)
        assert Journal(tmp_path / "journal").left_behind == ()


async def test_the_next_process_ends_what_a_dead_one_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peers() as others:
        sip = adapter(tmp_path, others)
        await sip.__aenter__()
        await sip.station("a1", up=True)
        await call(sip)
        await until(sip, CallAnswered)
        await sip.connect("c1", agent_id="a1")
        await until(sip, CallConnected)
        monkeypatch.setattr(sip.plant.machine, "hang_up_all", lambda _now: None)  # it dies
        await sip.__aexit__(None, None, None)
        customer, agent = others.customers.phone(ONE), others.agents.phone("a1")
        assert customer.leg is not None
        assert agent.leg is not None
        async with adapter(tmp_path, others) as other:
            assert await other.snapshot() == ()
            await others.until(lambda: customer.leg is None and agent.leg is None)
        assert (customer.ended, agent.ended) == (["remote"], ["remote"])


async def test_where_another_one_listens_nothing_is_opened_and_nothing_left_open(tmp_path: Path) -> None:
    async with dialing(tmp_path) as (_, others):
        second = tmp_path / "second"
        second.mkdir()
        with pytest.raises(ResourceBusy, match="another process"):
            await adapter(second, others).__aenter__()
        with pytest.raises(ResourceBusy, match="journal"):
            adapter(tmp_path, others)
        Journal(second / "journal").close()


async def test_a_task_that_dies_is_an_adapter_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peers() as others:
        sip = adapter(tmp_path, others)

        async def die(*_: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(sip.plant, "keep", die)
        async with sip:
            with pytest.raises(AdapterDown, match="see the cause"):
                await until(sip, CallEnded)
            with pytest.raises(AdapterDown):
                await call(sip)


async def test_others_may_know_us_by_an_address_that_is_not_ours(tmp_path: Path) -> None:
    async with peers() as others:
        path = written(tmp_path, others)
        path.write_text(path.read_text().replace("[sip]\n", '[sip]\npublic = "192.0.2.77:5999"\n'))
        async with SipTelephony(Plant(load(path), key=b"key"), clock=SystemClock()) as sip:
            await call(sip)
            await until(sip, CallAnswered)
            leg = others.customers.phone(ONE).leg
            assert leg is not None
            assert leg.remote_sdp is not None
            assert b"c=IN IP4 192.0.2.77\r\n" in leg.remote_sdp
            assert leg.target == "sip:dialer@192.0.2.77:5999"


async def test_a_name_that_nobody_knows_is_told(tmp_path: Path) -> None:
    async with peers() as others:
        path = written(tmp_path, others)
        path.write_text(path.read_text().replace(f'"127.0.0.1:{others.customers.flow.port}"', '"nobody.invalid:5060"'))
        with pytest.raises(BadInput, match=r"nobody\.invalid"):
            await SipTelephony(Plant(load(path), key=b"key"), clock=SystemClock()).__aenter__()
