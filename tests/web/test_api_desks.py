"""The API of agents' desks, over a real store (docs/manual.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import act, create
from dialer.core.campaign import CampaignAction
from dialer.core.effects import AnswerRequest
from dialer.core.types import CallWindow, CampaignKind, CampaignSettings, Slot
from dialer.ports import Owned
from store.lead_store import SqlLeadStore
from store.open import open_database
from store.upgrade import upgrade
from web.api_desks import make_desk_router
from web.deps import WebDeps
from web.errors import install_error_handlers

NOW = 1_800_000_000.0
SETTINGS = CampaignSettings(
    0, "Tay", kind=CampaignKind.MANUAL, window=CallWindow(weekdays=((Slot(0, 1440),),) * 7), hotlines=("19001000",)
)
ASKED: dict[str, Any] = {"campaign": "Tay", "agent": "an", "number": "0900000044"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_database(f"sqlite:///{tmp_path / 'dialer.db'}")
    await upgrade(engine)
    await create(engine, SETTINGS, now=NOW)
    for action in (CampaignAction.APPROVE, CampaignAction.START):
        await act(engine, "Tay", action, now=NOW)
    yield engine
    await engine.dispose()


@pytest.fixture
async def http(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_error_handlers(app)
    deps = WebDeps(
        engine=engine,
        cdr=None,  # type: ignore[arg-type]  # no call record is asked for
        now=lambda: NOW,
        session_secret="",
        service_token="",
        health=dict,
    )
    app.include_router(make_desk_router(deps))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_a_call_is_asked_for_and_what_the_engine_says_is_told_in_words(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    store = SqlLeadStore(engine)
    fence = await store.acquire(1, owner="a", now=NOW, ttl_s=30.0)
    assert fence is not None
    made = await http.post("/api/desks/dial", json=ASKED)
    assert made.status_code == 202
    number = made.json()["request_id"]
    assert (await http.get(f"/api/desks/requests/{number}")).json()["state"] == "asked"
    await store.requests([fence], now=NOW, fresh_s=10.0)
    await store.commit([Owned(fence, AnswerRequest(number, "dnc"))], now=NOW)
    told = (await http.get(f"/api/desks/requests/{number}")).json()
    assert (told["state"], told["code"], told["message"]) == ("refused", "dnc", "Registered as do-not-call (DNC)")


@pytest.mark.parametrize(
    ("action", "body", "status", "words"),
    [
        ("dance", ASKED, 404, "a desk cannot dance; it can: dial, hang-up, hold"),
        ("dial", {"campaign": "Tay"}, 400, "send JSON like"),
        ("dial", {**ASKED, "more": 1}, 400, "send JSON like"),
        ("dial", {**ASKED, "number": "1"}, 400, "no number that can be called"),
        ("dial", {**ASKED, "campaign": "Tai"}, 404, "there is no campaign"),
        ("hang-up", {"campaign": "Tay", "agent": "an"}, 409, "no dialing service runs it"),
    ],
)
async def test_what_cannot_be_done_is_said(
    http: httpx.AsyncClient, action: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = await http.post(f"/api/desks/{action}", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]
    assert "0900000044" not in answer.text


async def test_an_unknown_request_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/desks/requests/9")).status_code == 404
