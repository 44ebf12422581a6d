from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.pacing.agentless import Agentless
from dialer.core.pacing.base import Snapshot
from dialer.core.types import HoldReason
from tests.dialer.core.pacing.snapshots import moment, moments


def test_the_room_is_filled_whoever_is_at_work_and_the_numbers_are_shown() -> None:
    allowance = Agentless().allowance(moment(room=7, ringing=(1.0, 2.0)), now=0.0)
    assert (allowance.dials, allowance.reason) == (7, HoldReason.CAMPAIGN_CAP)
    assert allowance.detail == "room for 7 more calls at once, 2 ringing; no agent is needed"


@given(moments, st.integers(-50, 50))
def test_never_below_zero_and_never_above_the_room(snapshot: Snapshot, room: int) -> None:
    dials = Agentless().allowance(msgspec.structs.replace(snapshot, room=room), now=0.0).dials
    assert dials == max(0, room)
