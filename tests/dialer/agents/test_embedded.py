"""What the embedded broker mends of amqtt; what any broker must do is in test_mqtt_link.py."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest
from aiomqtt import MqttError, Will

from dialer.agents.embedded import Rights, embedded_broker
from dialer.agents.mqtt_at import MqttAt
from dialer.agents.topics import DIALER, Leaf, topic
from dialer.errors import BadInput, ResourceBusy
from tests.dialer.agents.brokers import Embedded, running, wrong

WAIT_S = 30.0


def connect(client_id: str, *, user: str, password: str, clean: bool) -> bytes:
    """Return a CONNECT of MQTT 3.1.1 (section 3.1)."""

    def text(value: str) -> bytes:
        return struct.pack("!H", len(value)) + value.encode()

    body = (
        text("MQTT")
        + bytes([4, 0xC0 | (2 if clean else 0)])
        + b"\0\x1e"
        + text(client_id)
        + text(user)
        + text(password)
    )
    return bytes([0x10, len(body)]) + body


async def test_a_stranger_changes_nothing_of_the_session_whose_client_id_they_use() -> None:
    async with running(Embedded.name) as broker, broker.at("an").connected(name="laptop") as an:
        await an.subscribe(topic("an", Leaf.OFFER), qos=1)
        for clean in (True, False):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.at("an").port)
            writer.write(connect("laptop", user=DIALER, password="wrong", clean=clean))
            assert await asyncio.wait_for(reader.read(4), WAIT_S) == bytes([0x20, 2, 0, 5]), "not authorised"
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        async with broker.at(DIALER).connected() as dialer:
            await dialer.subscribe("dialer/#", qos=1)
            await an.publish(topic("ba", Leaf.COMMAND), b"forged", qos=1)
            await dialer.publish(topic("an", Leaf.OFFER), b"still here", qos=1)
            message = await asyncio.wait_for(anext(aiter(an.messages)), WAIT_S)
            assert message.payload == b"still here"
            assert (await asyncio.wait_for(anext(aiter(dialer.messages)), WAIT_S)).payload == b"still here"


async def test_a_last_will_to_a_topic_of_another_is_refused_at_the_door() -> None:
    async with running(Embedded.name) as broker:
        with pytest.raises(BadInput, match="refuses the user an"):
            async with broker.at("an").connected(will=Will(topic("ba", Leaf.COMMAND), b"forged")):
                pass


async def test_what_is_kept_goes_to_who_asked_for_it_only() -> None:
    async with running(Embedded.name) as broker, broker.at(DIALER).connected() as dialer:
        await dialer.subscribe("dialer/#", qos=1)
        await dialer.publish(topic("ba", Leaf.STATE), b"of ba", qos=1, retain=True)
        await dialer.publish(topic("an", Leaf.STATE), b"of an", qos=1, retain=True)
        async with broker.at("an").connected() as an:
            await an.subscribe(topic("an", Leaf.STATE), qos=1)
            assert (await asyncio.wait_for(anext(aiter(an.messages)), WAIT_S)).payload == b"of an"


async def test_a_client_that_falls_silent_is_given_up() -> None:
    async with running(Embedded.name) as broker, broker.at(DIALER).connected() as dialer:
        await dialer.subscribe("dialer/#", qos=1)
        will = Will(topic("an", Leaf.PRESENCE), b"gone", 1, retain=True)
        async with contextlib.AsyncExitStack() as stack:
            an = await stack.enter_async_context(broker.at("an").connected(will=will, keep_alive_s=1))
            assert an._misc_task is not None
            an._misc_task.cancel()  # it pings no more
            assert (await asyncio.wait_for(anext(aiter(dialer.messages)), WAIT_S)).payload == b"gone"
            with contextlib.suppress(MqttError):
                await stack.aclose()


async def test_a_port_that_is_taken_is_told() -> None:
    async def door(_user: str, _password: str) -> Rights | None:
        return None

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ResourceBusy, match="set DIALER_MQTT_PORT to another"):
            async with embedded_broker(door, port=taken.getsockname()[1]):
                pass
    async with embedded_broker(door) as at:
        with pytest.raises(BadInput):
            await wrong(MqttAt(at.host, at.port, user="an")).ask()
