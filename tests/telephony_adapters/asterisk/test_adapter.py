from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path

import pytest

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallProgressed,
    CallRinging,
    CallTransferred,
    ConnectFailed,
    DigitPressed,
    EarlyMediaHeard,
    MachineDetected,
    PromptEnded,
    RecordingEnded,
    TrunkClosed,
    TrunkOpened,
)
from dialer.core.types import Supervision
from dialer.errors import AdapterDown
from statuses.outcomes import AmdResult, CallStatus, CancelReason, EndedBy, LocalError
from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.asterisk import Asterisk
from tests.plugins.baresip import Phones
from tests.plugins.sipp import Sipp
from tests.telephony_adapters.asterisk.switching import HOTLINE, Switching, pipe, switching


def channels_left(asterisk: Asterisk) -> str:
    return asterisk.command("core show channels concise")


async def none_left(asterisk: Asterisk) -> None:
    async with asyncio.timeout(20):
        while channels_left(asterisk).strip():  # noqa: ASYNC110 -- Asterisk tells nobody that it has none
            await asyncio.sleep(0.05)


async def test_a_talk_with_a_phone_that_is_called_for_it(asterisk: Asterisk, phones: Phones, tmp_path: Path) -> None:
    agent = await phones.start("a1")
    _tone(tmp_path / "prompts" / "hello.wav")
    async with switching(asterisk.file(asterisk.address, agent.address), home=tmp_path) as side:
        switch = side.telephony
        await switch.station("a1", up=True)
        call = await side.call("keys")
        await side.until(CallAnswered, call)
        assert [(await side.until(DigitPressed, call, nth=n)).digit for n in (1, 2, 3)] == ["1", "*", "#"]
        await switch.record(call)
        await switch.play(call, prompt=str(tmp_path / "prompts" / "hello.wav"))
        assert (await side.until(PromptEnded, call)).played
        await switch.play(call, prompt="there-is-none")
        assert not (await side.until(PromptEnded, call, nth=2)).played
        await switch.connect(call, agent_id="a1")
        await side.until(CallConnected, call)
        assert [(one.call_id, one.answered, one.agent_id) for one in await switch.snapshot()] == [(call, True, "a1")]
        await agent.two_way(25)
        await switch.hold(call, on=True)
        await switch.hold(call, on=False)
        await agent.two_way(25)
        await side.hang_up(call)
        end = await side.over(call)
        assert (end.sip_status, end.q850, end.ended_by) == (200, 16, EndedBy.DIALER)
        await agent.until("CALL_CLOSED")
        await side.until(RecordingEnded, call)
        assert list(await switch.recordings()) == [call]
        with wave.open(io.BytesIO(await switch.recording(call))) as kept:
            assert kept.getframerate() == 8000
            assert kept.getnframes() > 8000
            assert max(kept.readframes(8000)) > 0
        await switch.drop_recording(call)
        assert not await switch.recordings()
        with pytest.raises(LookupError):
            await switch.recording(call)
        await none_left(asterisk)


def _tone(path: Path) -> None:
    path.parent.mkdir()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x10\x00\xf0" * 2000)


