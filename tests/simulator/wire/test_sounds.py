from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.wire.sounds import FRAME, PCMA, PCMU, Sound, frames, to_alaw, to_ulaw


def from_ulaw(code: int) -> float:
    """Decode by the segments of ITU-T G.711, table 2."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 1) + 33) << (code >> 4 & 7)
    return (-1 if code & 0x80 else 1) * (size - 33) / 8192


def from_alaw(code: int) -> float:
    """Decode by the segments of ITU-T G.711, table 1."""
    code ^= 0x55
    segment, low = code >> 4 & 7, (code & 0x0F) << 1
    size = low + 1 if segment == 0 else (low + 33) << (segment - 1)
    return (1 if code & 0x80 else -1) * size / 4096


@given(st.floats(-1, 1))
@example(-0.027125796040694317)  # the first of its segment, and negative
def test_a_sample_survives_encoding_within_the_steps_of_its_segment(sample: float) -> None:
    one = np.array([sample])
    assert from_ulaw(to_ulaw(one)[0]) == pytest.approx(sample, rel=0.04, abs=0.001)
    assert from_alaw(to_alaw(one)[0]) == pytest.approx(sample, rel=0.04, abs=0.001)


def test_known_codes() -> None:
    """The values that everybody's encoder gives for silence, the smallest steps and the peaks."""
    samples = np.array([0.0, 1.0, -1.0])
    assert to_ulaw(samples) == bytes([0xFF, 0x80, 0x00])
    assert to_alaw(samples) == bytes([0xD5, 0xAA, 0x2A])


@pytest.mark.parametrize("payload_type", [PCMU, PCMA])
@pytest.mark.parametrize("sound", Sound)
def test_every_sound_is_whole_frames(sound: Sound, payload_type: int) -> None:
    made = frames(sound, payload_type)
    assert {len(frame) for frame in made} == {FRAME}
    silence = bytes([0xFF if payload_type == PCMU else 0xD5]) * FRAME
    assert (silence in made) == (sound is not Sound.VOICE)
    assert frames(sound, payload_type) is made


def test_a_ringback_rings_one_second_in_five() -> None:
    made = frames(Sound.RINGBACK, PCMA)
    loud = [frame != bytes([0xD5]) * FRAME for frame in made]
    assert (len(made), loud) == (250, [True] * 50 + [False] * 200)


def test_the_voice_is_440_hertz() -> None:
    samples = [from_ulaw(code) for frame in frames(Sound.VOICE, PCMU) for code in frame]
    spectrum = np.abs(np.fft.rfft(samples))
    assert int(np.argmax(spectrum)) == 440
    assert max(samples) == pytest.approx(0.3, abs=0.02)
