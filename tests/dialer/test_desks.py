"""The wiring of agents' desks: who is let in, and where the broker is."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.agents.password import hashed
from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.desks import LAST_PORT, admit, open_desks, own_broker, own_password
from dialer.errors import BadInput
from dialer.home import Home
from dialer.ports import AgentAccount
from simulator.live_agents import SimulatedDesks
from store.agents import SqlAgents
from store.open import open_database
from store.upgrade import upgrade


async def _desks_find_it_where_it_was(settings: Settings, engine: AsyncEngine, port: int) -> None:
    """Start again at the same port; a port that is another's by now, or a note that is damaged, is no obstacle."""
    for taken, note in ((False, str(port)), (True, str(port)), (False, "x"), (False, "70000")):
        (settings.home / LAST_PORT).write_text(note)
        async with AsyncExitStack() as stack:
            if taken:
                stack.enter_context(closing(socket.create_server(("127.0.0.1", port))))
            await open_desks(settings, engine, SystemClock(), stack, SimulatedDesks(clock=SystemClock(), seed=1))
            at = own_broker(settings)
            assert at is not None
            assert (at.port == port) == (note == str(port) and not taken)


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
        await _desks_find_it_where_it_was(settings, engine, at.port)
    finally:
        await engine.dispose()


def test_a_broker_that_is_named_is_used_as_it_is(tmp_path: Path) -> None:
    at = own_broker(Settings(home=tmp_path, mqtt_url="mqtt://u:p@broker"))
    assert at is not None
    assert at.where == "mqtt://broker:1883"
    with pytest.raises(BadInput):
        own_broker(Settings(home=tmp_path, mqtt_url="broker"))
