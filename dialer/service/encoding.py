"""Make of a switch's WAV file what is kept: the file as it is, or an MP3 of one channel."""

from __future__ import annotations

import io
import wave
from typing import Final

import lameenc
import msgspec
import numpy as np
from numpy.typing import NDArray

from dialer.recordings import RecordingFormat

_RATES_KBIT: Final = ((8_000, 24), (16_000, 32))
"""Up to which sample rate speech needs no more than that many kilobits a second."""
_MOST_KBIT: Final = 64
_QUALITY: Final = 7
"""LAME's faster end: of a telephone's band the slower ones make nothing better."""


class Unreadable(Exception):
    """The switch's file is no WAV file of plain samples."""


class Encoded(msgspec.Struct, frozen=True):
    """A file to keep, and how long it plays."""

    data: bytes
    seconds: float


def encode(wav: bytes, kind: RecordingFormat) -> Encoded:
    """Return the file to keep; raise Unreadable. It takes a processor for a thousandth of the talk: use a thread."""
    rate, samples = _read(wav)
    seconds = len(samples) / rate
    return Encoded(wav if kind is RecordingFormat.WAV else _mp3(rate, samples), seconds)


def _read(wav: bytes) -> tuple[int, NDArray[np.int16]]:
    """Return the sample rate and the samples, two channels mixed to one."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            frames = file.readframes(file.getnframes())
    except Exception as error:  # the module of the standard library fails in many ways at bytes that make no sense
        raise Unreadable(f"no WAV file: {str(error) or type(error).__name__}") from error
    if width not in {1, 2} or not 8_000 <= rate <= 48_000:  # noqa: PLR2004 -- what LAME and telephones know
        raise Unreadable(f"{8 * width} bits at {rate} Hz; 8 or 16 bits at 8000 to 48000 Hz can be kept")
    whole = frames[: len(frames) - len(frames) % (width * channels)]
    if width == 1:
        samples = (np.frombuffer(whole, np.uint8).astype(np.int16) - 128) * 256
    else:
        samples = np.frombuffer(whole, "<i2").astype(np.int16)
    return rate, samples.reshape(-1, channels).mean(axis=1).astype(np.int16) if channels > 1 else samples


def _mp3(rate: int, samples: NDArray[np.int16]) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(rate)
    encoder.set_bit_rate(next((kbit for up_to, kbit in _RATES_KBIT if rate <= up_to), _MOST_KBIT))
    encoder.set_quality(_QUALITY)
    return bytes(encoder.encode(samples.tobytes()) + encoder.flush())
