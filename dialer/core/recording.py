"""Have the switch record a call; where the recording goes then is not the engine's business (docs/recordings.md)."""

from __future__ import annotations

from dialer.core.calls import Call
from dialer.core.effects import Record
from dialer.core.events import RecordingEnded
from dialer.core.state import EngineState


def record(state: EngineState, call: Call, *, limit_s: float | None = None) -> None:
    """Order a recording from now on, of at most `limit_s`; one that goes on stays as it is, whoever orders it again."""
    if call.recording:
        return
    call.recording = True
    state.effects.append(Record(call.call_id, limit_s))


def count_recording(state: EngineState, event: RecordingEnded) -> None:
    """Count what the switch did not record; a whole recording is fetched by the process that runs the engine."""
    call = state.calls.get(event.call_id)
    if call is not None and call.recording:
        call.recording = False
    if event.seconds is None:
        state.totals.unrecorded += 1
