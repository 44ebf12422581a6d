"""Prompts that are ready to be played, rendered once, kept within bounds; and what is told of those that are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from dialer.service.audio import RATE, seconds_of, wav_of
from dialer.service.prompts import AsNamed, PromptLibrary
from dialer.speech import PromptFault, TtsKeyExhausted, VoiceFailed
from statuses.outcomes import LocalError


class Humming:
    """A voice that hums a tenth of a second a letter, and counts what it was asked."""

    name = "hum"
    languages = frozenset({"vi"})

    def __init__(self) -> None:
        self.said: list[str] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def say(self, text: str, language: str) -> bytes:
        self.said.append(f"{language}:{text}")
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return wav_of(np.zeros(16_000 * len(text) // 10), 16_000)

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def voice() -> Humming:
    return Humming()


def library(folder: Path, voice: Humming, **more: int) -> PromptLibrary:
    return PromptLibrary(folder / "prompts", folder / "kept", voice, **more)


def length(path: str) -> float:
    return seconds_of(Path(path).read_bytes())


def drop(path: str) -> None:
    Path(path).unlink()


async def test_a_text_is_rendered_once_for_all_who_wait_and_for_the_next_process(
    tmp_path: Path, voice: Humming
) -> None:
    prompts = library(tmp_path, voice)
    voice.gate.clear()
    waiting = [asyncio.create_task(prompts.ready("say:vi:Chào Lan")) for _ in range(20)]
    while not voice.said:  # noqa: ASYNC110 -- until the first of them has come to the voice
        await asyncio.sleep(0)
    waiting[0].cancel()
    voice.gate.set()
    paths = await asyncio.gather(*waiting[1:])
    assert len(set(paths)) == 1
    assert length(paths[0]) == pytest.approx(0.8)
    assert voice.said == ["vi:Chào Lan"]
    again = library(tmp_path, voice)
    assert await again.ready("say:vi:Chào Lan") == paths[0]
    assert (voice.said, again.rendered) == (["vi:Chào Lan"], 0)
    drop(paths[0])
    assert await again.ready("say:vi:Chào Lan") == paths[0]
    assert len(voice.said) == 2
    await prompts.close()
    await again.close()


async def test_recordings_are_made_ready_and_a_new_one_replaces_the_old(tmp_path: Path, voice: Humming) -> None:
    prompts = library(tmp_path, voice)
    (tmp_path / "prompts").mkdir()
    file = tmp_path / "prompts" / "chào.wav"
    file.write_bytes(wav_of(np.zeros(22_050), 22_050))
    first = await prompts.ready("chào")
    assert length(first) == pytest.approx(1.0, abs=0.001)
    assert await prompts.ready("chào") == first
    file.write_bytes(wav_of(np.zeros(2 * RATE)))
    assert await prompts.ready("chào") != first
    assert prompts.names() == ["chào"]
    await prompts.close()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("gone", "there is no recording"),
        ("../secret", "no name of the audio library"),
        ("broken", "not a WAV file"),
    ],
)
async def test_a_recording_that_cannot_be_played_is_named(
    tmp_path: Path, voice: Humming, prompt: str, words: str
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "broken.wav").write_bytes(b"no sound")
    (tmp_path / "secret.wav").write_bytes(wav_of(np.zeros(10)))
    prompts = library(tmp_path, voice)
    with pytest.raises(PromptFault, match=words) as caught:
        await prompts.ready(prompt)
    assert caught.value.error is LocalError.AUDIO
    await prompts.close()


@pytest.mark.parametrize(
    ("error", "fault"),
    [(TtsKeyExhausted("no key"), LocalError.TTS_KEY), (VoiceFailed("away"), LocalError.VOICE)],
)
async def test_a_voice_that_fails_is_told_apart_and_asked_again_the_next_time(
    tmp_path: Path, voice: Humming, error: Exception, fault: LocalError
) -> None:
    prompts = library(tmp_path, voice)
    voice.error = error
    with pytest.raises(PromptFault) as caught:
        await prompts.ready("say:vi:x")
    assert caught.value.error is fault
    voice.error = None
    assert await prompts.say("x", "vi")
    await prompts.close()


async def test_what_is_kept_stays_within_its_bound_and_what_was_used_last_stays(tmp_path: Path, voice: Humming) -> None:
    prompts = library(tmp_path, voice, most_bytes=5_000)  # a letter is 1,644 bytes
    for text in "abc":
        await prompts.ready(f"say:vi:{text}")
        await prompts.ready("say:vi:a")
    await prompts.ready("say:vi:d")
    kept = list((tmp_path / "kept").glob("*.wav"))
    assert sum(path.stat().st_size for path in kept) <= 5_000
    before = len(voice.said)
    await prompts.ready("say:vi:a")
    assert len(voice.said) == before
    await prompts.ready("say:vi:b")
    assert len(voice.said) == before + 1
    await prompts.close()


async def test_a_switch_that_knows_its_prompts_by_name_is_told_the_name() -> None:
    assert await AsNamed().ready("sorry") == "sorry"
