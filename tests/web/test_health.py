"""The page of a process without a console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from cdr.verify import Report
from web.health import create_health_app

TOKEN = "the service token of the tests"


class Calls:
    """Call records of a process that has them; only what is asked here."""

    @property
    def cdr(self) -> Any:
        return self

    async def verify(self, positions: Mapping[int, int]) -> Report:
        assert positions == {0: 7}
        return Report(())


def client(health: dict[str, str], calls: Calls | None = None) -> httpx.AsyncClient:
    app = create_health_app(lambda: health, lambda: "dialer_info 1\n", calls=calls, service_token=TOKEN)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


@pytest.mark.parametrize(("database", "status"), [("ok", 200), ("does not answer", 503)])
async def test_readiness_names_each_dependency(database: str, status: int) -> None:
    async with client({"database": database, "log": "ok"}) as http:
        answer = await http.get("/readyz")
        assert answer.status_code == status
        assert answer.json()["dependencies"] == {"database": database, "log": "ok"}
        assert (await http.get("/livez")).status_code == 200


async def test_figures_are_plain_text() -> None:
    async with client({}) as http:
        answer = await http.get("/metrics")
        assert answer.text == "dialer_info 1\n"
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_call_records_want_the_token_and_are_not_there_without_records() -> None:
    async with client({}, Calls()) as http:
        path = "/api/cdr/verify?upto=0:7"
        assert (await http.get(path)).status_code == 401
        for sent in ("Bearer", "Bearer x", f"Basic {TOKEN}"):
            assert (await http.get(path, headers={"Authorization": sent})).status_code == 401, sent
        answer = await http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.json()) == (200, {"partitions": []})
    async with client({}) as http:
        assert (await http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 404
