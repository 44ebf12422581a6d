from __future__ import annotations

from pathlib import Path

import pytest

from dialer.agents.mqtt_at import MqttAt
from dialer.errors import Unreachable
from tests.plugins.mosquitto import Mosquitto, greeting, local_mosquitto

ROOT = Path(__file__).resolve().parents[2]


async def test_the_broker_is_real_and_carries_messages(mosquitto: Mosquitto) -> None:
    async with MqttAt.parse(mosquitto.url).connected() as client:
        await client.subscribe("dialer/test", qos=1)
        await client.publish("dialer/test", b"hello", qos=1)
        message = await anext(aiter(client.messages))
    assert (str(message.topic), message.payload) == ("dialer/test", b"hello")


async def test_it_can_be_stopped_and_is_back_at_the_same_address(mosquitto: Mosquitto) -> None:
    at = MqttAt.parse(mosquitto.url)
    mosquitto.stop()
    with pytest.raises(Unreachable):
        await at.ask()
    mosquitto.start()
    await at.ask()


async def test_the_next_test_finds_it_running(mosquitto: Mosquitto) -> None:
    await MqttAt.parse(mosquitto.url).ask()


@pytest.mark.component("mosquitto")
def test_a_broker_of_the_tests_own_has_its_own_port_and_is_gone_afterwards() -> None:
    with local_mosquitto() as one, local_mosquitto() as other:
        assert one.port != other.port
        assert [greeting(server.port) for server in (one, other)] == [5, 5], "both refuse a client without a password"
        ports = [one.port, other.port]
    assert [greeting(port) for port in ports] == [None, None]


@pytest.mark.parametrize("required", ["", "mosquitto"])
def test_where_there_is_none_a_run_says_what_to_install(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, required: str
) -> None:
    pytester.makepyfile("def test_it(mosquitto): pass")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DIALER_REQUIRE", required)
    monkeypatch.delenv("DIALER_TEST_MQTT", raising=False)
    pytester.makeconftest(
        "import shutil\nshutil.which = lambda *args, **more: None\n"
        'pytest_plugins = ["tests.plugins.components", "tests.plugins.mosquitto"]'
    )
    result = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(errors=1 if required else 0, skipped=0 if required else 1)
    result.stdout.fnmatch_lines(["*mosquitto is absent*no mosquitto and no mosquitto_passwd found: install mosquitto*"])
