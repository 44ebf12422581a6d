from __future__ import annotations

from dialer.bench.amd.detecting import Detection
from dialer.clock import SystemClock
from simulator.chance import Duration
from simulator.live import SimulatorTelephony
from simulator.profile import CarrierProfile, Shares
from statuses.outcomes import AmdResult

SOON = Duration(0.02, 0.1)


async def test_each_number_has_its_verdict_and_who_refuses_has_none() -> None:
    carrier = CarrierProfile(
        shares=Shares(answer=0.5, machine=0.3, reject=0.2), post_dial_delay=SOON, answer_after=SOON,
        reject_after=SOON, mailbox_after=SOON, amd=True, amd_delay=SOON, amd_missed=0.0, amd_false=0.0,
    )  # fmt: skip
    async with SimulatorTelephony(carrier, clock=SystemClock(), seed=1) as telephony:
        detection = Detection(telephony, trunk="sim", hotline="+842471000001")
        found = await detection.of([f"+849000000{number:02d}" for number in range(40)], rate=1000.0)
    assert len(found) == 40
    assert set(found) == {AmdResult.HUMAN, AmdResult.MACHINE, None}
