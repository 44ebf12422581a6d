"""One act of an agent without a desk that stays: connect, do it, part, and leave the agent signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dialer.agents.desk import Desk
from dialer.agents.mqtt_at import MqttAt
from dialer.errors import IllegalAction

STATE_S = 3.0
"""How long the broker has to say what it keeps of an agent."""


async def visit(at: MqttAt, agent_id: str, work: Callable[[Desk], Awaitable[None]], *, new: bool, stays: bool) -> None:
    """Work as an agent: with a session of its own that stays in charge, or (not `new`) in the one that is.

    Raises IllegalAction when there is none, and what `work` and the connection raise.
    """
    desk = Desk(at, agent_id)
    async with desk.visiting(stays=stays):
        if new:
            await desk.appear()
        else:
            desk.session = await _in_charge(desk)
        await work(desk)


async def _in_charge(desk: Desk) -> str:
    try:
        return (await desk.until(lambda state: state.campaign_id is not None, within_s=STATE_S)).session
    except TimeoutError as error:
        agent_id = desk.agent_id
        raise IllegalAction(f"{agent_id} is not signed in: `dialer agent sign-in {agent_id}` first") from error
