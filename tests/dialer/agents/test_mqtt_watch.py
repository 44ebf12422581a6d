"""An engine watches the broker that its settings name, and says in `/readyz` when it is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.dialer.centre import until
from tests.dialer.process import run, started
from tests.plugins.mosquitto import Mosquitto


async def readiness(url: str) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{url}/readyz")
    return answer.status_code, answer.json()


async def test_an_engine_is_ready_while_the_broker_answers_and_goes_on_without_it(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with started(tmp_path, "engine", "--health-port", "0", DIALER_MQTT_URL=mosquitto.url) as engine:
        url = (await engine.line_with("http://")).split()[0]

        async def is_ready() -> bool:
            return (await readiness(url))[0] == 200

        async def is_not_ready() -> bool:
            return not await is_ready()

        await until(is_ready)
        mosquitto.stop()
        await until(is_not_ready)
        _, found = await readiness(url)
        assert "cannot be reached" in str(found)
        mosquitto.start()
        await until(is_ready)
        status, said = await engine.stop()
    assert status == 0, said
    written = said + (tmp_path / "engine.log").read_text()
    assert '"dependency.down"' in written
    assert (urlsplit(mosquitto.url).password or "?") not in written


async def test_an_engine_with_an_address_that_is_none_does_not_start(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path, "engine", "--health-port", "0", DIALER_MQTT_URL="mosquitto:1883")
    assert code == 2
    assert "DIALER_MQTT_URL must be mqtt://HOST:1883" in err
