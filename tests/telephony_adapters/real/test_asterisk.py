"""Asterisk 22 as the trunk: what it does with a call, what it asks for, and what the engine hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.core.events import (
    CallAnswered,
    CallEnded,
    CallProgressed,
    CallRinging,
    TrunkClosed,
    TrunkOpened,
)
from statuses.outcomes import CallStatus, CancelReason, EndedBy
from telephony_adapters.wire.loop import RECEIVED
from tests.plugins.asterisk import Asterisk, local_asterisk
from tests.telephony_adapters.real.dialing import dialing, number, reaching


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_calls_that_it_answers(tmp_path: Path, asterisk: Asterisk, transport: str) -> None:
    echo, early, rings = reaching(asterisk, "echo", "early0", "ring0")
    async with dialing(tmp_path, main={"server": asterisk.address, "transport": transport}) as dialer:
        calls = [await dialer.answered(phone) for phone in (echo, early, rings)]
        for call in calls:
            await dialer.hang_up(call)
            end = await dialer.over(call)
            assert (end.sip_status, end.ended_by) == (200, EndedBy.DIALER)
        assert [dialer.kinds(call)[-2:] for call in calls] == [[CallAnswered, CallEnded]] * 3
        assert CallProgressed in dialer.kinds(calls[0])
        await dialer.until_message("SIP/2.0 183", sent=RECEIVED, having=calls[1])
        assert CallRinging in dialer.kinds(calls[2])
        await dialer.settled()


async def test_a_call_that_it_hangs_up(tmp_path: Path, asterisk: Asterisk) -> None:
    (bye,) = reaching(asterisk, "bye0")
    async with dialing(tmp_path, main=asterisk.address) as dialer:
        call = await dialer.answered(bye)
        end = await dialer.over(call)
    assert (end.sip_status, end.q850, end.ended_by) == (200, 16, EndedBy.REMOTE)


async def test_calls_that_are_given_up_while_they_ring(tmp_path: Path, asterisk: Asterisk) -> None:
    rings, early = reaching(asterisk, "ring60", "early60")
    async with dialing(tmp_path, main=asterisk.address) as dialer:
        for phone, sign, status in (
            (rings, "SIP/2.0 180", CallStatus.CANCEL),
            (early, "SIP/2.0 183", CallStatus.NOT_AVAILABLE),
        ):
            call = await dialer.call(phone)
            await dialer.until_message(sign, sent=RECEIVED, having=call)
            await dialer.hang_up(call, CancelReason.RING_TIMEOUT)
            assert (await dialer.over(call)).sip_status == 487
            assert dialer.verdict(call).status is status
        await dialer.settled()
    assert not asterisk.channels()


async def test_calls_that_it_refuses(tmp_path: Path, asterisk: Asterisk) -> None:
    expected = {
        "busy": (486, 17, CallStatus.BUSY),
        "congestion": (503, 34, CallStatus.CONGESTION),
        "cause34": (503, 34, CallStatus.CONGESTION),
        "cause1": (404, 1, CallStatus.INVALID_NUMBER),
        "cause21": (403, 21, CallStatus.CONGESTION),
        "cause19": (480, 19, CallStatus.NO_ANSWERED),
        "cause20": (480, 20, CallStatus.NOT_AVAILABLE),
    }
    async with dialing(tmp_path, main=asterisk.address) as dialer:
        calls = [await dialer.call(phone) for phone in (*reaching(asterisk, *expected), number(9999))]
        ends = [await dialer.over(call) for call in calls]
        found = [dialer.verdict(call).status for call in calls]
        await dialer.settled()
    told = [(end.sip_status, end.q850, status) for end, status in zip(ends, found, strict=True)]
    assert told == [*expected.values(), (404, None, CallStatus.INVALID_NUMBER)]


@pytest.mark.component("asterisk")
@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256", "MD5")], ids=["md5", "sha-256"])
async def test_it_asks_for_the_password(tmp_path: Path, asterisk: Asterisk, algorithms: tuple[str, ...]) -> None:
    with local_asterisk(algorithms=algorithms) as guarded:
        (echo,) = reaching(guarded, "echo")
        keys = {"server": guarded.guarded, "username": guarded.user, "options_every_s": 1}
        right, wrong = keys | {"password": guarded.password}, keys | {"password": "wrong"}
        async with dialing(tmp_path, main=right, wrong=wrong, bare=guarded.guarded) as dialer:
            call = await dialer.answered(echo)
            (invite,) = [text for text in dialer.sent("INVITE") if b"Authorization" in text]
            assert f"algorithm={algorithms[0]}".encode() in invite
            await dialer.hang_up(call)
            assert (await dialer.over(call)).sip_status == 200
            for trunk in ("wrong", "bare"):
                refused = await dialer.call(echo, trunk=trunk)
                assert (await dialer.over(refused)).sip_status == 401
                assert dialer.verdict(refused).status is CallStatus.CONGESTION
            assert not dialer.of(TrunkClosed), "OPTIONS is answered, whatever it says"


async def test_registration_and_options(tmp_path: Path, asterisk: Asterisk) -> None:
    account = {"server": asterisk.address, "username": "agent1", "register": True, "expires_s": 60}
    main = account | {"password": asterisk.password, "options_every_s": 0.05}
    async with dialing(tmp_path, main=main) as dialer:
        await dialer.until_message("SIP/2.0 200", sent=RECEIVED, having="REGISTER")
        assert f"sip:agent1@127.0.0.1:{dialer.place()[1]}" in asterisk.command("pjsip show contacts")
        await dialer.until_message("SIP/2.0 200", sent=RECEIVED, having="OPTIONS", nth=3)
        await dialer.until(TrunkOpened)
        assert len(dialer.of(TrunkClosed)) == 1, "until the registrar knew us"


async def test_a_registration_that_is_refused_closes_the_trunk(tmp_path: Path, asterisk: Asterisk) -> None:
    account = {"server": asterisk.address, "username": "agent1", "register": True, "password": "wrong"}
    async with dialing(tmp_path, main=account) as dialer:
        closed = await dialer.until(TrunkClosed)
        assert "registration" in closed.why
        call = await dialer.call()
        assert (await dialer.over(call)).reason_text == "trunk: down"


async def test_a_trunk_that_stops_and_comes_back(tmp_path: Path, asterisk: Asterisk) -> None:
    main = {"server": asterisk.address, "options_every_s": 0.2, "failures_to_rest": 2, "rest_s": 1}
    async with dialing(tmp_path, main=main) as dialer:
        (echo,) = reaching(asterisk, "echo")
        await dialer.answered(echo)
        asterisk.stop()
        await dialer.until(TrunkClosed)
        opened = len(dialer.of(TrunkOpened))
        asterisk.start()
        reaching(asterisk, "echo")
        await dialer.until(TrunkOpened, nth=opened + 1)
        await dialer.answered(echo)
