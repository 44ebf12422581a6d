from __future__ import annotations

import io
import wave

import pytest

from simulator.tape import KEPT, LONGEST_S, RATE, Tapes


def length_s(data: bytes) -> float:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return float(file.getnframes() / RATE)


def test_a_recording_is_a_tone_of_its_length() -> None:
    tapes = Tapes()
    tapes.keep("c1", 2.5)
    tapes.keep("c2", 0.0)
    assert tapes.calls() == ("c1", "c2")
    assert length_s(tapes.wav("c1")) == 2.5
    assert length_s(tapes.wav("c2")) == 0.0
    assert tapes.wav("c1") == tapes.wav("c1")
    assert max(tapes.wav("c1")[44:]) > 0


def test_a_call_that_is_recorded_again_has_both_parts_and_no_more_than_an_hour() -> None:
    tapes = Tapes()
    tapes.keep("c1", 1.0)
    tapes.keep("c1", 2.0)
    assert length_s(tapes.wav("c1")) == 3.0
    tapes.keep("c1", 10 * LONGEST_S)
    assert length_s(tapes.wav("c1")) == LONGEST_S


def test_what_was_dropped_or_never_made_is_not_there() -> None:
    tapes = Tapes()
    tapes.keep("c1", 1.0)
    for _ in range(2):
        tapes.drop("c1")
    with pytest.raises(LookupError, match="no recording of call c1"):
        tapes.wav("c1")


def test_the_oldest_make_room() -> None:
    tapes = Tapes()
    for number in range(KEPT + 2):
        tapes.keep(str(number), 1.0)
    assert len(tapes.calls()) == KEPT
    assert tapes.calls()[0] == "2"
