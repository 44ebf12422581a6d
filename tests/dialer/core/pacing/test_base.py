from __future__ import annotations

from dialer.core.pacing.base import Allowance
from dialer.core.types import HoldReason
from tests.dialer.core.pacing.snapshots import moment


def test_everybody_who_works_is_an_agent() -> None:
    assert moment(idle=2, talking=(1.0, 5.0, 9.0), wrapping=(2.0,), ringing=(1.0,), waiting=3).agents == 6


def test_an_allowance_is_limited_by_pacing_unless_it_says_otherwise() -> None:
    assert Allowance(3).reason is HoldReason.PACING
