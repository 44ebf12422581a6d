"""Greetings as a callee's line sounds after the answer: people, mailboxes, announcements, beeps, silence; by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

RATE: Final = 8000
"""Samples a second: a telephone's."""
LENGTH_S: Final = 8.0
"""Of each line, beyond any detector's time to decide; the rest after the words is the room."""
Samples = npt.NDArray[np.float64]
"""A line's sound, from -1 to 1."""
_ROOM: Final = 0.0008
"""The noise of a quiet room on a telephone, root mean square: 26 of 32,767."""
_LOUD: Final = 0.35


class Kind(StrEnum):
    """What answers. A new one goes into PEOPLE when a person is behind it."""

    HELLO = "short hello"
    NAMED = "hello with a name"
    BUSY_PLACE = "short hello in a loud place"
    WAITING = "person who says nothing"
    MAILBOX = "mailbox"
    CURT_MAILBOX = "mailbox in two words and a beep"
    NETWORK = "network's announcement"
    BEEP = "beep alone"
    DEAD_AIR = "machine that is silent first"


PEOPLE: Final = frozenset({Kind.HELLO, Kind.NAMED, Kind.BUSY_PLACE, Kind.WAITING})


class Phrase(NamedTuple):
    """Words in one of the languages of the bundled voice."""

    language: str
    """`vi` or `en`."""
    text: str


class Manner(NamedTuple):
    """How somebody speaks: words a minute, and pitch from 0 to 99."""

    speed: int
    pitch: int


Speak = Callable[[Phrase, Manner], Samples]
"""Returns spoken words at RATE, without silence of its own worth mentioning."""


class Greeting(NamedTuple):
    """One line to be played from the answer on."""

    kind: Kind
    sound: bytes
    """16-bit little-endian mono at RATE."""

    @property
    def is_machine(self) -> bool:
        """Tell what a detector ought to find."""
        return self.kind not in PEOPLE


_PHRASES: Final[Mapping[Kind, tuple[Phrase, ...]]] = MappingProxyType(
    {
        Kind.HELLO: (
            Phrase("vi", "A lô"), Phrase("vi", "A lô ạ"), Phrase("vi", "Vâng"), Phrase("vi", "A lô, ai đấy"),
            Phrase("en", "Hello"), Phrase("en", "Yes?"), Phrase("en", "Hello, who is it?"),
        ),
        Kind.NAMED: (
            Phrase("vi", "A lô, em Lan nghe ạ"), Phrase("vi", "Dạ, tôi nghe đây"), Phrase("vi", "A lô, Minh xin nghe"),
            Phrase("en", "Hello, this is Anna"), Phrase("en", "Good morning, Peter speaking"),
        ),
        Kind.MAILBOX: (
            Phrase("vi", "Xin chào, tôi hiện không thể nghe máy. Vui lòng để lại lời nhắn sau tiếng bíp."),
            Phrase("vi", "Bạn đang gọi đến hộp thư thoại. Xin vui lòng để lại lời nhắn sau tiếng tút."),
            Phrase("en", "You have reached Anna. I cannot take your call now. Please leave a message after the tone."),
            Phrase("en", "The person you are calling is not available. Please record your message after the beep."),
        ),
        Kind.CURT_MAILBOX: (
            Phrase("vi", "Để lại lời nhắn"), Phrase("en", "Leave a message"), Phrase("en", "Voicemail"),
        ),
        Kind.NETWORK: (
            Phrase("vi", "Thuê bao quý khách vừa gọi tạm thời không liên lạc được, xin quý khách gọi lại sau."),
            Phrase("vi", "Số máy quý khách vừa gọi không đúng. Xin quý khách vui lòng kiểm tra lại."),
            Phrase("en", "The subscriber you are calling cannot be reached now. Please try again later."),
        ),
    }
)  # fmt: skip
_PHRASES_OF: Final = {Kind.BUSY_PLACE: Kind.HELLO, Kind.DEAD_AIR: Kind.MAILBOX}


def corpus(per_kind: int, *, seed: int, speak: Speak) -> Iterator[Greeting]:
    """Yield so many greetings of each kind, one kind after the other; the same for the same seed and voice."""
    for kind in Kind:
        chance = random.Random(f"{seed} {kind}")  # noqa: S311 -- sounds, not secrets
        for number in range(per_kind):
            yield Greeting(kind, _encoded(_line(kind, number, chance, speak)))


def _line(kind: Kind, number: int, chance: random.Random, speak: Speak) -> Samples:
    """Return what one callee's line sounds like."""
    noise = np.random.default_rng(chance.getrandbits(32))
    room = _ROOM * (chance.uniform(8.0, 16.0) if kind is Kind.BUSY_PLACE else chance.uniform(0.5, 2.0))
    line = np.asarray(noise.normal(0.0, room, round(LENGTH_S * RATE)))
    at = chance.uniform(3.0, 4.0) if kind is Kind.DEAD_AIR else chance.uniform(0.2, 1.2)
    if kind is Kind.WAITING:
        return line
    if kind is Kind.BEEP:
        return _laid(line, _beep(chance), at)
    phrases = _PHRASES[_PHRASES_OF.get(kind, kind)]
    words = speak(phrases[number % len(phrases)], Manner(chance.randrange(135, 200, 5), chance.randrange(20, 80, 5)))
    line = _laid(line, _LOUD * words / max(1e-9, float(np.abs(words).max())), at)
    if kind in {Kind.MAILBOX, Kind.CURT_MAILBOX, Kind.DEAD_AIR}:
        line = _laid(line, _beep(chance), at + len(words) / RATE + 0.4)
    return line


def _beep(chance: random.Random) -> Samples:
    hertz, seconds = chance.choice((425.0, 800.0, 1000.0, 1400.0)), chance.uniform(0.3, 1.0)
    return np.asarray(_LOUD * np.sin(2.0 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))


def _laid(line: Samples, sound: Samples, at_s: float) -> Samples:
    """Return the line with a sound over it; what is beyond its end is cut off."""
    at = min(len(line), round(at_s * RATE))
    end = min(len(line), at + len(sound))
    line[at:end] += sound[: end - at]
    return line


def _encoded(line: Samples) -> bytes:
    return bytes((np.clip(line, -1.0, 1.0) * 32_767.0).astype("<i2").tobytes())
