from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dialer.clock import SystemClock
from dialer.config import Settings
from dialer.core.trunks import TrunkLimit
from dialer.errors import BadInput
from dialer.home import Home
from dialer.ports import Clock
from dialer.service.clock import PacedClock
from dialer.service.engine import EnginePart
from dialer.wiring import (
    TRUNK,
    Ground,
    World,
    open_clock,
    open_engine,
    open_prompts,
    open_relay,
    open_store,
    owner_of,
    watch_mqtt,
)
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import Fate
from tests.simulator.worlds import only

pytestmark = pytest.mark.component("sqlite")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, trunk_channels=3, trunk_cps=2.0)


async def world_of(clock: Clock, limits: tuple[TrunkLimit, ...] = ()) -> World:
    trunk = SimulatorTelephony(only(Fate.ANSWER), clock=clock, seed=1)
    return World(trunk, SimulatedDesks(clock=clock, seed=1, trunk=trunk), limits)


@pytest.mark.parametrize(
    ("limits", "name", "room"), [((), TRUNK, 2), ((TrunkLimit("main", 40, 10.0, 10),), "main", 10)]
)
async def test_the_engine_dials_by_the_worlds_trunks_or_those_that_the_settings_describe(
    settings: Settings, limits: tuple[TrunkLimit, ...], name: str, room: int
) -> None:
    async with AsyncExitStack() as stack:
        ground = Ground(settings, await open_store(settings, stack), SystemClock(), None, stack)
        (part,) = [
            part
            for part in await open_engine(ground, lambda clock: world_of(clock, limits), (), open_prompts(settings))
            if isinstance(part, EnginePart)
        ]
        pool = part.keeper._pool
        assert (pool.knows(name), pool.room(ground.clock.now())[0]) == (True, room)


async def test_only_a_hurried_process_has_a_clock_of_its_own(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        engine = await open_store(settings, stack)
        assert isinstance(await open_clock(engine, 1.0), SystemClock)
        assert isinstance(await open_clock(engine, 60.0), PacedClock)


async def test_a_relay_without_kafka_says_what_is_missing(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        ground = Ground(settings, await open_store(settings, stack), SystemClock(), None, stack)
        with pytest.raises(BadInput, match="set DIALER_KAFKA"):
            await open_relay(ground)


def test_the_owner_is_this_installation_on_this_machine(settings: Settings, tmp_path: Path) -> None:
    Home(tmp_path).prepare()
    other = Settings(home=tmp_path / "other")
    Home(other.home).prepare()
    assert owner_of(settings) == owner_of(settings)
    assert owner_of(settings) != owner_of(other)


def test_a_broker_is_watched_when_it_is_named(settings: Settings) -> None:
    assert watch_mqtt(settings) == []
    (watch,) = watch_mqtt(settings.model_copy(update={"mqtt_url": "mqtt://127.0.0.1:1"}))
    assert list(watch.health()) == ["mqtt"]
