"""What `dialer agent` does over MQTT: one command of an agent, and what all agents are doing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import typer

from dialer.commands.context import settings
from dialer.errors import BadInput, Unreachable

if TYPE_CHECKING:
    from dialer.agents.desk import Desk
    from dialer.agents.mqtt_at import MqttAt

PASSWORD_ENV: Final = "DIALER_AGENT_PASSWORD"  # noqa: S105 -- the variable's name
QUIET_S: Final = 0.5
"""What a broker has kept comes without a pause longer than this."""


def at_desk(agent_id: str, work: Callable[[Desk], Awaitable[None]], *, new: bool = False, stays: bool = True) -> None:
    """Do something as an agent, in a session of its own (`new`) or in the one in charge; raise DialerError."""
    from dialer.agents.mqtt_at import Refused
    from dialer.agents.visit import visit

    password = os.environ.get(PASSWORD_ENV) or typer.prompt(f"password of {agent_id}", hide_input=True, err=True)
    try:
        asyncio.run(visit(_as(agent_id, password), agent_id, work, new=new, stays=stays))
    except Refused as error:
        raise BadInput(
            f"there is no agent {agent_id!r}, or this is not their password: `dialer agent list` shows the agents, "
            f"`dialer agent password {agent_id}` makes a new one (a broker of your own: `dialer mqtt acl` again)"
        ) from error


def broker() -> MqttAt:
    """Return the broker's address as the dialer uses it; raise BadInput when there is none."""
    from dialer.desks import own_broker

    at = own_broker(settings())
    if at is None:
        raise BadInput(
            "no engine runs on this home folder, and with it no broker: start `dialer up`, or name the broker with "
            "DIALER_MQTT_URL"
        )
    return at


def _as(agent_id: str, password: str) -> MqttAt:
    import msgspec

    return msgspec.structs.replace(broker(), user=agent_id, password=password)


async def live_states() -> dict[str, dict[str, Any]]:
    """Return what the engines say of each agent, by id; empty when no broker runs."""
    from dialer.agents.messages import State, decode
    from dialer.agents.topics import Leaf, everyone, parse
    from dialer.desks import own_broker

    at = own_broker(settings())
    states: dict[str, dict[str, Any]] = {}
    if at is None:
        return states
    try:
        async with at.connected() as client:
            await client.subscribe(everyone(Leaf.STATE), qos=1)
            messages = aiter(client.messages)
            while True:
                async with asyncio.timeout(QUIET_S):
                    message = await anext(messages)
                where = parse(str(message.topic))
                if where is not None and message.payload:
                    states[where.agent_id] = decode(State, message.payload).model_dump(
                        mode="json", exclude={"v", "by", "session", "answer"}
                    )
    except TimeoutError:
        return states
    except Unreachable:
        return {}
