from __future__ import annotations

import pytest

from dialer.core.events import CallEnded, CallTransferred
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
        assert set(side.model.bridges) == {"dialer.desk.a1."}
    else:
        side.model.end(third, 17, 486)
        side.go_on()
        assert side.told[-1] == CallTransferred(call, done=False)
        assert side.model.legs[call].bridge == side.model.legs[agent].bridge == "dialer.desk.a1."


@pytest.mark.parametrize("reaches", [True, False])
def test_an_agent_who_hangs_up_leaves_the_customer_to_the_other_number(reaches: bool) -> None:
    side = driven()
    call = joined(side)
    side.machine.transfer(call, phone=PHONE, hotline=HOTLINE)
    side.go_on()
    side.model.end(leg_of(side))
    side.go_on()
    third = next(name for name in side.model.legs if ".third." in name)
    assert not any(isinstance(event, CallEnded) for event in side.told)
    if reaches:
        side.model.answer(third)
        side.go_on()
        assert side.told[-1] == CallTransferred(call)
        side.model.end(call)
        side.go_on()
        assert over(side, call).ended_by is EndedBy.REMOTE
    else:
        side.model.end(third, 17, 486)
        side.go_on()
        assert side.told[-2] == CallTransferred(call, done=False)
        assert over(side, call).ended_by is EndedBy.AGENT
    assert not [name for name in side.model.bridges if ".talk." in name]
