from __future__ import annotations

import pytest

from dialer.core.events import (
    CallTransferred,
)
from statuses.outcomes import EndedBy
from tests.telephony_adapters.asterisk.scenes import HOTLINE, PHONE, driven, joined, leg_of, over


@pytest.mark.parametrize("reaches", [True, False])
def test_a_call_is_sent_on(reaches: bool) -> None:
    side = driven()
    call = joined(side)
    agent = leg_of(side)
    side.machine.transfer(call, phone=PHONE, hotline=HOTLINE)
    side.go_on()
    (third,) = side.model.legs.keys() - {call, agent}
    if reaches:
        side.model.answer(third)
        side.go_on()
        assert side.told[-1] == CallTransferred(call)
        assert set(side.model.legs) == {call, third}
        side.model.end(third)
        side.go_on()
        assert over(side, call).ended_by is EndedBy.REMOTE
    else:
        side.model.end(third, 17, 486)
        side.go_on()
        assert side.told[-1] == CallTransferred(call, done=False)
        assert side.model.legs[call].bridge == side.model.legs[agent].bridge == "dialer.desk.a1."
