"""The bundled voice: espeak-ng, in this process, on a thread of its own (the library keeps one state for all)."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final

import espeakng_loader
import numpy as np

from dialer.service.audio import wav_of
from dialer.speech import VoiceFailed

# speak_lib.h of espeak-ng 1.5x
_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_DONT_EXIT: Final = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8: Final = 1  # espeakCHARS_UTF8
_RATE: Final = 1  # espeakRATE
_WORDS_PER_MINUTE: Final = 150
_SYNTH: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ALONE: Final = threading.Lock()
"""Several voices of one process share the library."""
_VOICES: Final = {"vi": b"vi", "en": b"en-us"}


class Espeak:
    """Speak Vietnamese and English without any service."""

    name = "espeak-ng"
    languages = frozenset(_VOICES)

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="espeak")

    async def say(self, text: str, language: str) -> bytes:
        """Return the speech as a WAV file; raise VoiceFailed for another language, or a text without a word."""
        if language not in _VOICES:
            raise VoiceFailed(f"{self.name} does not speak {language!r}; it speaks {', '.join(sorted(self.languages))}")
        return await asyncio.get_running_loop().run_in_executor(self._thread, _spoken, text, language)

    async def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class _Library:
    """The shared library, open; only one thread at a time may use it."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        folder = str(espeakng_loader.get_data_path()).encode()
        self.rate = int(self._lib.espeak_Initialize(_SYNCHRONOUS, 0, folder, _DONT_EXIT))
        if self.rate <= 0:
            raise VoiceFailed("espeak-ng finds no voices beside its library")
        self._pieces: list[bytes] = []
        self._callback: Callable[..., Any] = _SYNTH(self._heard)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_SetParameter(_RATE, _WORDS_PER_MINUTE, 0)

    def speak(self, text: str, language: str) -> bytes:
        self._pieces.clear()
        said = text.encode() + b"\0"
        if self._lib.espeak_SetVoiceByName(_VOICES[language]) != 0:
            raise VoiceFailed(f"espeak-ng has no voice for {language!r}")
        if self._lib.espeak_Synth(said, ctypes.c_size_t(len(said)), 0, 0, 0, _UTF8, None, None) != 0:
            raise VoiceFailed("espeak-ng could not speak the text")
        return b"".join(self._pieces)

    def _heard(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0


@lru_cache(1)
def _library() -> _Library:
    return _Library()


def _spoken(text: str, language: str) -> bytes:
    if not any(letter.isalnum() for letter in text):
        raise VoiceFailed("there is no word in the text")
    with _ALONE:
        library = _library()
        heard = library.speak(text, language)
    return wav_of(np.frombuffer(heard, "<i2").astype(np.float64) / 32_768.0, library.rate)
