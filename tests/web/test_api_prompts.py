"""Prompts over HTTP: sound, or why there is none."""

from __future__ import annotations

from pathlib import Path

import httpx
from fastapi import FastAPI

from dialer.service.audio import seconds_of
from dialer.service.espeak import Espeak
from dialer.service.prompts import PromptLibrary
from web.api_prompts import MOST_TEXT, make_prompt_router


async def test_a_prompt_is_served_as_a_call_would_hear_it(tmp_path: Path) -> None:
    prompts = PromptLibrary(tmp_path / "prompts", tmp_path / "kept", Espeak())
    app = FastAPI()
    app.include_router(make_prompt_router(prompts))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        heard = await client.get("/api/prompts", params={"name": "say:en:Hello"})
        assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
        assert seconds_of(heard.content) > 0.2
        gone = await client.get("/api/prompts", params={"name": "gone"})
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "audio")
        assert str(tmp_path) not in gone.text
        long = await client.get("/api/prompts", params={"name": "x" * (MOST_TEXT + 1)})
        assert long.status_code == 422
    await prompts.close()
