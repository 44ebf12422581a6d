"""`dialer config`: what is in force, where it came from, and whether it answers."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.dialer.process import run, run_in
from tests.plugins.mosquitto import Mosquitto


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_show_names_every_setting_and_its_source_and_no_password(tmp_path: Path) -> None:
    (tmp_path / "dialer.toml").write_text("drain_s = 5\n")
    url, broker = "postgresql://u:geheim@127.0.0.1:1/d", "mqtt://u:geheim@127.0.0.1:1"
    secret = {"DIALER_DATABASE_URL": url, "DIALER_MQTT_URL": broker, "DIALER_KAFKA_PASSWORD": "geheim"}
    code, out, err = await run_in(secret, tmp_path, "config", "show", "--json")
    assert (code, err) == (0, "")
    rows = {row["setting"]: row for row in json.loads(out)}
    assert rows["database_url"]["value"] == "postgresql://u:***@127.0.0.1:1/d"
    assert (rows["mqtt_url"]["value"], rows["mqtt_url"]["from"]) == ("mqtt://u:***@127.0.0.1:1", "DIALER_MQTT_URL")
    assert (rows["database_url"]["from"], rows["drain_s"]["from"]) == (
        "DIALER_DATABASE_URL", str(tmp_path / "dialer.toml"),
    )  # fmt: skip
    assert rows["kafka_password"]["value"] == "***"
    code, out, _ = await run_in(secret, tmp_path, "config", "show")
    assert code == 0
    assert "geheim" not in out
    assert listed(tmp_path) == ["dialer.toml"], "nothing is made"


async def test_check_of_the_embedded_default_makes_nothing(tmp_path: Path) -> None:
    code, out, err = await run(tmp_path / "home", "config", "check")
    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["ok", "home:"], ["ok", "database:"], ["ok", "kafka:"], ["ok", "clickhouse:"], ["ok", "mqtt:"],
        ["ok", "recordings:"],
    ]  # fmt: skip
    assert listed(tmp_path) == []


async def test_check_tells_everything_that_does_not_answer_without_its_password(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, err = await run(
            tmp_path, "config", "check", "--json", DIALER_KAFKA=address,
            DIALER_DATABASE_URL=f"postgresql://u:geheim@{address}/d",
            DIALER_CLICKHOUSE_URL=f"http://u:geheim@{address}/d", DIALER_MQTT_URL=f"mqtt://u:geheim@{address}",
        )  # fmt: skip
    assert (code, err) == (2, "")
    found = {row["what"]: row for row in json.loads(out)}
    assert {what: row["ok"] for what, row in found.items()} == {
        "home": True, "database": False, "kafka": False, "clickhouse": False, "mqtt": False, "recordings": True,
    }  # fmt: skip
    assert all(address in row["words"] for what, row in found.items() if what not in {"home", "recordings"})
    assert "geheim" not in out


async def test_check_of_a_database_that_is_there(tmp_path: Path, postgres_url: str) -> None:
    url = postgres_url.replace("+asyncpg", "")
    code, out, _ = await run(tmp_path, "config", "check", DIALER_DATABASE_URL=url)
    assert code == 0
    assert "tables will be made at the first start" in out
    assert (await run(tmp_path, "campaign", "list", DIALER_DATABASE_URL=url))[0] == 0
    code, out, _ = await run(tmp_path, "config", "check", DIALER_DATABASE_URL=url)
    assert code == 0
    assert "PostgreSQL" in out
    assert "is this program's" in out
    password = url.split(":")[2].split("@")[0]
    assert password not in out
    wrong = url.replace(password, "wrong")
    code, out, _ = await run(tmp_path, "config", "check", DIALER_DATABASE_URL=wrong)
    assert (code, "password authentication failed" in out) == (2, True)


async def test_check_of_a_broker_that_is_there(tmp_path: Path, mosquitto: Mosquitto) -> None:
    password = urlsplit(mosquitto.url).password or ""
    code, out, err = await run(tmp_path, "config", "check", DIALER_MQTT_URL=mosquitto.url)
    assert (code, err) == (0, "")
    assert re.search(r"^ok +mqtt: mqtt://\S+ answers; the user \w+ is let in$", out, re.MULTILINE), out
    for wrong, says in (
        (mosquitto.url.replace(password, "geheim"), r"refuses the user \w+: check DIALER_MQTT_URL"),
        (re.sub("//.*@", "//", mosquitto.url), "takes nobody without user and password"),
        (mosquitto.url.replace("mqtt:", "http:"), "must be mqtt://HOST:1883"),
    ):
        code, out, err = await run(tmp_path, "config", "check", DIALER_MQTT_URL=wrong)
        assert (code, err) == (2, "")
        assert re.search(rf"^FAIL +mqtt: .*{says}", out, re.MULTILINE), out
        assert password not in out
        assert "geheim" not in out


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"DIALER_DATABSE_URL": "x"}, "did you mean DIALER_DATABASE_URL?"),
        ({"DIALER_CONFIG": "/nowhere.toml"}, "cannot read the settings file /nowhere.toml"),
        ({"DIALER_DATABASE_URL": "mysql://u:geheim@h/d"}, "must be sqlite:///PATH or postgresql://"),
        ({"DIALER_DATABASE_URL": "u:geheim@h"}, "is not a database URL"),
    ],
)
async def test_a_mistake_costs_one_clear_line_without_a_password(
    tmp_path: Path, env: dict[str, str], says: str
) -> None:
    code, out, err = await run_in(env, tmp_path, "campaign", "list")
    assert (code, out) == (2, "")
    assert says in err
    assert "://u:geheim" not in err
