"""The audio library in the home folder, and speech that is rendered once and kept."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from dialer.core.script import SAY
from dialer.service.audio import NotAudio, for_telephony
from dialer.speech import PromptFault, TtsKeyExhausted, Voice, VoiceFailed
from statuses.outcomes import LocalError

log = logging.getLogger(__name__)

READY_S: Final = 20.0
"""A prompt that takes longer to render counts as one that cannot be spoken."""
_NAME: Final = re.compile(r"\w[\w.-]{0,79}")
_FORMAT: Final = b"8k16 1"
"""Part of what a kept file is named by: another format is another file."""


class AsNamed:
    """Prompts of a switch that knows them by their names."""

    async def ready(self, prompt: str) -> str:
        """Return the name."""
        return prompt


class PromptLibrary:
    """Prompts from `folder`/NAME.wav and from a voice; what had to be rendered or converted is kept in `kept`.

    At most `most_bytes` are kept, those used last; what is asked for by several calls at once is rendered once.
    """

    def __init__(self, folder: Path, kept: Path, voice: Voice, *, most_bytes: int = 500_000_000) -> None:
        self._folder = folder
        self._kept = kept
        self._voice = voice
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._making: dict[str, asyncio.Task[None]] = {}
        self._has_looked = False
        self.rendered = 0
        """How many files had to be made."""

    async def ready(self, prompt: str) -> str:
        """Return the path of a WAV file (8 kHz, mono, 16 bit); raise PromptFault."""
        if not self._has_looked:
            self._has_looked = True
            await self._look()
        if prompt.startswith(SAY):
            language, _, text = prompt.removeprefix(SAY).partition(":")
            return await self._spoken(text.strip(), language)
        return await self._recorded(prompt)

    async def say(self, text: str, language: str) -> bytes:
        """Return a text's speech as telephony plays it; raise PromptFault."""
        path = Path(await self._spoken(text, language))
        return await asyncio.to_thread(path.read_bytes)

    def names(self) -> list[str]:
        """List the audio library."""
        return sorted(path.stem for path in self._folder.glob("*.wav"))

    async def close(self) -> None:
        """Stop rendering."""
        for task in tuple(self._making.values()):
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await self._voice.close()

    async def _spoken(self, text: str, language: str) -> str:
        name = _hash(self._voice.name, language, text)

        async def make() -> bytes:
            try:
                return await asyncio.wait_for(self._voice.say(text, language), READY_S)
            except TtsKeyExhausted as error:
                raise PromptFault(LocalError.TTS_KEY, str(error)) from error
            except (VoiceFailed, TimeoutError) as error:
                raise PromptFault(LocalError.VOICE, str(error) or "the voice takes too long") from error

        return await self._have(name, make)

    async def _recorded(self, name: str) -> str:
        path = self._folder / f"{name}.wav"
        if not _NAME.fullmatch(name):
            raise PromptFault(LocalError.AUDIO, f"{name!r} is no name of the audio library")
        try:
            known = path.stat()
        except OSError as error:
            raise PromptFault(LocalError.AUDIO, f"there is no recording {path}: {error.strerror}") from error

        async def make() -> bytes:
            try:
                return await asyncio.to_thread(path.read_bytes)
            except OSError as error:
                raise PromptFault(LocalError.AUDIO, f"cannot read {path}: {error.strerror}") from error

        return await self._have(_hash("file", name, f"{known.st_mtime_ns} {known.st_size}"), make)

    async def _have(self, name: str, make: Callable[[], Awaitable[bytes]]) -> str:
        path = self._kept / name
        if name in self._sizes and path.exists():
            self._sizes.move_to_end(name)
            return str(path)
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self._make(name, make))
            task.add_done_callback(lambda done: self._made(name, done))
        await asyncio.shield(task)
        return str(path)

    def _made(self, name: str, task: asyncio.Task[None]) -> None:
        self._making.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have waited to the end

    async def _make(self, name: str, make: Callable[[], Awaitable[bytes]]) -> None:
        sound = await make()
        try:
            size = await asyncio.to_thread(self._write, name, sound)
        except NotAudio as error:
            raise PromptFault(LocalError.AUDIO, f"a recording cannot be played: {error}") from error
        except OSError as error:
            raise PromptFault(LocalError.AUDIO, f"cannot keep a prompt in {self._kept}: {error.strerror}") from error
        self.rendered += 1
        self._sizes[name] = size
        await self._prune()

    def _write(self, name: str, sound: bytes) -> int:
        ready = for_telephony(sound)
        self._kept.mkdir(parents=True, exist_ok=True)
        part = self._kept / f".{name}.{os.getpid()}"
        part.write_bytes(ready)
        part.replace(self._kept / name)
        return len(ready)

    async def _look(self) -> None:
        """Learn what earlier processes kept, the oldest first."""
        for _, name, size in await asyncio.to_thread(_files, self._kept):
            self._sizes[name] = size
        await self._prune()

    async def _prune(self) -> None:
        gone: list[Path] = []
        held = sum(self._sizes.values())
        while held > self._most_bytes and len(self._sizes) > 1:
            name, size = self._sizes.popitem(last=False)
            held -= size
            gone.append(self._kept / name)
        for path in gone:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _files(folder: Path) -> list[tuple[float, str, int]]:
    found = [(path.name, path.stat()) for path in folder.glob("*.wav")]
    return sorted((known.st_mtime, name, known.st_size) for name, known in found)


def _hash(*parts: str) -> str:
    told = hashlib.sha256(_FORMAT)
    for part in parts:
        told.update(part.encode() + b"\0")
    return f"{told.hexdigest()}.wav"
