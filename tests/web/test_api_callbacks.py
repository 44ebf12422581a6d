"""Callbacks over HTTP."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

from store.open import open_database
from store.upgrade import upgrade
from tests.crm.test_callbacks import appointed
from tests.crm.worlds import NOW, campaign, lead, people
from web.api_callbacks import make_callback_router
from web.errors import install_error_handlers


async def test_the_list_is_json_and_one_is_marked_as_done(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'dialer.db'}")
    await upgrade(engine)
    campaign_id = await campaign(engine)
    (only,) = await people(engine, tmp_path, 1)
    await appointed(engine, only, NOW)
    app = FastAPI()
    install_error_handlers(app)
    app.add_middleware(SessionMiddleware, secret_key="not a secret")
    app.include_router(make_callback_router(cast("Any", SimpleNamespace(engine=engine, now=lambda: NOW))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        found = (await http.get("/api/callbacks", params={"campaign_id": campaign_id, "day": "2027-01-15"})).json()
        assert [(row["key"], row["reason"]) for row in found["rows"]] == [(f"lead-{only}", "appointment")]
        assert (await http.get("/api/callbacks", params={"day": "soon"})).status_code == 422
        assert (await http.post("/api/callbacks/done", params={"key": "task-9"})).status_code == 404
        assert (await http.post("/api/callbacks/done", params={"key": f"lead-{only}"})).status_code == 204
        assert (await http.get("/api/callbacks")).json()["total"] == 0
    assert (await lead(engine, only)).state == "success"
    await engine.dispose()
