"""The wiring of agents' desks: who is let in, and where the broker is."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dialer.agents.password import hashed
from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.desks import admit, open_desks, own_broker, own_password
from dialer.errors import BadInput
from dialer.home import Home
from dialer.ports import AgentAccount
from simulator.live_agents import SimulatedDesks
from store.agents import SqlAgents
from store.open import open_database
from store.upgrade import upgrade


async def test_the_embedded_broker_lets_in_its_own_people_and_is_found_by_commands(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    engine, clock = open_database(settings.database), SystemClock()
    try:
        await upgrade(engine)
        accounts = SqlAgents(engine)
        await accounts.add(
            [
                AgentAccount("an", secret=hashed("geheim"), supervisor=True),
                AgentAccount("gone", secret=hashed("geheim"), active=False),
            ],
            now=1.0,
        )
        ours = own_password(Home(tmp_path))
        rights = await admit(accounts, ours, "an", "geheim")
        assert rights is not None
        assert rights.supervisor
        for user, password in (("an", "x"), ("gone", "geheim"), ("nobody", ""), ("dialer", "geheim"), ("", "")):
            assert await admit(accounts, ours, user, password) is None
        assert own_broker(settings) is None
        async with AsyncExitStack() as stack:
            link = await open_desks(settings, engine, clock, stack, SimulatedDesks(clock=clock, seed=1))
            await stack.enter_async_context(link)
            at = own_broker(settings)
            assert at is not None
            await at.ask()
        assert own_broker(settings) is None
    finally:
        await engine.dispose()


def test_a_broker_that_is_named_is_used_as_it_is(tmp_path: Path) -> None:
    at = own_broker(Settings(home=tmp_path, mqtt_url="mqtt://u:p@broker"))
    assert at is not None
    assert at.where == "mqtt://broker:1883"
    with pytest.raises(BadInput):
        own_broker(Settings(home=tmp_path, mqtt_url="broker"))