async def test_a_phone_that_stays_on_the_line(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    async with switching(asterisk.file(asterisk.address, agent.address, agents="nailed_up = true")) as side:
        await side.telephony.station("a1", up=True)
        await agent.until("CALL_ESTABLISHED")
        first = await side.joined("bye1")
        end = await side.over(first)
        assert (end.sip_status, end.q850, end.ended_by) == (200, 16, EndedBy.REMOTE)
        second = await side.joined("echo")
        await agent.two_way(25)
        assert [event["type"] for event in agent.events].count("CALL_ESTABLISHED") == 1
        await agent.hang_up()
        assert (await side.over(second)).ended_by is EndedBy.AGENT
        await agent.until("CALL_ESTABLISHED")  # it is called again
        await side.telephony.station("a1", up=False)
        await agent.until("CALL_CLOSED")
        await none_left(asterisk)


async def test_an_agent_hangs_up_and_another_cannot_be_reached(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    elsewhere = f'[agents.endpoints]\na2 = "PJSIP/trunk/sip:busy@{asterisk.address}"'
    async with switching(asterisk.file(asterisk.address, agent.address, agents=elsewhere)) as side:
        call = await side.joined("echo")
        await agent.hang_up()
        assert (await side.over(call)).ended_by is EndedBy.AGENT
        nowhere = await side.answered("echo")
        await side.telephony.connect(nowhere, agent_id="a2")
        assert (await side.until(ConnectFailed, nowhere, timeout_s=10)).agent_id == "a2"
        assert not side.of(CallEnded, nowhere)
        await side.hang_up(nowhere)
        await none_left(asterisk)


async def test_the_agent_first(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    async with switching(asterisk.file(asterisk.address, agent.address)) as side:
        call = side.new_id()
        await side.telephony.summon(call, agent_id="a1")
        await side.until(AgentOnLine, call)
        await side.call("ring1", call_id=call)
        await side.until(CallAnswered, call)
        await side.telephony.connect(call, agent_id="a1")
        await side.until(CallConnected, call)
        await agent.two_way(25)
        await side.hang_up(call, CancelReason.AGENT_HANGUP)
        assert (await side.over(call)).ended_by is EndedBy.AGENT
        given_up = side.new_id()
        await side.telephony.summon(given_up, agent_id="a1")
        await side.until(AgentOnLine, given_up)
        await side.call("ring9", call_id=given_up)
        await side.until(CallRinging, given_up)
        await agent.hang_up()
        assert (await side.over(given_up)).ended_by is EndedBy.AGENT
        await none_left(asterisk)


async def test_the_server_that_is_named_and_what_is_left_of_a_summons_in_vain(asterisk: Asterisk) -> None:
    gone = '[server.gone]\nurl = "http://127.0.0.1:1/ari"\nuser = "x"\npassword = "x"\n'
    more = gone + 'endpoint = "PJSIP/{phone}@x"\nprefixes = ["1"]\nchannels = 1\ncps = 1\n'
    async with switching(more + asterisk.file(asterisk.address, asterisk.address)) as side:
        for trunk, why in (("gone", "'gone' is not connected"), ("none", "there is no Asterisk 'none'")):
            with pytest.raises(AdapterDown, match=why):
                await side.telephony.summon(side.new_id(), agent_id="a1", trunk=trunk)
        call = side.new_id()
        await side.telephony.summon(call, agent_id="busy", trunk="main")
        await side.until(ConnectFailed, call)
        assert not side.telephony._where


async def test_a_call_that_another_process_placed_is_ended(asterisk: Asterisk) -> None:
    async with switching(asterisk.file(asterisk.address, asterisk.address, common='app = "other"')) as dead:
        call = await dead.answered("echo")
        async with switching(asterisk.file(asterisk.address, asterisk.address)) as side:
            await side.hang_up(call)
            await dead.over(call)


async def test_a_call_to_the_hotline(asterisk: Asterisk, phones: Phones) -> None:
    caller, agent = await asyncio.gather(phones.start("0900000001"), phones.start("a1"))
    async with switching(asterisk.file(asterisk.address, agent.address)) as side:
        await caller.dial(asterisk.uri("hotline02471000001"))
        arrived = await side.until(CallArrived)
        assert (arrived.phone, arrived.hotline, arrived.trunk) == ("+84900000001", HOTLINE, "main")
        await side.telephony.answer(arrived.call_id)
        await side.until(CallAnswered, arrived.call_id)
        await caller.until("CALL_ESTABLISHED")
        await side.telephony.hold(arrived.call_id, on=True)
        await caller.two_way(10)
        await side.telephony.connect(arrived.call_id, agent_id="a1")
        await side.until(CallConnected, arrived.call_id)
        await asyncio.gather(agent.two_way(25), caller.two_way(25))
        await caller.hang_up()
        assert (await side.over(arrived.call_id)).ended_by is EndedBy.REMOTE
        await agent.until("CALL_CLOSED")
        await caller.dial(asterisk.uri("hotline02471000001"))
        declined = await side.until(CallArrived, nth=2)
        await side.hang_up(declined.call_id)
        await side.over(declined.call_id)
        await none_left(asterisk)


async def test_a_supervisor_listens_whispers_and_joins(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    async with switching(
        asterisk.file(
            asterisk.address,
            agent.address,
            agents=f'[agents.endpoints]\nboss = "PJSIP/trunk/sip:echo@{asterisk.address}"',
        )
    ) as side:
        call = await side.joined("echo")
        for mode in (Supervision.LISTEN, Supervision.WHISPER, Supervision.BARGE):
            await side.telephony.supervise(call, supervisor="boss", mode=mode)
            await _until_heard_by(asterisk, side, mode)
        await side.telephony.supervise(call, supervisor="boss", mode=None)
        await agent.two_way(25)
        assert not side.of(CallEnded)
        await side.hang_up(call)
        await none_left(asterisk)


async def _until_heard_by(asterisk: Asterisk, side: Switching, mode: Supervision) -> None:
    """Wait until Asterisk has the supervisor where the mode wants it."""
    talk = 3 if mode is Supervision.BARGE else 2
    async with asyncio.timeout(20):
        while True:
            bridges = sorted(len(bridge.channels) for bridge in await side.link.ari.bridges() if bridge.channels)
            ears = channels_left(asterisk).count("Snoop/")
            if bridges == ([3] if talk == 3 else [2, 2]) and ears == (talk == 2):
                return
            await asyncio.sleep(0.05)


async def test_a_call_is_sent_on(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    async with switching(asterisk.file(asterisk.address, agent.address)) as side:
        call = await side.joined("echo")
        await side.telephony.transfer(call, phone="busy", hotline=HOTLINE, trunk="main")
        assert not (await side.until(CallTransferred, call)).done
        await agent.two_way(25)
        await side.telephony.transfer(call, phone="bye1", hotline=HOTLINE, trunk="main")
        assert (await side.until(CallTransferred, call, nth=2)).done
        await agent.until("CALL_CLOSED")
        assert (await side.over(call)).ended_by is EndedBy.REMOTE
        await none_left(asterisk)


async def test_who_answered(asterisk: Asterisk) -> None:
    async with switching(asterisk.file(asterisk.address, asterisk.address)) as side:
        machine, gone = await side.call("tone", amd=True), await side.call("bye1", amd=True)
        assert (await side.until(MachineDetected, machine)).amd is AmdResult.MACHINE
        assert side.kinds(machine).index(CallAnswered) < side.kinds(machine).index(MachineDetected)
        assert (await side.until(MachineDetected, gone)).amd is AmdResult.HANGUP
        await side.telephony.connect(machine, agent_id="echo")  # it is back
        await side.until(CallConnected, machine)
        await side.hang_up(machine)
        await side.over(machine)
        await none_left(asterisk)


async def test_what_a_call_came_to(asterisk: Asterisk, sipp: Sipp) -> None:
    expected = {
        "486 Busy Here": CallStatus.BUSY,
        "404 Not Found": CallStatus.INVALID_NUMBER,
        "480 Temporarily Unavailable": CallStatus.NOT_AVAILABLE,
        "503 Service Unavailable": CallStatus.CONGESTION,
        "403 Forbidden": CallStatus.CONGESTION,
        "483 Too Many Hops": CallStatus.CONGESTION,
        "603 Decline": CallStatus.BUSY,
    }
    carriers = {status: sipp.uas(scenarios.reject(status), trace=False) for status in expected}
    rings = sipp.uas(scenarios.ring(), trace=False)
    text = asterisk.file("HOST", "127.0.0.1:9").replace("@HOST", "").replace("sip:{phone}", "sip:{phone}")
    async with switching(text) as side:
        calls = {status: await side.call(f"1@{run.address}") for status, run in carriers.items()}
        for status, call in calls.items():
            end = await side.over(call)
            assert (end.sip_status, end.q850, end.ended_by) == (int(status[:3]), None, EndedBy.REMOTE)
            assert side.verdict(call).status is expected[status]
        rang = await side.call(f"1@{rings.address}")
        await side.until(CallRinging, rang)
        await side.hang_up(rang, CancelReason.RING_TIMEOUT)
        end = await side.over(rang)
        assert (end.sip_status, end.ended_by) == (487, EndedBy.DIALER)
        assert side.verdict(rang).status is CallStatus.CANCEL
        early = await side.call(f"early1@{asterisk.address}")
        await side.until(EarlyMediaHeard, early)
        await side.until(CallAnswered, early)
        await side.hang_up(early)
        await side.over(early)
        # Nothing was heard of this one; but the trunk spoke of others meanwhile.
        mute = sipp.uas(scenarios.say_nothing(), trace=False)
        silent = await side.call(f"1@{mute.address}")
        await side.over(await side.call(f"1@{carriers['404 Not Found'].address}"))
        await side.hang_up(silent, CancelReason.RING_TIMEOUT)
        await side.over(silent)
        assert side.kinds(silent) == [CallProgressed, CallEnded]
        assert side.verdict(silent).status is CallStatus.NOT_AVAILABLE


async def test_an_id_is_called_once(asterisk: Asterisk) -> None:
    async with switching(asterisk.file(asterisk.address, asterisk.address)) as side:
        call = await side.answered("echo")
        board = side.link.machine.board
        del board.calls[call], board.channels[call]
        await side.call("echo", call_id=call)  # 409: there is one by this name
        assert not side.of(CallEnded)
        assert len(await side.link.ari.channels()) == 2  # both ends of the first
        await side.hang_up(call)
        await side.over(call)
        await none_left(asterisk)


async def test_a_new_process_goes_on_with_talks(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    text = asterisk.file(asterisk.address, agent.address)
    async with switching(text) as before:
        call = await before.joined("echo")
        await before.telephony.record(call)
        lonely = await before.answered("echo")
        await _shown(asterisk, "Snoop/")
    assert not before.of(CallEnded, call)
    async with switching(text) as after:
        await agent.two_way(10)
        assert [(one.call_id, one.agent_id) for one in await after.telephony.snapshot()] == [(call, "a1")]
        assert lonely != call
        assert not await after.telephony.recordings()
        await agent.hang_up()
        assert (await after.over(call)).ended_by is EndedBy.AGENT
        await after.until(RecordingEnded, call)
        assert list(await after.telephony.recordings()) == [call]
        await after.telephony.drop_recording(call)
        await none_left(asterisk)


async def test_a_cut_and_a_restart_lose_no_call(asterisk: Asterisk, phones: Phones) -> None:
    agent = await phones.start("a1")
    async with pipe(asterisk.http_port) as way:
        text = asterisk.file(asterisk.address, agent.address).replace(f":{asterisk.http_port}/", f":{way.port}/")
        async with switching(text) as side:
            await side.until(TrunkOpened)
            talk, short = await side.joined("echo"), await side.answered("bye1")
            way.cut()
            assert (await side.until(TrunkClosed)).trunk == "main"
            with pytest.raises(AdapterDown):
                await side.call("echo")
            side.link.is_open = True  # as it is until the cut is seen
            for ask in (side.telephony.recordings(), side.telephony.recording(talk)):
                with pytest.raises(AdapterDown):
                    await ask
            side.link.is_open = False
            await agent.two_way(25)  # Asterisk goes on
            await _shown(asterisk, short, there=False)
            way.is_cut = False
            await side.until(TrunkOpened, nth=2)
            end = await side.over(short)
            assert (end.sip_status, end.local_error, end.ended_by) == (200, LocalError.LOST, EndedBy.REMOTE)
            assert not side.of(CallEnded, talk)
            assert [one.call_id for one in await side.telephony.snapshot()] == [talk]
            await agent.hang_up()
            assert (await side.over(talk)).ended_by is EndedBy.AGENT
            second = await side.joined("echo")
            await asyncio.to_thread(asterisk.kill)
            await side.until(TrunkClosed, nth=2)
            await asyncio.to_thread(asterisk.start)
            await side.until(TrunkOpened, nth=3)
            assert (await side.over(second)).local_error is LocalError.LOST
            again = await side.answered("echo")
            await side.hang_up(again)
            await side.over(again)
            await none_left(asterisk)


async def _shown(asterisk: Asterisk, what: str, *, there: bool = True) -> None:
    """Wait until Asterisk shows a channel, or no longer does."""
    async with asyncio.timeout(20):
        while (what in channels_left(asterisk)) is not there:  # noqa: ASYNC110 -- Asterisk tells nobody
            await asyncio.sleep(0.05)
