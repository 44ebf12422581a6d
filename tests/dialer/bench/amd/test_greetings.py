from __future__ import annotations

from collections import Counter

import numpy as np

from dialer.bench.amd.greetings import LENGTH_S, PEOPLE, RATE, Kind, Manner, Phrase, Samples, corpus


def tone(phrase: Phrase, manner: Manner) -> Samples:
    """Say words as a tone, a tenth of a second a word."""
    words = len(phrase.text.split())
    return np.asarray(np.sin(2 * np.pi * (200 + manner.pitch) * np.arange(words * RATE // 10) / RATE))


def test_each_kind_comes_as_often_and_each_line_is_as_long_as_said() -> None:
    greetings = list(corpus(4, seed=1, speak=tone))
    assert Counter(one.kind for one in greetings) == dict.fromkeys(Kind, 4)
    assert {len(one.sound) for one in greetings} == {round(LENGTH_S * RATE) * 2}
    assert {one.kind for one in greetings if not one.is_machine} == PEOPLE


def test_the_seed_is_the_corpus() -> None:
    assert list(corpus(2, seed=1, speak=tone)) == list(corpus(2, seed=1, speak=tone))
    assert list(corpus(2, seed=1, speak=tone)) != list(corpus(2, seed=2, speak=tone))


def test_each_kind_sounds_as_it_is_called() -> None:
    loud_s = {one.kind: _loud_s(one.sound) for one in corpus(1, seed=3, speak=tone)}
    assert loud_s[Kind.WAITING] == 0.0
    assert 0.3 <= loud_s[Kind.BEEP] <= 1.0
    assert loud_s[Kind.MAILBOX] > loud_s[Kind.CURT_MAILBOX] > loud_s[Kind.HELLO] > 0.05


def _loud_s(sound: bytes) -> float:
    """Return in how many seconds of it something is said: a twentieth of a second counts as a whole."""
    frames = np.abs(np.frombuffer(sound, "<i2").reshape(-1, RATE // 20)).max(axis=1)
    return float(np.count_nonzero(frames > 3000)) / 20
