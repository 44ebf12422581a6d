from __future__ import annotations

from dialer.core.events import RecordingEnded
from tests.telephony_adapters.asterisk.model import BROKEN
from tests.telephony_adapters.asterisk.scenes import answered, driven


def test_recordings_are_named_by_call_and_told_of() -> None:
    side = driven()
    call = answered(side)
    side.machine.record(call, 2.5)
    side.go_on()
    assert side.sent[-1].query == {
        "name": f"dialer.rec.{call}", "format": "wav", "ifExists": "append", "maxDurationSeconds": "3",
    }  # fmt: skip
    assert side.machine.recorder.is_recording(call)
    side.machine.stop_recording(call)
    side.go_on()
    assert side.told[-1] == RecordingEnded(call, 1.0)
    assert set(side.model.legs) == {call}
    side.machine.record(call, None)
    side.drain()
    side.send(call, status=BROKEN)
    side.go_on()
    assert side.told[-1] == RecordingEnded(call, None)


def test_a_recording_that_is_stopped_before_it_began() -> None:
    side = driven()
    call = answered(side)
    side.machine.record(call, 60.0)
    side.machine.stop_recording(call)
    side.go_on()
    assert side.told[-1] == RecordingEnded(call, None)
    assert set(side.model.legs) == {call}
    side.machine.record(call, 60.0)
    side.go_on()
    assert side.machine.recorder.is_recording(call)
