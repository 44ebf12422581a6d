"""The ports of what calls hear: prompts that are ready to be played, and voices that speak texts."""

from __future__ import annotations

from typing import Protocol

from statuses.outcomes import LocalError


class PromptFault(Exception):
    """A prompt cannot be played; `error` is what the call's record says, the message what people must mend."""

    def __init__(self, error: LocalError, message: str) -> None:
        super().__init__(message)
        self.error = error


class Prompts(Protocol):
    """The audio library and the voice behind it."""

    async def ready(self, prompt: str) -> str:
        """Return what the switch is to play for a prompt: the path of a WAV file (8 kHz, mono, 16 bit).

        A prompt is a name of the audio library, or `say:LANGUAGE:TEXT`, which is rendered once. Raises PromptFault.
        """
        ...


class TtsKeyExhausted(Exception):
    """The speech service takes none of its keys any more."""


class VoiceFailed(Exception):
    """The text could not be spoken: another language, a service that is away."""


class Voice(Protocol):
    """Text to speech."""

    name: str
    """Which voice it is: speech of another one is not taken for its."""
    languages: frozenset[str]

    async def say(self, text: str, language: str) -> bytes:
        """Return the speech as a WAV file of any PCM format; raise TtsKeyExhausted or VoiceFailed."""
        ...

    async def close(self) -> None:
        """Give up what it holds."""
        ...
