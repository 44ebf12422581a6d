from __future__ import annotations

import pytest

from dialer.core.events import (
    CallAnswered,
    CallConnected,
    MachineDetected,
)
from statuses.outcomes import AmdResult
from tests.telephony_adapters.asterisk.scenes import driven, leg_of, over, placed


@pytest.mark.parametrize(
    ("status", "cause", "amd"),
    [
        ("HUMAN", "HUMAN-800-800", AmdResult.HUMAN),
        ("MACHINE", "LONGGREETING-1500-1500", AmdResult.MACHINE),
        ("MACHINE", "INITIALSILENCE-2500-2500", AmdResult.NOTSURE),
        ("NOTSURE", "TOOLONG-4000", AmdResult.NOTSURE),
        ("", "", AmdResult.NOTSURE),
    ],
)
def test_who_answered(status: str, cause: str, amd: AmdResult) -> None:
    side = driven()
    call = placed(side, amd=True)
    side.model.answer(call)
    side.go_on()
    assert side.told[-1] == CallAnswered(call)
    assert side.sent[-1].query == {"context": "dialer-amd", "extension": "s", "priority": "1"}
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.model.answer(leg_of(side))
    side.go_on()
    assert CallConnected(call, "a1") not in side.told
    side.model.detect(call, status, cause)
    side.go_on()
    assert side.told[-2:] == [MachineDetected(call, amd), CallConnected(call, "a1")]


def test_who_hangs_up_while_it_is_found_out() -> None:
    side = driven()
    call = placed(side, amd=True)
    side.model.answer(call)
    side.go_on()
    side.model.end(call)
    side.go_on()
    assert side.told[-2] == MachineDetected(call, AmdResult.HANGUP)
    assert over(side).sip_status == 200
