"""What telephony plays, from WAV files of other formats."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from dialer.service.audio import RATE, NotAudio, for_telephony, seconds_of, wav_of


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def packed(samples: np.ndarray, rate: int, width: int, channels: int = 1) -> bytes:
    out = io.BytesIO()
    scaled = np.repeat(samples, channels) * 2.0 ** (8 * width - 1)
    if width == 1:
        raw = (scaled + 128).astype(np.uint8).tobytes()
    else:
        raw = np.rint(scaled).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    with wave.open(out, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        writer.writeframes(raw)
    return out.getvalue()


def spectrum_peak(wav: bytes) -> tuple[float, float]:
    """Return the loudest frequency and the effective amplitude."""
    with wave.open(io.BytesIO(wav)) as reader:
        assert reader.getparams()[:3] == (1, 2, RATE)
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2") / 32_768.0
    found = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(found)) * RATE / len(samples), float(samples.std())


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 6_000])
@pytest.mark.parametrize(("width", "channels"), [(2, 1), (2, 2), (1, 1), (3, 2), (4, 1)])
def test_a_tone_stays_the_same_tone(rate: int, width: int, channels: int) -> None:
    wav = for_telephony(packed(tone(440.0, rate), rate, width, channels))
    at, loud = spectrum_peak(wav)
    assert abs(at - 440.0) < 3.0
    assert abs(loud - 0.5 / 2**0.5) < 0.02
    assert abs(seconds_of(wav) - 0.5) < 0.001


def test_what_the_new_rate_cannot_hold_does_not_come_back_as_noise() -> None:
    _, loud = spectrum_peak(for_telephony(packed(tone(6_000.0, 44_100), 44_100, 2)))
    assert loud < 0.01


def test_a_file_that_is_right_already_is_left_alone() -> None:
    right = wav_of(tone(440.0, RATE))
    assert for_telephony(right) is right


@pytest.mark.parametrize("wrong", [b"", b"ID3 mp3", wav_of(tone(440.0, RATE))[:30], packed(np.zeros(0), 16_000, 2)])
def test_what_is_no_sound_is_refused_in_words(wrong: bytes) -> None:
    with pytest.raises(NotAudio):
        for_telephony(wrong)
