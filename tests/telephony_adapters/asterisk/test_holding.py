from __future__ import annotations

from dialer.core.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    MachineDetected,
    PromptEnded,
)
from statuses.outcomes import AmdResult
from tests.telephony_adapters.asterisk.model import BROKEN, Driven
from tests.telephony_adapters.asterisk.scenes import answered, driven, leg_of, placed


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


def detecting(side: Driven) -> str:
    call = placed(side, amd=True)
    side.model.answer(call)
    side.go_on()
    side.machine.play(call, "sound:a")
    side.machine.play(call, "sound:b")
    side.machine.hold(call, on=True)
    side.go_on()
    assert not side.model.playbacks
    return call


def test_a_prompt_waits_until_it_is_known_who_answered() -> None:
    side = driven()
    call = detecting(side)
    side.model.detect(call, "NOTSURE")
    side.go_on()
    played, music = side.sent[-2:]
    assert (played.query["media"], music.path) == ("sound:b", f"/channels/{call}/moh")
    side.model.finish(*side.model.playbacks)
    side.go_on()
    assert side.told[-1] == PromptEnded(call)


def test_a_prompt_that_waits_is_not_played_to_a_machine_nor_when_it_is_stopped() -> None:
    side = driven()
    call = detecting(side)
    side.machine.hush(call)
    side.drain()
    assert side.told[-1] == PromptEnded(call, played=False)
    side.machine.play(call, "sound:c")
    side.model.detect(call, "MACHINE", "LONGGREETING-1500-1500")
    side.go_on()
    assert side.told[-2:] == [MachineDetected(call, AmdResult.MACHINE), PromptEnded(call, played=False)]
    assert not side.model.playbacks


def test_a_call_that_ends_before_its_prompt_is_only_over() -> None:
    side = driven()
    call = detecting(side)
    side.model.end(call)
    side.go_on()
    assert [type(event) for event in side.told] == [CallAnswered, MachineDetected, CallEnded]
