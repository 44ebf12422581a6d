from __future__ import annotations

import pytest

from dialer.core.events import CallArrived, CallEnded
from statuses.outcomes import CancelReason, EndedBy, LocalError
from telephony_adapters.asterisk.board import LOOK_AGAIN_S
from tests.telephony_adapters.asterisk.scenes import answered, driven, joined, over, placed


def test_a_hang_up_is_asked_again_until_the_call_is_gone() -> None:
    side = driven()
    call = answered(side)
    side.machine.hangup(call, 0.0, reason=CancelReason.ADMIN)
    side.drain()
    side.send(call, status=500)
    assert call in side.model.legs
    side.wait(LOOK_AGAIN_S)
    assert over(side, call) == CallEnded(call, sip_status=200, q850=16, ended_by=EndedBy.DIALER)
    assert not side.model.legs


@pytest.mark.parametrize("is_answered", [True, False])
def test_an_end_that_nobody_heard(is_answered: bool) -> None:
    side = driven()
    call = answered(side) if is_answered else placed(side)
    side.model.end(call)
    side.model.says.clear()
    side.machine.hangup(call, 0.0, reason=CancelReason.ADMIN)
    side.go_on()
    side.wait(LOOK_AGAIN_S)
    assert over(side, call).sip_status == (200 if is_answered else 487)


def test_a_caller_who_vanished_hung_up() -> None:
    side = driven()
    side.model.arrive("1764.1")
    side.go_on()
    (arrived,) = side.told
    assert isinstance(arrived, CallArrived)
    side.model.end("1764.1")
    side.resync()
    assert over(side, arrived.call_id) == CallEnded(arrived.call_id, q850=16, ended_by=EndedBy.REMOTE)


def test_with_a_call_all_that_was_there_for_it_goes() -> None:
    side = driven()
    call = joined(side)
    side.machine.record(call, None)
    side.go_on()
    side.machine.endings.vanished(side.machine.board.calls[call])
    side.go_on()
    assert over(side, call).local_error is LocalError.LOST
    assert set(side.model.legs) == {call, *(name for name in side.model.legs if ".tap." in name)}
    side.resync()  # it comes to light that Asterisk has it all the same
    side.go_on()
    assert not side.model.legs
