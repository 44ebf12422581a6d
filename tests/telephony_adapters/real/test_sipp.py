"""SIPp as the carrier, over UDP and TCP: what it does with a call, and what the engine hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from dialer.core.events import (
    CallAnswered,
    CallEnded,
    CallEvent,
    CallRinging,
    EarlyMediaHeard,
    TrunkClosed,
)
from statuses.outcomes import CallStatus, CancelReason, EndedBy
from telephony_adapters.wire.loop import RECEIVED
from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.sipp import Sipp, SippRun
from tests.telephony_adapters.real.dialing import Dialing, Table, dialing, number

BOTH: Final = pytest.mark.parametrize("transport", ["udp", "tcp"])
RANG: Final = [CallRinging, CallAnswered, CallEnded]


def trunk(uas: SippRun, transport: str = "udp", **keys: object) -> Table:
    return {"server": uas.address, "transport": transport} | keys


async def ended(dialer: Dialing, call: str) -> CallEnded:
    """Hang a call up that is answered."""
    await dialer.until(CallAnswered, call)
    await dialer.hang_up(call)
    return await dialer.over(call)


async def is_done(uas: SippRun, calls: int = 1) -> None:
    """See that the carrier has no more and no fewer calls than these, and all went as the scenario says."""
    assert (await uas.finished())[:3] == (calls, calls, 0), uas.errors()


# --- answered ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("carrier", "events"),
    [
        (scenarios.answer(), RANG),
        (scenarios.answer(early=True), [EarlyMediaHeard, CallAnswered, CallEnded]),
        (scenarios.callee(*scenarios._answered(), *scenarios._ended(0)), [CallAnswered, CallEnded]),
        (scenarios.change(), [CallAnswered, CallEnded]),
        (scenarios.repeat(), [CallAnswered, CallEnded]),
    ],
    ids=["rings", "early", "at once", "re-INVITE", "200 twice"],
)
async def test_an_answered_call_is_hung_up_by_us(
    tmp_path: Path, sipp: Sipp, transport: str, carrier: str, events: list[type[CallEvent]]
) -> None:
    uas = sipp.uas(carrier, transport=transport)
    async with dialing(tmp_path, main=trunk(uas, transport)) as dialer:
        call = await dialer.answered()
        if carrier == scenarios.change():
            await dialer.until_message("ACK", sent=RECEIVED)
        elif carrier == scenarios.repeat():
            await dialer.until_message("ACK", nth=2)
        end = await ended(dialer, call)
        await dialer.settled()
    assert (end.sip_status, end.ended_by) == (200, EndedBy.DIALER)
    assert dialer.kinds(call) == events
    await is_done(uas)


@BOTH
async def test_the_callee_hangs_up_and_says_why(tmp_path: Path, sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.hang_up(talk_s=0.02), transport=transport)
    async with dialing(tmp_path, main=trunk(uas, transport)) as dialer:
        call = await dialer.answered()
        end = await dialer.over(call)
        assert dialer.kinds(call) == RANG
    assert (end.sip_status, end.q850, end.ended_by) == (200, 16, EndedBy.REMOTE)
    await is_done(uas)


@BOTH
async def test_reliable_ringing_is_acknowledged(tmp_path: Path, sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.prack(), transport=transport)
    async with dialing(tmp_path, main=trunk(uas, transport, early_100rel=True)) as dialer:
        call = await dialer.call()
        await ended(dialer, call)
        assert dialer.kinds(call) == [EarlyMediaHeard, CallAnswered, CallEnded]
        assert [line.partition(" ")[0] for line in dialer.first_lines()] == ["INVITE", "PRACK", "ACK", "BYE"]
    await is_done(uas)


# --- given up ---------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_call_that_rings_for_too_long_is_given_up(tmp_path: Path, sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.ring(), transport=transport)
    async with dialing(tmp_path, main=trunk(uas, transport)) as dialer:
        call = await dialer.call()
        await dialer.until(CallRinging, call)
        await dialer.hang_up(call, CancelReason.RING_TIMEOUT)
        end = await dialer.over(call)
        assert (end.sip_status, end.ended_by) == (487, EndedBy.DIALER)
        assert dialer.verdict(call).status is CallStatus.CANCEL
    await is_done(uas)


async def test_the_trunk_gives_up_what_the_engine_forgets(tmp_path: Path, sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.ring())
    async with dialing(tmp_path, main=trunk(uas, ring_limit_s=1)) as dialer:
        call = await dialer.call()
        assert (await dialer.over(call)).sip_status == 487
    await is_done(uas)


@pytest.mark.parametrize(
    ("reason", "is_told"), [(CancelReason.RING_TIMEOUT, True), (CancelReason.ADMIN, False)], ids=str
)
@BOTH
async def test_an_answer_crosses_our_cancel(
    tmp_path: Path, sipp: Sipp, transport: str, reason: CancelReason, is_told: bool
) -> None:
    """A person is on the line: the engine hears so, or, when nobody may be left to hear, ACK and BYE follow at once."""
    uas = sipp.uas(scenarios.answer_late(), transport=transport)
    async with dialing(tmp_path, main=trunk(uas, transport)) as dialer:
        call = await dialer.call()
        await dialer.until(CallRinging, call)
        await dialer.hang_up(call, reason)
        if is_told:
            await ended(dialer, call)
        end = await dialer.over(call)
        assert bool(dialer.of(CallAnswered, call)) == is_told
        assert end.ended_by is EndedBy.DIALER
        await dialer.settled()
    await is_done(uas)


# --- refused ----------------------------------------------------------------------------------------------------------


def refuser(codes: set[int], *steps: str) -> str:
    """Refuse by the code and the Q.850 cause that were dialled; for SIPp no code can be variable."""
    found = [f'<ereg regexp="8490{code}" search_in="var" variable="to" assign_to="is{code}"/>' for code in codes]
    cause = '<ereg regexp="8490...(...)" search_in="var" variable="to" assign_to="all,cause"/>'
    dialled = f'<nop><action>{cause}{"".join(found)}</action></nop><Reference variables="all"/>'
    turns = [f'<nop next="at{code}" test="is{code}"/>' for code in codes]
    refusals = []
    for code in codes:
        refusal = scenarios.respond_to_call(f"{code} Refused", headers=("Reason: Q.850;cause=[$cause]",))
        refusals += [scenarios.mark(f"at{code}"), refusal, scenarios.receive("ACK", then="over")]
    return scenarios.callee(dialled, *steps, *turns, *refusals, scenarios.mark("over"))


S = CallStatus
QUIET: Final = {
    (400, 0): S.FAILED, (401, 0): S.CONGESTION, (402, 0): S.CONGESTION, (403, 0): S.CONGESTION,
    (404, 0): S.INVALID_NUMBER, (405, 0): S.FAILED, (408, 0): S.NOT_AVAILABLE, (410, 0): S.INVALID_NUMBER,
    (415, 0): S.FAILED, (420, 0): S.FAILED, (423, 0): S.FAILED, (433, 0): S.FAILED, (480, 0): S.NOT_AVAILABLE,
    (481, 0): S.FAILED, (482, 0): S.CONGESTION, (483, 0): S.CONGESTION, (484, 0): S.INVALID_NUMBER,
    (485, 0): S.INVALID_NUMBER, (486, 0): S.BUSY, (487, 0): S.NOT_AVAILABLE, (488, 0): S.FAILED,
    (491, 0): S.FAILED, (500, 0): S.CONGESTION, (501, 0): S.FAILED, (502, 0): S.CONGESTION, (503, 0): S.CONGESTION,
    (504, 0): S.CONGESTION, (600, 0): S.BUSY, (603, 0): S.BUSY, (604, 0): S.INVALID_NUMBER, (606, 0): S.FAILED,
    (607, 0): S.CONGESTION, (608, 0): S.CONGESTION, (302, 0): S.NOT_AVAILABLE,
    (480, 1): S.INVALID_NUMBER, (480, 17): S.BUSY, (480, 19): S.NO_ANSWERED, (480, 20): S.NOT_AVAILABLE,
    (480, 34): S.CONGESTION, (403, 54): S.PHONE_BLOCK, (403, 52): S.CONGESTION, (403, 1): S.INVALID_NUMBER,
    (404, 20): S.NOT_AVAILABLE, (404, 87): S.PHONE_BLOCK, (486, 34): S.CONGESTION, (486, 16): S.BUSY,
    (503, 1): S.INVALID_NUMBER, (503, 17): S.BUSY, (503, 27): S.NOT_AVAILABLE, (500, 127): S.CONGESTION,
}  # fmt: skip
RUNG: Final = {
    (403, 0): S.BUSY, (403, 21): S.BUSY, (408, 0): S.NO_ANSWERED, (480, 0): S.NO_ANSWERED, (480, 18): S.NO_ANSWERED,
    (486, 17): S.BUSY, (487, 0): S.NO_ANSWERED, (502, 0): S.NOT_AVAILABLE, (504, 0): S.NO_ANSWERED, (603, 0): S.BUSY,
    (607, 0): S.BUSY,
}  # fmt: skip
"""What a refusal comes to (statuses.md 2.5, 2.6), when it had not rung, and when it had."""


@pytest.mark.parametrize(
    ("steps", "expected", "transport"),
    [
        ((), QUIET, "udp"),
        ((scenarios.respond_to_call("180 Ringing"),), RUNG, "udp"),
        ((scenarios.respond_to_call("183 Session Progress", sdp=True, repeat=False),), {(486, 17): S.BUSY}, "tcp"),
    ],
    ids=["quiet", "rung", "early"],
)
async def test_each_refusal_has_its_status(
    tmp_path: Path, sipp: Sipp, steps: tuple[str, ...], expected: dict[tuple[int, int], CallStatus], transport: str
) -> None:
    uas = sipp.uas(refuser({code for code, _ in expected}, *steps), transport=transport)
    main = trunk(uas, transport, failures_to_rest=1000)
    async with dialing(tmp_path, main=main) as dialer:
        calls = {key: await dialer.call("+8490{:03}{:03}0".format(*key)) for key in expected}
        ends = {key: await dialer.over(call) for key, call in calls.items()}
        found = {key: dialer.verdict(call).status for key, call in calls.items()}
        assert await dialer.telephony.snapshot() == ()
        await dialer.settled()
    assert {key: (end.sip_status, end.q850 or 0) for key, end in ends.items()} == {key: key for key in expected}
    assert {end.ended_by for end in ends.values()} == {EndedBy.REMOTE}
    assert found == expected
    await is_done(uas, len(expected))


async def test_a_503_with_retry_after_gives_the_trunk_its_rest(tmp_path: Path, sipp: Sipp) -> None:
    tired = sipp.uas(scenarios.reject("503 Service Unavailable", headers=("Retry-After: 7",)))
    async with dialing(tmp_path, main=trunk(tired)) as dialer:
        first, second = await dialer.call(), ""
        end = await dialer.over(first)
        assert (end.sip_status, end.retry_after_s, end.ended_by) == (503, 7.0, EndedBy.REMOTE)
        assert (await dialer.until(TrunkClosed)).trunk == "main"
        second = await dialer.call(number(2))
        own = await dialer.over(second)
        assert (own.sip_status, own.ended_by) == (503, EndedBy.DIALER)
        assert 0 < (own.retry_after_s or 0) <= 7
    await is_done(tired)


# --- callers ----------------------------------------------------------------------------------------------------------


@BOTH
async def test_nobody_calls_us_or_through_us(tmp_path: Path, sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.answer())
    async with dialing(tmp_path, main=trunk(uas)) as dialer:
        host, port = dialer.place(transport)
        caller = scenarios.refused(403)
        uac = sipp.uac(f"{host}:{port}", caller, user="84900000001", calls=20, transport=transport, rate=200)
        assert (await uac.finished())[:3] == (20, 20, 0), uac.errors()
        well = sipp.uac(f"{host}:{port}", scenarios.options(), transport=transport)
        assert (await well.finished())[:3] == (1, 1, 0), well.errors()
        assert dialer.events == []
        assert dialer.machine.ua.counters["answered 403"] == 20
        assert (dialer.machine.ua.legs, await dialer.telephony.snapshot()) == (0, ())
        assert {line.partition(" ")[0] for line in dialer.first_lines(sent=RECEIVED)} == {"INVITE", "ACK", "OPTIONS"}
        assert {line.partition(" ")[0] for line in dialer.first_lines()} == {"SIP/2.0"}
    assert uas.stop().calls == 0
