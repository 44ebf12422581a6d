"""One act of an agent; against both brokers, with an engine, it is in test_mqtt_link.py."""

from __future__ import annotations

import pytest

from dialer.agents import visit as module
from dialer.agents.desk import Desk
from dialer.agents.visit import visit
from dialer.errors import BadInput, IllegalAction
from tests.dialer.agents.brokers import Embedded, running, wrong


async def _nothing(_desk: Desk) -> None:
    raise AssertionError("nobody comes so far")


async def test_a_wrong_password_and_an_agent_who_is_not_signed_in_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATE_S", 0.1)
    async with running(Embedded.name) as broker:
        with pytest.raises(BadInput, match="refuses the user an"):
            await visit(wrong(broker.at("an")), "an", _nothing, new=True, stays=True)
        with pytest.raises(IllegalAction, match="`dialer agent sign-in an` first"):
            await visit(broker.at("an"), "an", _nothing, new=False, stays=True)
