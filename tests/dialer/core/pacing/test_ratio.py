from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from dialer.core.pacing.base import Snapshot
from dialer.core.pacing.ratio import Ratio
from dialer.core.types import HoldReason
from tests.dialer.core.pacing.snapshots import moment, moments


@pytest.mark.parametrize(
    ("idle", "ratio", "expected"), [(3, 1.0, 3), (3, 2.0, 6), (1, 1.5, 1), (2, 1.5, 3), (10, 1.1, 11), (0, 5.0, 0)]
)
def test_so_many_calls_per_idle_agent(idle: int, ratio: float, expected: int) -> None:
    assert Ratio().allowance(moment(idle=idle, ratio=ratio, talking=(3.0,)), now=0.0).dials == expected


def test_calls_on_their_way_count_and_the_numbers_are_shown() -> None:
    allowance = Ratio().allowance(moment(idle=4, ratio=2.0, ringing=(1.0, 2.0), waiting=1), now=0.0)
    assert allowance.dials == 5
    assert allowance.detail == "4 idle x 2, 2 ringing, 1 waiting"


def test_the_highest_ratio_caps() -> None:
    assert Ratio().allowance(moment(idle=4, ratio=9.0, max_ratio=3.0), now=0.0).dials == 12


def test_nobody_at_work_means_no_calls_and_says_so() -> None:
    allowance = Ratio().allowance(moment(ratio=3.0), now=0.0)
    assert (allowance.dials, allowance.reason) == (0, HoldReason.NO_AGENT)


@given(moments)
def test_never_above_its_cap_and_never_fewer_for_one_more_idle_agent(snapshot: Snapshot) -> None:
    dials = Ratio().allowance(snapshot, now=0.0).dials
    more = msgspec.structs.replace(snapshot, idle=snapshot.idle + 1)
    in_flight = dials + len(snapshot.ringing) + snapshot.waiting
    assert dials == 0 or in_flight <= min(snapshot.ratio, snapshot.max_ratio) * snapshot.idle + 1e-6
    assert Ratio().allowance(more, now=0.0).dials >= dials
