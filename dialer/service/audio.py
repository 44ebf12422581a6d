"""WAV files of any PCM format, and what telephony plays: 8 kHz, mono, 16 bit."""

from __future__ import annotations

import io
import wave
from typing import Final

import numpy as np
import numpy.typing as npt

RATE: Final = 8_000
MAX_BYTES: Final = 64_000_000
_TAPS: Final = 127
_PASS: Final = 0.45
"""What lies above this share of the new rate is taken out before it is thinned: it would come back as noise."""

Samples = npt.NDArray[np.float64]


class NotAudio(ValueError):
    """The bytes are no WAV file that can be read; the message says why."""


def for_telephony(wav: bytes) -> bytes:
    """Return a WAV file of 8 kHz, mono, 16 bit; one that is so already is returned as it is. Raises NotAudio."""
    if len(wav) > MAX_BYTES:
        raise NotAudio(f"larger than {MAX_BYTES // 1_000_000} MB")
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            channels, width, rate, frames = reader.getparams()[:4]
            raw = reader.readframes(frames)
    except (wave.Error, EOFError, RuntimeError) as error:
        raise NotAudio(f"not a WAV file of PCM samples ({error})") from error
    if (channels, width, rate) == (1, 2, RATE):
        return wav
    if not raw or not rate:
        raise NotAudio("there is no sound in it")
    samples = _samples(raw, width).reshape(-1, channels).mean(axis=1)
    return wav_of(_resampled(samples, rate))


def wav_of(samples: Samples, rate: int = RATE) -> bytes:
    """Return samples between -1 and 1 as a mono WAV file of 16 bit."""
    whole = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(whole.tobytes())
    return out.getvalue()


def seconds_of(wav: bytes) -> float:
    """Return how long a WAV file is."""
    with wave.open(io.BytesIO(wav)) as reader:
        return float(reader.getnframes() / reader.getframerate())


def _samples(raw: bytes, width: int) -> Samples:
    """Return PCM samples between -1 and 1: 8 bit is unsigned, wider ones are signed and little-endian."""
    if width == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float64) - 128.0) / 128.0
    padded = np.zeros((len(raw) // width, 4), np.uint8)
    padded[:, 4 - width :] = np.frombuffer(raw, np.uint8).reshape(-1, width)
    return padded.view("<i4").ravel().astype(np.float64) / 2.0**31


def _resampled(samples: Samples, rate: int) -> Samples:
    if rate == RATE:
        return samples
    if rate > RATE:
        samples = np.convolve(samples, _low_pass(_PASS * RATE / rate), mode="same")
    times = np.arange(int(len(samples) * RATE / rate)) * (rate / RATE)
    return np.asarray(np.interp(times, np.arange(len(samples)), samples), np.float64)


def _low_pass(cut: float) -> Samples:
    """Return a windowed sinc filter; `cut` is a share of the sampling rate."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = 2 * cut * np.sinc(2 * cut * at) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), np.float64)
