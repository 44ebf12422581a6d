"""The voices of the greetings: espeak-ng, as a telephone carries it."""

from __future__ import annotations

import io
import subprocess
import wave
from typing import Final

import numpy as np

from dialer.bench.amd.greetings import RATE, Manner, Phrase, Samples
from dialer.bench.sip.programs import found

_BAND_HZ: Final = 3400.0
_TAPS: Final = 101
_QUIET: Final = 0.01


def speak(phrase: Phrase, manner: Manner) -> Samples:
    """Return spoken words at 8 kHz; raise DialerError when espeak-ng is not installed."""
    words = ("-v", phrase.language, "-s", str(manner.speed), "-p", str(manner.pitch), "--stdout", phrase.text)
    said = subprocess.run([found("espeak-ng", "espeak-ng"), *words], check=True, capture_output=True)  # noqa: S603 -- words of ours
    with wave.open(io.BytesIO(said.stdout)) as file:
        rate, raw = file.getframerate(), file.readframes(file.getnframes())
    return _trimmed(telephone(np.frombuffer(raw, "<i2") / 32_768.0, rate))


def telephone(samples: Samples, rate: int) -> Samples:
    """Return samples at `rate` as samples at 8 kHz without what a telephone does not carry above 3400 Hz."""
    at = np.arange(_TAPS) - _TAPS // 2
    low = np.sinc(2.0 * _BAND_HZ / rate * at) * np.hamming(_TAPS)
    smooth = np.convolve(samples, low / low.sum(), mode="same")
    count = round(len(samples) * RATE / rate)
    return np.interp(np.arange(count) * rate / RATE, np.arange(len(samples)), smooth)


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples
