"""Cards 60 to 79: calls that come in, are sent on, are listened to, and for which the agent is called first."""

from __future__ import annotations

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallConnected,
    CallEnded,
    CallRinging,
    CallTransferred,
    ConnectFailed,
)
from dialer.core.types import CallId, Supervision
from statuses.outcomes import EndedBy
from telephony_adapters.cards.bench import JOIN_S, Bench, Card, FarEnd, require

_PICK_UP_S = 35.0
"""An adapter may let an agent's phone ring for longer when nobody waits for it."""


async def _comes_in(bench: Bench) -> None:
    call_id = await bench.arrival()
    live = await bench.live()
    require(call_id in live and not live[call_id].answered, f"a call that rings here is listed as {live.get(call_id)}")
    await bench.telephony.answer(call_id)
    await bench.hear(call_id, CallAnswered)
    await bench.join(call_id, bench.agent)
    end = await bench.hang_up(call_id)
    require(end.ended_by is EndedBy.DIALER, f"the dialer ended it, not {end.ended_by}")


async def _declined(bench: Bench) -> None:
    call_id = await bench.arrival()
    end = await bench.hang_up(call_id)
    require(end.ended_by is EndedBy.DIALER, f"the dialer declined it, not {end.ended_by}")
    require(not bench.count(call_id, CallAnswered), "it was told as answered")


async def _gives_up(bench: Bench) -> None:
    call_id = await bench.arrival()
    await bench.stage.caller_hangs_up(call_id)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.REMOTE, f"the caller gave up, not {end.ended_by}")
    await bench.telephony.answer(call_id)  # too late: ignored
    require(not bench.count(call_id, CallAnswered), "a call that was over was answered")


async def _leaves_queue(bench: Bench) -> None:
    call_id = await bench.arrival()
    await bench.telephony.answer(call_id)
    await bench.hear(call_id, CallAnswered)
    await bench.stage.caller_hangs_up(call_id)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.REMOTE, f"the caller hung up, not {end.ended_by}")


async def _send_on(bench: Bench, call_id: CallId, *, answers: bool) -> None:
    stage = bench.stage
    phone = stage.transfer_phone(answers=answers)
    await bench.telephony.transfer(call_id, phone=phone, hotline=stage.hotline, trunk=stage.trunk)
    event = await bench.hear(call_id, CallTransferred)
    require(event.done is answers, f"the new number {'answers' if answers else 'does not answer'}; done={event.done}")


async def _sent_on(bench: Bench) -> None:
    call_id = await bench.talk()
    await _send_on(bench, call_id, answers=True)
    require(not bench.is_over(call_id), "the call ended by being sent on")
    await bench.talk()  # the agent is free
    await bench.hang_up(call_id)


async def _not_sent_on(bench: Bench) -> None:
    call_id = await bench.talk(FarEnd.TRANSFER_FAILS)
    await _send_on(bench, call_id, answers=False)
    require(not bench.is_over(call_id), "the call ended since the new number did not answer")
    await bench.stage.agent_hangs_up(call_id, bench.agent)  # who is still there
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.AGENT, f"the agent hung up, not {end.ended_by}")


async def _supervised(bench: Bench) -> None:
    call_id = await bench.talk()
    for mode in (*Supervision, Supervision.LISTEN, None, None):
        await bench.telephony.supervise(call_id, supervisor=bench.other_agent, mode=mode)
        await bench.pause(0.25)
        require(not bench.is_over(call_id), f"the talk ended by supervision ({mode})")
    await bench.hang_up(call_id)
    require(bench.count(call_id, CallConnected) == 1, "a supervisor was told as another agent")
    await bench.talk(agent=bench.other_agent)  # who takes calls again


async def _talk_ends_supervised(bench: Bench) -> None:
    call_id = await bench.talk()
    await bench.telephony.supervise(call_id, supervisor=bench.other_agent, mode=Supervision.LISTEN)
    await bench.pause(0.5)
    await bench.stage.agent_hangs_up(call_id, bench.agent)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.AGENT, f"the agent hung up, not {end.ended_by}")


