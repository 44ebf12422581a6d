from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from dialer.bench.load import MAX_LIVE, Load, Seen
from dialer.bench.load_trunk import TARGET, loader, trunk_to
from dialer.clock import SystemClock
from telephony_adapters.trunks.model import TrunksFile
from telephony_adapters.trunks.setup import Plant
from tests.dialer.bench.carriers import ANSWERS, BUSY, RINGS, carrier


def load(*numbers: str, **more: Any) -> Load:
    return Load(**({"trunk": TARGET, "numbers": numbers or (ANSWERS,), "hotline": "+84240000000"} | more))


def capped(file: TrunksFile, **caps: Any) -> TrunksFile:
    trunk = msgspec.structs.replace(file.trunks[TARGET], **caps)
    return msgspec.structs.replace(file, trunks={TARGET: trunk})


async def made(what: Load, *, stop_after_s: float | None = None, transport: str = "udp", **caps: Any) -> Seen:
    """Place a load's calls to a carrier, and return what was seen; no call may be left over."""
    async with carrier(transport) as place:
        plant = Plant(capped(trunk_to(str(place)), **caps), key=b"test")
        async with loader(plant, what, SystemClock()) as found:
            if stop_after_s is not None:
                asyncio.get_running_loop().call_later(stop_after_s, found.stop)
            await found.run()
            assert found.live == 0
            assert plant.machine.snapshot() == []
    return found.seen


async def test_calls_begin_at_their_times_and_each_is_answered_and_hung_up() -> None:
    seen = await made(load(rate=50.0, duration_s=0.4, hold_s=0.05, drain_s=2.0))
    assert (seen.due, seen.placed, seen.answered, seen.cut_off) == (20, 20, 20, 0)
    assert seen.codes == {200: 20}
    assert len(seen.to_answer_s) == len(seen.late_s) == 20
    assert 0 < min(seen.to_answer_s) <= max(seen.to_answer_s) < seen.elapsed_s
    assert seen.elapsed_s >= 0.38
    assert 1 <= seen.live_peak <= 20
    assert 0 < seen.cpu_s <= seen.elapsed_s


async def test_in_a_closed_loop_no_more_calls_are_up_than_asked_for() -> None:
    seen = await made(load(calls=12, at_once=3), transport="tcp")
    assert (seen.due, seen.answered) == (12, 12)
    assert seen.live_peak <= 3
    assert seen.late_s == []


async def test_numbers_are_called_in_turn_and_their_codes_are_counted() -> None:
    seen = await made(load(ANSWERS, BUSY, calls=6, at_once=1))
    assert seen.codes == {200: 3, 486: 3}
    assert seen.answered == 3
    assert not seen.no_response


async def test_what_rings_for_too_long_is_cancelled() -> None:
    seen = await made(load(RINGS, calls=2, at_once=2, ring_s=0.2))
    assert seen.codes == {487: 2}
    assert len(seen.to_ringing_s) == seen.placed == 2
    assert seen.answered == seen.cut_off == 0


async def test_what_says_nothing_at_all_counts_as_no_response() -> None:
    """Our own CANCEL has to wait for a provisional response, so that the trunk's own limit is what ends the call."""
    nobody = trunk_to("udp:127.0.0.1:9")
    async with loader(Plant(nobody, key=b"test"), load(calls=1, at_once=1), SystemClock()) as found:
        await found.run()
    assert sum(found.seen.no_response.values()) == found.seen.placed == 1
    assert not found.seen.codes


async def test_the_trunks_own_caps_and_rules_refuse_calls_of_which_nothing_leaves() -> None:
    seen = await made(load(ANSWERS, "+8419001234", rate=40.0, duration_s=0.1, hold_s=9.0), channels=1)
    assert (seen.due, seen.placed) == (4, 1)
    assert seen.refused_here == {"not_allowed: premium rate (841900)": 2, "trunk: channels": 1}


async def test_the_load_tests_own_limit_refuses_too() -> None:
    seen = await made(load(rate=40.0, duration_s=0.1, hold_s=9.0, max_live=3))
    assert seen.refused_here == {MAX_LIVE: 1}
    assert seen.live_peak == seen.cut_off == 3


async def test_it_can_be_stopped_and_ends_every_call() -> None:
    seen = await made(load(rate=50.0, duration_s=60.0, hold_s=60.0, drain_s=60.0), stop_after_s=0.3)
    assert seen.interrupted
    assert 1 <= seen.placed <= 16
    assert seen.cut_off == seen.placed
    assert seen.codes.total() == seen.placed  # the last one may be answered as it is given up
    assert seen.elapsed_s < 5.0


@pytest.mark.parametrize("seed", [7, 8])
async def test_poisson_moments_come_from_the_seed(seed: int) -> None:
    def moments(seed: int) -> list[float]:
        from dialer.bench.load import Loader  # noqa: PLC0415 -- beside its private part

        return list(Loader(None, load(rate=100.0, duration_s=2.0, poisson=True, seed=seed))._times())  # type: ignore[arg-type]

    assert moments(seed) == moments(seed) != moments(seed + 1)
    assert 120 < len(moments(seed)) < 280
    assert moments(seed) == sorted(moments(seed))
    assert moments(seed)[-1] < 2.0
