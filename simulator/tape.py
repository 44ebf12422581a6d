"""Recordings that the simulated switch keeps: their length, and a tone of that length when somebody wants to hear."""

from __future__ import annotations

import io
import math
import wave
from array import array

from dialer.core.types import CallId

RATE = 8000
KEPT = 1000
"""Recordings that are kept; the oldest make room."""
LONGEST_S = 3600.0
"""A longer recording is cut."""
_LOUD = 6000
_LOWEST_HZ, _PITCHES, _STEP_HZ = 300, 40, 10


class Tapes:
    """Finished recordings by call, oldest first; a call that is recorded again has one tape of both parts."""

    def __init__(self) -> None:
        self._seconds: dict[CallId, float] = {}

    def keep(self, call_id: CallId, seconds: float) -> None:
        """Keep a recording."""
        self._seconds[call_id] = min(self._seconds.pop(call_id, 0.0) + seconds, LONGEST_S)
        if len(self._seconds) > KEPT:
            del self._seconds[next(iter(self._seconds))]

    def calls(self) -> tuple[CallId, ...]:
        """Return the calls whose recordings are kept."""
        return tuple(self._seconds)

    def wav(self, call_id: CallId) -> bytes:
        """Return the recording as a WAV file (8 kHz, 16 bit, mono); raise LookupError when there is none."""
        seconds = self._seconds.get(call_id)
        if seconds is None:
            raise LookupError(f"the simulated switch keeps no recording of call {call_id}")
        frames = round(seconds * RATE)
        second = _tone(_LOWEST_HZ + _STEP_HZ * (sum(call_id.encode()) % _PITCHES))
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((second * (frames // RATE + 1))[: 2 * frames])
        return file.getvalue()

    def drop(self, call_id: CallId) -> None:
        """Forget a recording; an unknown id is ignored."""
        self._seconds.pop(call_id, None)


def _tone(pitch_hz: int) -> bytes:
    """Return one second of a tone; with whole hertz, seconds join without a click."""
    turn = 2 * math.pi * pitch_hz / RATE
    samples = array("h", (round(_LOUD * math.sin(turn * place)) for place in range(RATE)))
    return samples.tobytes()
