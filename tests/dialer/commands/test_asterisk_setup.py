from __future__ import annotations

from pathlib import Path

import pytest

from dialer import metrics
from dialer.clock import SystemClock
from dialer.commands.asterisk_setup import join_desks, limits_of, open_asterisk, samples_of
from dialer.commands.live import Plan, adapters
from dialer.config import Settings
from dialer.errors import BadInput
from dialer.service.clock import PacedClock
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import CarrierProfile, Shares
from telephony_adapters.asterisk.adapter import CAPABILITIES, AsteriskTelephony

TEXT = """
[server.main]
url = "http://127.0.0.1:8088/ari"
user = "dialer"
password = "x"
endpoint = "PJSIP/{phone}@trunk"
channels = 20
cps = 5
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "asterisk.toml").write_text(TEXT)
    return Settings(home=tmp_path, trunk="asterisk")


def test_the_adapter_is_opened_by_name_with_its_limits_and_figures(settings: Settings) -> None:
    registry = adapters(Plan(settings))
    registry.check("asterisk")
    telephony = registry.open("asterisk", SystemClock())
    assert isinstance(telephony, AsteriskTelephony)
    assert telephony.capabilities == CAPABILITIES
    assert all(getattr(CAPABILITIES, name) for name in CAPABILITIES.__struct_fields__)
    assert [(limit.name, limit.channels) for limit in limits_of(telephony)] == [("main", 20)]
    desks = SimulatedDesks(clock=SystemClock(), seed=1)
    join_desks(telephony, desks)
    assert telephony.on_connected == desks.joined
    found = {sample.metric: sample.value for sample in samples_of(telephony)()}
    assert found == {metrics.TRUNK_UP: 0, metrics.TRUNK_CALLS: 0, metrics.ARI_REQUESTS: 0}


def test_what_cannot_be(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="real time"):
        open_asterisk(settings, PacedClock(speed=10.0))
    (tmp_path / "asterisk.toml").unlink()
    with pytest.raises(BadInput, match="there is no Asterisk file"):
        adapters(Plan(settings)).check("asterisk")
    with pytest.raises(TypeError, match="is not the Asterisk adapter"):
        limits_of(SimulatorTelephony(CarrierProfile(shares=Shares(answer=1.0)), clock=SystemClock(), seed=1))
