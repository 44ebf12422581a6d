"""What a callee's line sounds like, as G.711 frames of 20 ms: ringback, a voice's stand-in, recordings, silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Frames: TypeAlias = tuple[bytes, ...]
Samples: TypeAlias = npt.NDArray[np.float64]

RATE: Final = 8000
"""Samples a second."""
FRAME_MS: Final = 20
FRAME: Final = RATE * FRAME_MS // 1000
"""Samples, and bytes, of one packet."""
PCMU: Final = 0
PCMA: Final = 8
_LOUDNESS: Final = 0.3
_PEAK: Final = 32_767.0
_BIAS, _CLIP = 33, 8158  # ITU-T G.711, on the 14-bit scale of mu-law


class Sound(StrEnum):
    """What is heard."""

    SILENCE = "silence"
    RINGBACK = "ringback"
    """425 Hz, 1 s on, 4 s off (ITU-T E.180: Viet Nam)."""
    VOICE = "voice"
    """440 Hz: somebody is there."""
    RECORDING = "recording"
    """The special information tones, then a second of nothing (ITU-T E.180)."""
    BEEP = "beep"
    """A mailbox: 1000 Hz for half a second, then it listens."""


_PATTERNS: Final[Mapping[Sound, Sequence[tuple[float, float]]]] = MappingProxyType(
    {
        Sound.SILENCE: ((0.0, 0.02),),
        Sound.RINGBACK: ((425.0, 1.0), (0.0, 4.0)),
        Sound.VOICE: ((440.0, 1.0),),
        Sound.RECORDING: ((950.0, 0.34), (1400.0, 0.34), (1800.0, 0.34), (0.0, 1.0)),
        Sound.BEEP: ((1000.0, 0.5), (0.0, 9.5)),
    }
)
"""Hertz and seconds, one after the other; whole frames each."""


@lru_cache(maxsize=32)
def frames(sound: Sound, payload_type: int) -> Frames:
    """Return the frames of a sound, to be repeated for ever; payload type 0 (PCMU) or 8 (PCMA)."""
    samples = np.concatenate([_tone(hertz, seconds) for hertz, seconds in _PATTERNS[sound]])
    data = to_alaw(samples) if payload_type == PCMA else to_ulaw(samples)
    return tuple(data[at : at + FRAME] for at in range(0, len(data), FRAME))


def _tone(hertz: float, seconds: float) -> Samples:
    count = round(seconds * RATE / FRAME) * FRAME
    return np.asarray(_LOUDNESS * np.sin(2.0 * np.pi * hertz * np.arange(count) / RATE))


def to_ulaw(samples: Samples) -> bytes:
    """Encode samples in -1..1 as G.711 mu-law."""
    value = np.rint(samples * _PEAK).astype(np.int64)
    sign = np.where(value < 0, 0x80, 0)
    size = np.minimum(np.abs(value) >> 2, _CLIP) + _BIAS
    segment = np.clip(np.floor(np.log2(size)).astype(np.int64) - 5, 0, 7)
    code = sign | (segment << 4) | ((size >> (segment + 1)) & 0x0F)
    return bytes((~code & 0xFF).astype(np.uint8).tobytes())


def to_alaw(samples: Samples) -> bytes:
    """Encode samples in -1..1 as G.711 A-law."""
    value = np.rint(samples * _PEAK).astype(np.int64) >> 3
    sign = np.where(value < 0, 0, 0x80)
    size = np.minimum(np.where(value < 0, -value - 1, value), 4095)
    segment = np.where(size < 32, 0, np.floor(np.log2(np.maximum(size, 1))).astype(np.int64) - 4)  # noqa: PLR2004
    code = sign | (segment << 4) | ((size >> np.maximum(segment, 1)) & 0x0F)
    return bytes(((code ^ 0x55) & 0xFF).astype(np.uint8).tobytes())
