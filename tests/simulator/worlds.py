"""Small worlds for tests."""

from __future__ import annotations

from datetime import datetime

from simulator.chance import Duration, Shape
from simulator.profile import AgentProfile, CarrierProfile, Fate, Shares
from simulator.scenario import CampaignPlan, Scenario
from simulator.world import World

START = datetime.fromisoformat("2026-03-02T08:00:00+07:00")


def constant(seconds: float) -> Duration:
    return Duration(seconds, 0.0, Shape.CONSTANT)


def only(fate: Fate, **changes: object) -> CarrierProfile:
    """Return a carrier that knows one fate, with round numbers for durations."""
    settings: dict[str, object] = {
        "post_dial_delay": constant(2.0),
        "answer_after": constant(10.0),
        "ring_out_after": constant(25.0),
        "reject_after": constant(7.0),
        "announcement": constant(6.0),
        "mailbox_after": constant(20.0),
        "talk": constant(60.0),
        "machine_talk": constant(8.0),
        "patience": constant(4.0),
        "amd_delay": constant(1.5),
        "agent_hangs_up": 0.0,
    }
    return CarrierProfile(shares=Shares(**{fate.value: 1.0}), **(settings | changes))  # type: ignore[arg-type]


def scenario(carrier: CarrierProfile, *plans: CampaignPlan, hours: float = 0.5, title: str = "a test") -> Scenario:
    return Scenario(title=title, starts_at=START, hours=hours, carrier=carrier, campaigns=plans or (plan(),))


def plan(**changes: object) -> CampaignPlan:
    settings: dict[str, object] = {"leads": 200, "agents": AgentProfile(count=4, arrive_within_s=1.0)}
    return CampaignPlan(**(settings | changes))  # type: ignore[arg-type]


def run(carrier: CarrierProfile, *plans: CampaignPlan, hours: float = 0.5, seed: int = 7) -> World:
    world = World(scenario(carrier, *plans, hours=hours), seed=seed)
    world.run()
    return world