async def _summoned(bench: Bench, far_end: FarEnd) -> CallId:
    call_id = bench.new_id()
    await bench.telephony.summon(call_id, agent_id=bench.agent)
    event = await bench.hear(call_id, AgentOnLine)
    require(event.agent_id == bench.agent, f"{event.agent_id} is on the line, {bench.agent} was called")
    return await bench.place(far_end, call_id=call_id)


async def _agent_first(bench: Bench) -> None:
    call_id = await _summoned(bench, FarEnd.ANSWERS)
    await bench.hear(call_id, CallAnswered)
    await bench.join(call_id, bench.agent)
    require(bench.count(call_id, AgentOnLine) == 1, "the agent was told twice to be on the line")
    await bench.hang_up(call_id)
    await bench.talk()  # the agent is free


async def _no_agent_first(bench: Bench) -> None:
    call_id = bench.new_id()
    await bench.telephony.summon(call_id, agent_id=bench.stage.absent)
    event = await bench.hear(call_id, ConnectFailed, within_s=_PICK_UP_S)
    require(event.agent_id == bench.stage.absent, f"the call of {event.agent_id} failed, who was not called")
    require(call_id not in await bench.live(), "a call that was not placed is listed as live")


async def _first_agent_leaves(bench: Bench) -> None:
    """Let the agent hang up while the customer's phone rings: nobody is left ringing."""
    call_id = await _summoned(bench, FarEnd.RINGS)
    await bench.hear(call_id, CallRinging)
    await bench.stage.agent_hangs_up(call_id, bench.agent)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.AGENT, f"the agent hung up, not {end.ended_by}")
    require(call_id not in await bench.live(), "the customer's phone goes on ringing")


async def _customer_busy(bench: Bench) -> None:
    call_id = await _summoned(bench, FarEnd.BUSY)
    end = await bench.end(call_id)
    require(end.sip_status == 486, f"the end says {end.sip_status}, not 486")  # noqa: PLR2004 -- SIP's busy
    await bench.talk()  # the agent is free


async def _not_placed(bench: Bench) -> None:
    """Give the call up before it is placed: the agent's phone is let go."""
    call_id = bench.new_id()
    await bench.telephony.summon(call_id, agent_id=bench.agent)
    await bench.hear(call_id, AgentOnLine)
    await bench.hang_up(call_id)
    await bench.talk()
    require(bench.count(call_id, CallEnded) == 1, "it did not end once")


async def _joined_in_time(bench: Bench) -> None:
    """Join the agent who was called first to a call that another agent's card would need 5 s for: at once."""
    call_id = await _summoned(bench, FarEnd.TALKS_BRIEFLY)
    await bench.hear(call_id, CallAnswered)
    await bench.telephony.connect(call_id, agent_id=bench.agent)
    await bench.hear(call_id, CallConnected, within_s=JOIN_S)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.REMOTE, f"the customer hung up, not {end.ended_by}")


SWITCHING = (
    Card(60, "A call to a hotline arrives, is answered and joined", "inbound", _comes_in),
    Card(61, "A call to a hotline is declined", "inbound", _declined),
    Card(62, "A caller gives up before the answer", "inbound", _gives_up),
    Card(63, "A caller gives up waiting for an agent", "inbound", _leaves_queue),
    Card(64, "A talk is sent on to another number; the agent is free", "transfer", _sent_on),
    Card(65, "A talk that cannot be sent on goes on", "transfer", _not_sent_on),
    Card(66, "A supervisor listens, whispers, joins and leaves", "supervise", _supervised),
    Card(67, "A talk ends while a supervisor listens", "supervise", _talk_ends_supervised),
    Card(68, "The agent is called first, then the customer", "agent_first", _agent_first),
    Card(69, "The agent who was called first talks to who answers", "agent_first", _joined_in_time),
    Card(70, "An agent who is called first and is not there", "agent_first", _no_agent_first),
    Card(71, "An agent who was called first hangs up: nobody is left ringing", "agent_first", _first_agent_leaves),
    Card(72, "The agent was called first, the customer is busy", "agent_first", _customer_busy),
    Card(73, "The agent was called first, the call is not placed", "agent_first", _not_placed),
)
