"""The broker of compose.yaml: the real Mosquitto starts with that very command, configuration and list of rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.agents.mqtt_at import MqttAt
from dialer.errors import BadInput
from tests.plugins.mosquitto import CONFIG, LocalMosquitto, greeting, local_mosquitto

pytestmark = pytest.mark.component("mosquitto")


@pytest.fixture
def broker() -> Iterator[LocalMosquitto]:
    with local_mosquitto() as server:
        yield server


async def test_nobody_is_let_in_without_the_password(broker: LocalMosquitto) -> None:
    assert greeting(broker.port) == 5, "not authorised"
    with pytest.raises(BadInput, match="takes nobody without user and password"):
        await MqttAt("127.0.0.1", broker.port).ask()
    with pytest.raises(BadInput, match="refuses the user dialer"):
        await MqttAt("127.0.0.1", broker.port, user="dialer", password="dialer").ask()
    await MqttAt.parse(broker.url).ask()


async def test_the_dialer_has_its_own_topics_and_the_version_that_the_health_check_asks(broker: LocalMosquitto) -> None:
    seen: dict[str, bytes] = {}
    async with MqttAt.parse(broker.url).connected() as client:
        for everything in ("$SYS/#", "#"):
            await client.subscribe(everything, qos=1)
        for topic in ("home/lamp", "$SYS/broker/version", "dialer", "dialer/agents/7/state"):
            await client.publish(topic, b"ours", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            seen[str(message.topic)] = message.payload
            if message.topic.matches("dialer/agents/+/state"):
                break
    assert b"mosquitto version 2." in seen.pop("$SYS/broker/version")
    assert seen == {"dialer": b"ours", "dialer/agents/7/state": b"ours"}


def test_what_it_keeps_survives_a_restart_and_the_password_does_not_lie_about(broker: LocalMosquitto) -> None:
    folder = Path(re.findall(r"Config loaded from (\S+)/mosquitto.conf", broker.log())[-1])
    passwords = (folder / "passwords").read_text()
    assert re.fullmatch(r"dialer:\$7\$\d+\$\S+\n", passwords), "a salted PBKDF2 hash"
    assert (folder / "passwords").stat().st_mode & 0o077 == 0
    broker.stop()
    assert (folder / "mosquitto.db").is_file()
    broker.start()
    assert greeting(broker.port) == 5


def test_it_warns_of_nothing(broker: LocalMosquitto) -> None:
    assert [line for line in broker.log().splitlines() if "Warning" in line or "Error" in line] == []


def test_nothing_but_the_port_and_the_paths_is_changed_for_the_test() -> None:
    lines = (CONFIG / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    moved = [line for line in lines if "/" in line and not line.startswith("#")] + ["listener 1883"]
    assert moved == [
        "password_file /tmp/passwords",
        "acl_file /mosquitto/config/acl",
        "persistence_location /mosquitto/data/",
        "listener 1883",
    ]
