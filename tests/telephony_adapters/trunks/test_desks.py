from __future__ import annotations

from itertools import pairwise

import pytest

from dialer.core.events import CallConnected
from telephony_adapters.trunks.desks import AGAIN_MAX_S, DeskState, owner_of
from tests.telephony_adapters.trunks.bank import Habits
from tests.telephony_adapters.trunks.stage import AGENTS, HERE, START, Stage

KEPT = "nailed_up = true\n"


def states(stage: Stage) -> dict[str, str]:
    return {agent: state.value for agent, state in stage.machine.phones().items()}


def calls(stage: Stage) -> list[float]:
    """Return when phones were called, in seconds after the start."""
    first: dict[bytes, float] = {}
    for one in stage.network.trace or ():
        if one.target == AGENTS and one.data.startswith(b"INVITE "):
            first.setdefault(one.data, round(one.at - START, 1))
    return list(first.values())


def test_a_phone_is_kept_on_the_line_in_silence_while_its_agent_is_there() -> None:
    stage = Stage(agents=KEPT)
    stage.station("a1")
    assert states(stage) == {"a1": "calling"}
    stage.run(1)
    assert states(stage) == {"a1": "up"}
    assert stage.agent.hears == (HERE.host, 4000, "inactive")
    stage.station("a1")
    stage.run(600)
    assert calls(stage) == [0.0]
    stage.station("a1", up=False)
    stage.run(1)
    assert states(stage) == {"a1": "down"}
    assert stage.agent.ended == ["remote"]
    assert stage.quiet()


def test_phones_that_are_not_kept_are_called_for_a_customer_only() -> None:
    stage = Stage()
    stage.station("a1")
    stage.run(1)
    assert stage.agents.invites == 0
    stage.talking()
    assert stage.agents.invites == 1
    stage.hang_up()
    stage.run(1)
    assert states(stage) == {"a1": "down"}


def test_a_kept_phone_that_falls_comes_back_by_itself_later_each_time() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(hangs_up_s=0.5)})
    stage.station("a1")
    stage.run(300)
    moments = calls(stage)
    waits = [round(later - before - 0.6, 0) for before, later in pairwise(moments)]
    assert waits[:8] == [1, 2, 4, 8, 16, 32, AGAIN_MAX_S, AGAIN_MAX_S]


def test_a_phone_that_stayed_for_long_comes_back_soon() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(hangs_up_s=40.0)})
    stage.station("a1")
    stage.run(200)
    waits = [later - before for before, later in zip(calls(stage), calls(stage)[1:], strict=False)]
    assert len(waits) == 4
    assert all(wait < 42 for wait in waits)


@pytest.mark.parametrize("habits", [Habits(refuses=486), Habits(picks_up_s=None)])
def test_a_phone_that_nobody_picks_up_is_called_again(habits: Habits) -> None:
    stage = Stage(agents=KEPT + "answer_limit_s = 5\n", phones={"a1": habits})
    stage.station("a1")
    stage.run(5.9 if habits.refuses is None else 0.9)
    assert states(stage) == {"a1": "down"}
    stage.run(0.2)
    assert states(stage)["a1"] != "up"
    assert len(calls(stage)) == 2
    stage.agent.habits = Habits()
    stage.run(15)
    assert states(stage) == {"a1": "up"}


def test_a_phone_that_is_to_come_back_is_called_at_once_for_a_customer() -> None:
    stage = Stage(agents=KEPT)
    stage.station("a1")
    stage.run(1)
    stage.do(stage.agents.hang_up, "a1")
    stage.answered()
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.1)
    assert states(stage) == {"a1": "down"}
    stage.connect()
    stage.run(0.5)
    assert stage.of(CallConnected) == [CallConnected("c1", "a1")]
    stage.run(30)
    assert len(calls(stage)) == 2


def test_an_agent_who_left_is_not_called_again() -> None:
    stage = Stage(agents=KEPT)
    stage.station("a1")
    stage.run(1)
    stage.do(stage.agents.hang_up, "a1")
    stage.run(0.1)
    stage.station("a1", up=False)
    stage.run(100)
    assert calls(stage) == [0.0]
    assert stage.quiet()


def test_a_call_that_an_agent_leaves_before_it_is_picked_up_is_cancelled_and_a_late_answer_hung_up() -> None:
    stage = Stage(agents=KEPT, phones={"a1": Habits(picks_up_s=None, late_200=True)})
    stage.station("a1")
    stage.run(1)
    stage.station("a1", up=False)
    assert states(stage) == {"a1": "down"}
    stage.run(1)
    assert stage.agent.ended == ["remote"]
    assert stage.quiet()


def test_no_server_and_no_phone_are_tried_again_too() -> None:
    stage = Stage(agents=KEPT)
    assert stage.handsets is not None
    servers = stage.handsets.servers
    known = [*servers._servers]
    stage.handsets.serve([])
    stage.station("a1")
    stage.run(2.5)
    assert states(stage) == {"a1": "down"}
    assert calls(stage) == []
    stage.handsets.serve(known)
    stage.run(5)
    assert states(stage) == {"a1": "up"}


def test_an_agents_name_may_hold_anything() -> None:
    name = 'Đỗ "x"\r\nEvil: 1;@<>'
    stage = Stage(agents=KEPT)
    stage.station(name)
    stage.run(1)
    assert states(stage) == {name: "up"}
    (invite,) = stage.sent("INVITE", AGENTS)
    assert invite.get("Evil") is None
    assert invite.uri.endswith("@192.0.2.3")


def test_call_ids_of_phones_never_come_again_not_even_after_a_restart() -> None:
    seen = set[str]()
    for _ in range(2):
        stage = Stage(agents=KEPT, phones={"a1": Habits(hangs_up_s=0.1)})
        stage.run(len(seen) + 0.1)
        stage.station("a1")
        stage.run(20)
        seen |= {invite.call_id for invite in stage.sent("INVITE", AGENTS)}
    assert len(seen) == 10


def test_a_leg_that_was_let_go_belongs_to_nobody() -> None:
    stage = Stage(agents=KEPT)
    stage.station("a1")
    stage.run(1)
    desk = stage.machine._desks.get("a1")
    assert desk is not None
    party = desk.party
    assert owner_of(party) is desk
    stage.station("a1", up=False)
    assert desk.state is DeskState.DOWN
    assert owner_of(party) is None
    stage.answered()
    assert owner_of(stage.machine._calls["c1"].party) is None


def legs(stage: Stage) -> int:
    return len({invite.call_id for invite in stage.sent("INVITE", AGENTS)})


def test_a_phone_that_does_not_fall_silent_is_hung_up_and_called_again() -> None:
    stage = Stage(agents=KEPT)
    stage.station("a1")
    stage.run(1)
    stage.talking()
    stage.agent.habits = Habits(reoffer=0)  # 100 and nothing more
    stage.hang_up()
    stage.run(9)
    assert (states(stage), legs(stage)) == ({"a1": "up"}, 1)
    stage.agent.habits = Habits()
    stage.run(3)
    assert (states(stage), legs(stage)) == ({"a1": "up"}, 2)
    assert len(stage.sent("BYE", AGENTS)) == 1
    stage.talking("c2")
    stage.hang_up("c2")
    stage.run(20)
    assert legs(stage) == 2, "one that falls silent stays"
    stage.station("a1", up=False)
    assert stage.quiet()
