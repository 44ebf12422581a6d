"""`dialer agent simulate` is tried beside a running dialer in test_agent.py; here: whose address each agent has."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.agents.mqtt_at import MqttAt
from dialer.agents.password import matches
from dialer.commands import context
from dialer.commands.agent_simulate import _accounts, _known
from dialer.commands.context import open_store
from dialer.errors import NotFound
from store.agents import SqlAgents


async def test_at_the_embedded_broker_each_has_a_password_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "_chosen", {"home": tmp_path})
    at = MqttAt("127.0.0.1", 1883, user="dialer", password="ours")
    async with open_store() as store:
        accounts = SqlAgents(store.engine)
        async with _accounts(["sim-001", "sim-002"], at) as ats:
            found = await accounts.find("sim-002")
            assert found is not None
            assert ats["sim-002"].user == "sim-002"
            assert matches(ats["sim-002"].password or "", found.secret)
        assert await accounts.all() == []
        monkeypatch.setenv("DIALER_MQTT_URL", "mqtt://dialer:ours@127.0.0.1")
        async with _accounts(["sim-001"], at) as ats:
            assert ats == {"sim-001": at}
            assert await accounts.all() == []


async def test_a_campaign_that_is_not_there_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_chosen", {"home": tmp_path})
    monkeypatch.delenv("DIALER_MQTT_URL", raising=False)
    with pytest.raises(NotFound, match="there is no campaign 'sprng'"):
        await _known("sprng")
    await _known("7")
