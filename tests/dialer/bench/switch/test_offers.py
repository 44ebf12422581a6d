from __future__ import annotations

import pytest

from dialer.bench.switch.offers import Offered, Offerer, Offers
from dialer.clock import SystemClock
from simulator.chance import Duration
from simulator.live import SimulatorTelephony
from simulator.profile import CarrierProfile, Shares

SOON = Duration(0.02, 0.1)
CARRIER = CarrierProfile(
    shares=Shares(answer=1.0), post_dial_delay=SOON, answer_after=SOON, talk=Duration(60.0, 0.1), amd=False
)


async def offered(agents: int) -> Offered:
    offers = Offers(
        trunk="sim", numbers=("+84900000001",), hotline="+842471000001", agents=tuple(f"a{n}" for n in range(agents)),
        rate=50.0, duration_s=0.2, talk_s=0.5,
    )  # fmt: skip
    async with SimulatorTelephony(CARRIER, clock=SystemClock(), seed=1) as telephony:
        offerer = Offerer(telephony, offers)
        await offerer.run()
    return offerer.seen


@pytest.mark.parametrize(("agents", "joined"), [(10, 10), (4, 4)])
async def test_each_who_answers_is_joined_while_there_are_agents(agents: int, joined: int) -> None:
    seen = await offered(agents)
    assert (seen.calls, seen.answered, seen.not_joined) == (10, 10, 0)
    assert (seen.joined, seen.without_agent) == (joined, 10 - joined)
    assert len(seen.to_agent_s) == joined
    assert min(seen.to_agent_s) >= 0.0
    assert len(seen.late_s) == 10
