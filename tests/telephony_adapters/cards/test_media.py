from __future__ import annotations

from dialer.core.events import DigitPressed, MachineDetected, PromptEnded, RecordingEnded
from dialer.core.types import CallId
from statuses.outcomes import AmdResult
from tests.telephony_adapters.cards.faulty import Faulty, changed, never, nothing, sees, twice


async def _noise(_call_id: CallId) -> bytes:
    return b"noise"


async def test_a_prompt_that_ends_twice_or_goes_on_when_it_is_stopped_is_seen() -> None:
    await sees(40, Faulty(twice(PromptEnded)), "one prompt ended more than once")
    await sees(42, Faulty(over={"hush": nothing}), "no PromptEnded within 1 s")


async def test_a_prompt_that_is_said_to_be_played_and_was_not_is_seen() -> None:
    await sees(43, Faulty(changed(PromptEnded, played=True)), "is told as played")


async def test_keys_that_are_lost_or_changed_are_seen() -> None:
    await sees(47, Faulty(changed(DigitPressed, digit="9")), "1, 2, # were pressed")
    await sees(47, Faulty(never(DigitPressed)), "no DigitPressed")


async def test_a_recording_that_is_no_wav_not_told_or_not_dropped_is_seen() -> None:
    await sees(48, Faulty(over={"recording": _noise}), "5 bytes is no WAV file")
    await sees(48, Faulty(never(RecordingEnded)), "no RecordingEnded")
    await sees(49, Faulty(over={"drop_recording": nothing}), "that was dropped is listed")


async def test_a_wrong_verdict_on_who_answered_is_seen() -> None:
    await sees(53, Faulty(changed(MachineDetected, amd=AmdResult.HUMAN)), "a machine was taken for human")
