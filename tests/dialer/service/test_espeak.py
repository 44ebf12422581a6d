"""The bundled voice speaks both languages, on its own thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dialer.service.audio import for_telephony, seconds_of
from dialer.service.espeak import Espeak
from dialer.speech import VoiceFailed


@pytest.fixture
async def voice() -> AsyncIterator[Espeak]:
    found = Espeak()
    yield found
    await found.close()


async def test_texts_become_speech_that_is_longer_for_more_words_and_differs_by_language(voice: Espeak) -> None:
    short, long, english = await asyncio.gather(
        voice.say("Xin chào", "vi"),
        voice.say("Xin chào chị Lan, cảm ơn chị đã nghe máy của chúng tôi", "vi"),
        voice.say("Xin chào", "en"),
    )
    assert 0.3 < seconds_of(short) < 3.0
    assert seconds_of(long) > 2 * seconds_of(short)
    assert short != english
    assert abs(seconds_of(await voice.say("Xin chào", "vi")) - seconds_of(short)) < 0.1
    assert abs(seconds_of(for_telephony(short)) - seconds_of(short)) < 0.01


@pytest.mark.parametrize(("text", "language"), [("Bonjour", "fr"), ("", "vi")])
async def test_what_it_cannot_say_is_refused(voice: Espeak, text: str, language: str) -> None:
    with pytest.raises(VoiceFailed):
        await voice.say(text, language)
