"""What `dialer agent` does over MQTT is tried beside a running dialer in test_agent.py; here: what goes wrong."""

from __future__ import annotations

import pytest

from dialer.commands import context
from dialer.commands.agent_desk import at_desk, broker, live_states
from dialer.errors import BadInput
from tests.plugins.mosquitto import Mosquitto


async def test_a_broker_that_is_away_leaves_the_list_without_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_chosen", {})
    monkeypatch.setenv("DIALER_MQTT_URL", "mqtt://127.0.0.1:1")
    assert broker().where == "mqtt://127.0.0.1:1"
    assert await live_states() == {}
    monkeypatch.setenv("DIALER_MQTT_URL", "127.0.0.1")
    with pytest.raises(BadInput):
        broker()


def test_a_wrong_password_is_said_to_be_one(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_chosen", {})
    monkeypatch.setenv("DIALER_MQTT_URL", mosquitto.url)
    monkeypatch.setenv("DIALER_AGENT_PASSWORD", "wrong")

    async def work(_desk: object) -> None:
        pytest.fail("nobody is let in with a wrong password")

    with pytest.raises(BadInput, match="there is no agent 'an', or this is not their password: `dialer agent list`"):
        at_desk("an", work, new=True)
