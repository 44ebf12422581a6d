"""What `dialer agent` does over MQTT is tried beside a running dialer in test_agent.py; here: what goes wrong."""

from __future__ import annotations

import pytest

from dialer.commands import context
from dialer.commands.agent_desk import broker, live_states
from dialer.errors import BadInput


async def test_a_broker_that_is_away_leaves_the_list_without_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_chosen", {})
    monkeypatch.setenv("DIALER_MQTT_URL", "mqtt://127.0.0.1:1")
    assert broker().where == "mqtt://127.0.0.1:1"
    assert await live_states() == {}
    monkeypatch.setenv("DIALER_MQTT_URL", "127.0.0.1")
    with pytest.raises(BadInput):
        broker()
