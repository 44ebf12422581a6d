from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from dialer.errors import BadInput, IllegalAction, NotFound
from web.errors import install_error_handlers


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tests")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadInput("the date has no day; write 2026-01-31"), 400, "refused"),
        (NotFound("there is no campaign X"), 404, "not_found"),
        (IllegalAction("cannot start an ended campaign"), 409, "refused"),
    ],
)
async def test_our_errors_have_one_shape_and_their_own_words(error: Exception, status: int, code: str) -> None:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/fail")
    def fail() -> None:
        raise error

    async with client_of(app) as client:
        answer = await client.get("/fail")
    assert answer.status_code == status
    assert answer.json() == {"error": {"code": code, "message": str(error)}}


async def test_a_refused_parameter_is_named_and_its_value_is_not_repeated() -> None:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/ask")
    def ask(limit: int) -> int:
        return limit

    async with client_of(app) as client:
        answer = await client.get("/ask", params={"limit": "849x"})
    assert answer.status_code == 422
    assert "limit" in answer.json()["error"]["message"]
    assert "849x" not in answer.text
