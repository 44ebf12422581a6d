"""Cards 20 to 39: agents are joined to customers, leave them, and are free again; what the adapter lists."""

from __future__ import annotations

from dialer.core.events import CallAnswered, CallConnected, CallEnded, CallRinging, ConnectFailed
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.cards.bench import JOIN_S, Bench, Card, FarEnd, require


async def _joined(bench: Bench) -> None:
    call_id = await bench.talk()
    require(bench.count(call_id, CallConnected) == 1, "one join was told more than once")
    await bench.hang_up(call_id)


async def _absent(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.connect(call_id, agent_id=bench.stage.absent)
    event = await bench.hear(call_id, ConnectFailed, within_s=JOIN_S + 1)
    require(event.agent_id == bench.stage.absent, f"the join of {event.agent_id} failed, who was not asked")
    require(not bench.is_over(call_id), "the customer was hung up on since an agent was away")
    await bench.join(call_id, bench.agent)


async def _customer_leaves(bench: Bench) -> None:
    call_id = await bench.talk(FarEnd.TALKS_BRIEFLY)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.REMOTE, f"the customer hung up, not {end.ended_by}")
    await bench.talk()  # the agent is free


async def _agent_leaves(bench: Bench) -> None:
    call_id = await bench.talk()
    await bench.stage.agent_hangs_up(call_id, bench.agent)
    end = await bench.end(call_id)
    require(end.ended_by is EndedBy.AGENT, f"the agent hung up, not {end.ended_by}")


async def _next_call(bench: Bench) -> None:
    for _ in range(2):
        call_id = await bench.talk()
        await bench.hang_up(call_id)


async def _moved(bench: Bench) -> None:
    call_id = await bench.talk()
    await bench.join(call_id, bench.other_agent)
    require(not bench.is_over(call_id), "the call ended when another agent took it")
    await bench.talk(agent=bench.agent)  # who is free
    await bench.hang_up(call_id)


async def _two_talks(bench: Bench) -> None:
    one, two = await bench.talk(), await bench.talk(agent=bench.other_agent)
    await bench.hang_up(one)
    require(not bench.is_over(two), "two talks ended by one hang-up")
    await bench.hang_up(two)


async def _gone_while_joining(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.connect(call_id, agent_id=bench.agent)
    await bench.hang_up(call_id, CancelReason.OVERFLOW)
    await bench.talk()  # the agent is free


async def _listed(bench: Bench) -> None:
    over, ringing, talking = await bench.answered(), await bench.place(FarEnd.RINGS), await bench.talk()
    await bench.hear(ringing, CallRinging)
    await bench.hang_up(over)
    live = await bench.live()
    require(set(live) == {ringing, talking}, f"live are {[ringing, talking]}, listed {list(live)}")
    require(not live[ringing].answered, "a ringing call is listed as answered")
    require(live[talking].answered, "a talk is listed as not answered")
    require(live[talking].agent_id in {bench.agent, None}, f"the talk is listed with {live[talking].agent_id}")


async def _station(bench: Bench) -> None:
    """Let an agent come, talk twice, leave and be called again, as one whose phone may be kept on the line."""
    await bench.telephony.station(bench.agent, up=True)
    await bench.telephony.station(bench.agent, up=True)
    for _ in range(2):
        await bench.hang_up(await bench.talk())
    await bench.telephony.station(bench.agent, up=False)
    await bench.telephony.station(bench.agent, up=False)
    await bench.hang_up(await bench.talk())


async def _leaves_in_talk(bench: Bench) -> None:
    await bench.telephony.station(bench.agent, up=True)
    call_id = await bench.talk()
    await bench.telephony.station(bench.agent, up=False)
    await bench.answered()  # time passes
    require(not bench.is_over(call_id), "a talk ended since its agent takes no more calls")
    await bench.hang_up(call_id)


async def _too_early(bench: Bench) -> None:
    """Join a call that still rings: nothing, or ConnectFailed; never a talk."""
    call_id = await bench.place(FarEnd.RINGS)
    await bench.hear(call_id, CallRinging)
    await bench.telephony.connect(call_id, agent_id=bench.agent)
    await bench.hang_up(call_id)
    require(not bench.count(call_id, CallConnected), "an agent was joined to a call that nobody had answered")
    require(not bench.count(call_id, CallAnswered), "it was told as answered")
    require(bench.count(call_id, CallEnded) == 1, "it did not end once")


TALKS = (
    Card(20, "An agent is joined within 5 s", None, _joined),
    Card(21, "An agent who is not there: ConnectFailed, the customer stays for the next one", None, _absent),
    Card(22, "The customer hangs up in the talk", None, _customer_leaves),
    Card(23, "The agent hangs up in the talk", None, _agent_leaves),
    Card(24, "The agent has the next call after the last", None, _next_call),
    Card(25, "A call that is joined to another agent leaves the first one free", None, _moved),
    Card(26, "Two talks at once do not touch each other", None, _two_talks),
    Card(27, "A call that ends while it is joined leaves the agent free", None, _gone_while_joining),
    Card(28, "A call that rings is joined to nobody", None, _too_early),
    Card(29, "Exactly the live calls are listed", None, _listed),
    Card(30, "An agent comes and goes between calls", None, _station),
    Card(31, "An agent who takes no more calls finishes the talk", None, _leaves_in_talk),
)
