from __future__ import annotations

from dialer.core.events import AgentOnLine, CallAnswered, CallConnected, CallEnded, CallRinging, ConnectFailed
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import EndedBy, LocalError
from telephony_adapters.trunks.summons import WAIT_LIMIT_S
from tests.telephony_adapters.trunks.bank import Habits
from tests.telephony_adapters.trunks.stage import HERE, ONE, Stage, hears_each_other

RINGS = {ONE: Habits(picks_up_s=None)}
KEPT = "nailed_up = true\n"


def waiting(**more: object) -> Stage:
    """Return a stage on which the agent waits on the line for call c1."""
    stage = Stage(**more)  # type: ignore[arg-type]
    stage.summon()
    stage.run(1)
    assert stage.heard == [AgentOnLine("c1", "a1")]
    return stage


def test_the_agent_waits_in_silence_and_is_joined_to_who_answers_without_another_call() -> None:
    stage = waiting()
    assert stage.agent.hears == (HERE.host, 4000, "inactive")
    assert stage.machine.snapshot() == [CallStatusAtSwitch("c1", answered=False)]
    stage.call()
    stage.run(1)
    assert stage.machine.snapshot() == [CallStatusAtSwitch("c1", answered=True)]
    stage.connect()
    stage.run(1)
    assert CallConnected("c1", "a1") in stage.heard
    assert hears_each_other(stage)
    assert stage.agents.invites == 1
    stage.hang_up()
    stage.run(1)
    assert stage.agent.ended == ["remote"]
    assert stage.quiet()


def test_a_phone_that_is_kept_on_the_line_is_there_at_once_and_stays_afterwards() -> None:
    stage = Stage(agents=KEPT)
    stage.station()
    stage.run(1)
    stage.summon()
    assert stage.heard == [AgentOnLine("c1", "a1")]
    stage.hang_up()
    assert stage.end() == CallEnded("c1", ended_by=EndedBy.DIALER)
    stage.run(1)
    assert stage.machine.phones() == {"a1": "up"}
    stage.station(up=False)
    assert stage.quiet()


def test_a_phone_that_nobody_picks_up_or_that_is_busy_is_told() -> None:
    stage = Stage(phones={"a1": Habits(picks_up_s=None), "a2": Habits(refuses=486)})
    stage.summon("c1", "a1")
    stage.summon("c2", "a2")
    stage.run(60)
    assert sorted(stage.failed()) == ["a1", "a2"]
    assert stage.of(CallEnded) == []
    assert stage.quiet()


def test_an_agent_waits_for_one_call_at_a_time() -> None:
    stage = waiting()
    stage.summon("c2")
    stage.answered("c3")
    stage.connect("c3")
    stage.summon("c3", "a2")
    assert stage.of(ConnectFailed) == [ConnectFailed("c2", "a1"), ConnectFailed("c3", "a1"), ConnectFailed("c3", "a2")]
    stage.hang_up("c3")
    stage.hang_up("c1")
    assert stage.quiet()


def test_another_agent_may_take_the_call_and_frees_who_waited() -> None:
    stage = waiting()
    stage.answered()
    stage.connect("c1", "a2")
    stage.run(1)
    assert CallConnected("c1", "a2") in stage.heard
    assert stage.agent.ended == ["remote"]
    stage.hang_up()
    assert stage.quiet()


def test_an_agent_who_hangs_up_while_it_rings_ends_the_call() -> None:
    stage = waiting(customers=RINGS)
    stage.call()
    stage.run(1)
    assert CallRinging("c1") in stage.heard
    stage.do(stage.agents.hang_up, "a1")
    stage.run(1)
    end = stage.end()
    assert (end.sip_status, end.ended_by) == (487, EndedBy.AGENT)
    assert stage.of(CallAnswered) == []
    assert stage.quiet()


def test_an_agent_who_hangs_up_before_the_call_is_placed_ends_it() -> None:
    stage = waiting()
    stage.do(stage.agents.hang_up, "a1")
    stage.run(1)
    assert stage.end() == CallEnded("c1", ended_by=EndedBy.AGENT)
    assert stage.quiet()


def test_a_customer_who_is_busy_or_may_not_be_called_frees_the_agent() -> None:
    stage = waiting(customers={ONE: Habits(refuses=486)})
    stage.call()
    stage.run(1)
    assert stage.end().sip_status == 486
    assert stage.agent.ended == ["remote"]
    stage = waiting()
    stage.call(phone="+19005550000")
    stage.run(1)
    assert stage.end().local_error is LocalError.NOT_ALLOWED
    assert stage.agent.ended == ["remote"]
    assert stage.quiet()


def test_a_call_that_the_engine_forgets_to_place_is_given_up() -> None:
    stage = waiting()
    stage.run(WAIT_LIMIT_S)
    assert stage.end() == CallEnded("c1", ended_by=EndedBy.DIALER)
    assert stage.quiet()
