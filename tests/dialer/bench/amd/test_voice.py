from __future__ import annotations

import numpy as np
import pytest

from dialer.bench.amd.greetings import RATE, Manner, Phrase
from dialer.bench.amd.voice import speak, telephone


@pytest.mark.component("espeak-ng")
@pytest.mark.parametrize("phrase", [Phrase("vi", "A lô"), Phrase("en", "Hello")])
def test_words_are_spoken_the_same_way_each_time(phrase: Phrase) -> None:
    said = speak(phrase, Manner(150, 50))
    assert 0.15 < len(said) / RATE < 1.2
    assert np.abs(said).max() > 0.05
    assert np.array_equal(said, speak(phrase, Manner(150, 50)))
    assert len(speak(phrase, Manner(100, 50))) > len(said)


@pytest.mark.parametrize(("hertz", "passes"), [(1000, True), (3000, True), (5000, False)])
def test_a_telephone_carries_no_more_than_it_does(hertz: int, passes: bool) -> None:
    rate = 22_050
    heard = telephone(np.sin(2 * np.pi * hertz * np.arange(rate) / rate), rate)
    assert len(heard) == RATE
    middle = heard[RATE // 4 : -RATE // 4]
    assert (float(np.abs(middle).max()) > 0.7) is passes
    if not passes:
        assert float(np.abs(middle).max()) < 0.05
