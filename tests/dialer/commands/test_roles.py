"""Engine, projector and console as processes of their own over one PostgreSQL, on one home folder."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from tests.dialer.centre import Centre, centre_at, until
from tests.dialer.process import Running, run_in, started
from tests.telephony_adapters.tracing.sample import CALL_ID, calls, note_call

pytestmark = [pytest.mark.component("postgresql"), pytest.mark.timeout(300)]


async def address(running: Running) -> str:
    """Return the address that a role printed."""
    return (await running.line_with("http://")).split()[0]


async def ready(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{url}/readyz")).status_code == 200


def environment(centre: Centre) -> dict[str, str]:
    return {
        "DIALER_DATABASE_URL": centre.url,
        "DIALER_DRAIN_S": "15",
        "DIALER_CARRIER_LOG": str(centre.folder / "a-invites.csv"),
    }


@pytest.mark.component("chdb")
async def test_three_roles_do_what_one_process_does(postgres_url: str, tmp_path: Path) -> None:
    async with centre_at(postgres_url, tmp_path) as centre:
        await centre.campaign("spring", leads=200)
        home, env = tmp_path / "home", environment(centre)
        note_call(home / "sip-trace")
        dialing = ("engine", "--health-port", "0", "--carrier", str(centre.scenario))
        async with (
            started(home, *dialing, **env) as engine,
            started(home, "projector", "--health-port", "0", **env) as projector,
            started(home, "web", "--port", "0", **env) as web,
        ):
            urls = [await address(role) for role in (engine, projector, web)]
            for url in urls:
                await until(lambda url=url: ready(url))  # type: ignore[misc]
            await check_pages(*urls, token=json.loads((home / "secrets.json").read_text())["service"])
            await check_commands(home, env, centre)
            for role in (engine, projector, web):
                status, said = await role.stop()
                assert status == 0, said
        code, out, err = await run_in(env, home, "cdr", "verify", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["partitions"][0]["calls"] == len(await centre.attempts())
        await centre.check("a")
        logs = sorted(path.name for path in home.glob("*.log"))
        assert logs == ["engine.log", "projector.log", "web.log"]


async def check_pages(engine: str, projector: str, web: str, *, token: str) -> None:
    """Ask every page for figures, and the console for call records, which are the projector's."""
    bearer = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(trust_env=False) as http:

        async def figure(url: str, pattern: str) -> float:
            found = re.search(rf"^{pattern} (\S+)$", (await http.get(f"{url}/metrics")).text, re.MULTILINE)
            return float(found[1]) if found else -1.0

        async def dials() -> bool:
            return await figure(engine, r'dialer_calls_placed_total\{campaign="\d+"\}') > 5

        await until(dials)
        assert await figure(engine, "dialer_campaigns_owned") == 1
        assert await figure(projector, r'dialer_log_lag_seconds\{part="projector"\}') >= 0
        assert await figure(web, r'dialer_dependency_up\{dependency="database"\}') == 1

        async def records() -> bool:
            counts = [await http.get(f"{url}/api/cdr/count", headers=bearer) for url in (projector, web)]
            assert [answer.status_code for answer in counts] == [200, 200], counts
            return all(answer.json() > 5 for answer in counts)

        await until(records)
        assert (await http.get(f"{engine}/api/cdr/count", headers=bearer)).status_code == 404
        traced = await http.get(f"{web}/api/calls/trace", params={"call_id": CALL_ID}, headers=bearer)
        assert len(traced.json()["steps"]) == len(calls())


async def check_commands(home: Path, env: dict[str, str], centre: Centre) -> None:
    """Let a person look and pause, in a process of its own, as everybody does."""
    code, out, err = await run_in(env, home, "cdr", "search", "--campaign", "spring", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)
    code, out, err = await run_in(env, home, "campaign", "status", "spring", "--json")
    assert (code, err) == (0, "")
    code, _, err = await run_in(env, home, "campaign", "pause", "spring")
    assert (code, err) == (0, "")

    async def at_rest() -> bool:
        return all(one.settled for one in await centre.attempts())

    await until(at_rest)
    before = len(centre.invites("a"))
    assert before == len(await centre.attempts())


async def test_a_console_whose_projector_is_gone_says_so(postgres_url: str, tmp_path: Path) -> None:
    env = {"DIALER_DATABASE_URL": postgres_url.replace("+asyncpg", "")}
    async with started(tmp_path, "web", "--port", "0", **env) as web:
        url = await address(web)
        await until(lambda: ready(url))
        bearer = {"Authorization": f"Bearer {json.loads((tmp_path / 'secrets.json').read_text())['service']}"}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{url}/api/cdr/count", headers=bearer)
        assert answer.status_code == 409
        assert "start `dialer projector`" in answer.json()["error"]["message"]


async def test_a_second_signal_kills_an_engine_that_drains(postgres_url: str, tmp_path: Path) -> None:
    async with centre_at(postgres_url, tmp_path) as centre:
        centre.scenario.write_text(centre.scenario.read_text().replace("prompt_s = 2.0", "prompt_s = 600.0"))
        await centre.campaign("long", leads=30)
        async with centre.dialing("a", DIALER_DRAIN_S="120") as engine:

            async def talks() -> bool:
                return bool(await centre.rows("SELECT 1 FROM attempts WHERE answered_at IS NOT NULL"))

            await until(talks)
            began = time.monotonic()
            engine.process.send_signal(signal.SIGTERM)
            await until(lambda: _left(centre))
            status, _ = await engine.stop()
            assert status == 130
            assert time.monotonic() - began < 60


async def _left(centre: Centre) -> bool:
    """Tell whether it drains: it no longer counts among those that share."""
    return not await centre.rows("SELECT 1 FROM engines")


async def test_one_home_folder_has_one_engine(postgres_url: str, tmp_path: Path) -> None:
    env = {"DIALER_DATABASE_URL": postgres_url.replace("+asyncpg", "")}
    async with started(tmp_path, "engine", "--health-port", "0", **env) as engine:
        await engine.line_with("dialer engine runs")
        for words in (("engine", "--health-port", "0"), ("up", "--port", "0")):
            code, _, err = await run_in(env, tmp_path, *words)
            assert code == 2
            assert f"served by process {engine.process.pid}" in err


@pytest.mark.parametrize(
    ("words", "env", "says"),
    [
        (("relay", "--health-port", "0"), {}, "there is nothing to relay to: set DIALER_KAFKA"),
        (("engine", "--health-port", "0", "--simulate-agents", "x"), {}, "CAMPAIGN=N"),
        (("engine", "--health-port", "0"), {"DIALER_TRUNK": "pigeon"}, "there is no telephony adapter 'pigeon'"),
        (("engine", "--health-port", "0"), {"DIALER_LEASE_S": "1"}, "setting lease_s (DIALER_LEASE_S)"),
    ],
)
async def test_what_a_role_lacks_costs_one_clear_line(
    tmp_path: Path, words: tuple[str, ...], env: dict[str, str], says: str
) -> None:
    code, out, err = await run_in(env, tmp_path / "home", *words)
    assert code == 2, out
    assert says in err
    assert "Traceback" not in err


@pytest.mark.component("chdb")
async def test_a_projector_over_sqlite_reads_what_an_engine_writes_there(tmp_path: Path) -> None:
    async with started(tmp_path, "projector", "--health-port", "0") as projector:
        url = await address(projector)
        await until(lambda: ready(url))
        with sqlite3.connect(tmp_path / "dialer.db") as db:
            assert db.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
        status, said = await projector.stop()
        assert status == 0, said
