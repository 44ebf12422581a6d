"""What calls would hear, for the console's pages."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import FileResponse, Response

from dialer.speech import PromptFault, Prompts
from web.errors import problem

MOST_TEXT: Final = 2_000
"""A longer text is not spoken here."""


def make_prompt_router(prompts: Prompts) -> APIRouter:
    """Serve prompts as WAV files to whoever is signed in."""
    router = APIRouter()

    @router.get("/api/prompts")
    async def prompt(name: Annotated[str, Query(max_length=MOST_TEXT)]) -> Response:
        try:
            path = await prompts.ready(name)
        except PromptFault as fault:
            return problem(404, fault.error.value, f"this prompt cannot be played ({fault.error.value})")
        return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    return router
