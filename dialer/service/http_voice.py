"""A speech service over HTTP, with keys that are used up one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import httpx

from dialer.speech import TtsKeyExhausted, VoiceFailed

TIMEOUT_S: Final = 10.0
REST_S: Final = 600.0
"""A key that was refused is tried again after this."""
_REFUSED: Final = frozenset({401, 402, 403, 429})
"""The key is wrong, not paid for, or over its quota."""


class HttpVoice:
    """GET a text's speech (WAV) from an address with the places {text}, {language} and perhaps {key}.

    Without the place {key}, keys are sent as `Authorization: Bearer KEY`.
    """

    languages = frozenset({"vi", "en"})

    def __init__(self, url: str, keys: Sequence[str] = ()) -> None:
        self.name = url.partition("?")[0]
        self._url = url
        self._keys = tuple(keys) or ("",)
        self._rests: dict[str, float] = {}
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S)

    async def say(self, text: str, language: str) -> bytes:
        """Ask with the first key that is not used up; raise TtsKeyExhausted when none is left, else VoiceFailed."""
        now = asyncio.get_running_loop().time()
        for key in self._keys:
            if self._rests.get(key, 0.0) > now:
                continue
            try:
                answer = await self._ask(text, language, key)
            except httpx.HTTPError as error:
                raise VoiceFailed(f"the speech service does not answer ({type(error).__name__})") from error
            if answer.status_code not in _REFUSED:
                return _speech(answer)
            self._rests[key] = now + REST_S
        raise TtsKeyExhausted(f"the speech service takes none of its {len(self._keys)} keys")

    async def _ask(self, text: str, language: str, key: str) -> httpx.Response:
        url = self._url.replace("{text}", quote(text, safe="")).replace("{language}", language)
        if "{key}" in url:
            return await self._client.get(url.replace("{key}", quote(key, safe="")))
        return await self._client.get(url, headers={"Authorization": f"Bearer {key}"} if key else {})

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _speech(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise VoiceFailed(f"the speech service says {answer.status_code}")
    return answer.content
