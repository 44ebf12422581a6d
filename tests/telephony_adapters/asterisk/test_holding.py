from __future__ import annotations

from dialer.core.events import (
    CallConnected,
    PromptEnded,
)
from tests.telephony_adapters.asterisk.model import BROKEN
from tests.telephony_adapters.asterisk.scenes import answered, driven, leg_of


def test_who_waits_hears_music_until_joined() -> None:
    side = driven()
    call = answered(side)
    side.machine.hold(call, on=True)
    side.machine.play(call, "sound:please-wait")
    side.machine.hold(call, on=True)
    side.machine.connect(call, "a1", 0.0)
    side.go_on()
    side.model.answer(leg_of(side))
    side.go_on()
    assert side.told[-2:] == [PromptEnded(call), CallConnected(call, "a1")]
    assert side.model.legs[call].bridge == "dialer.desk.a1."
    side.machine.hold(call, on=True)
    side.go_on()
    assert side.model.legs[call].bridge is None
    assert side.sent[-1].path == f"/channels/{call}/moh"
    side.machine.hold(call, on=False)
    side.go_on()
    assert side.model.legs[call].bridge == "dialer.desk.a1."


def test_a_prompt_is_over_once() -> None:
    side = driven()
    call = answered(side)
    side.machine.play(call, "sound:a")
    side.go_on()
    side.machine.hush(call)
    side.go_on()
    side.machine.play(call, "sound:b")
    side.drain()
    side.send(call, status=BROKEN)
    side.go_on()
    assert side.told[-2:] == [PromptEnded(call), PromptEnded(call, played=False)]
