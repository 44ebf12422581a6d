from __future__ import annotations

from hypothesis import given

from dialer.core.pacing.base import Snapshot
from dialer.core.pacing.progressive import Progressive
from dialer.core.types import HoldReason
from tests.dialer.core.pacing.snapshots import moment, moments


def test_each_idle_agent_gets_one_call() -> None:
    allowance = Progressive().allowance(moment(idle=5, ringing=(1.0, 2.0), waiting=1), now=0.0)
    assert allowance.dials == 2
    assert allowance.detail == "5 idle, 2 ringing, 1 waiting: one call per idle agent"


def test_nobody_at_work_means_no_calls_and_says_so() -> None:
    allowance = Progressive().allowance(moment(), now=0.0)
    assert (allowance.dials, allowance.reason) == (0, HoldReason.NO_AGENT)


@given(moments)
def test_every_call_on_its_way_has_an_idle_agent(snapshot: Snapshot) -> None:
    dials = Progressive().allowance(snapshot, now=0.0).dials
    assert dials == 0 or dials + len(snapshot.ringing) + snapshot.waiting == snapshot.idle
