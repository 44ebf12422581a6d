from __future__ import annotations

from dialer.core.types import Direction
from simulator.line import Line, Summoned
from simulator.profile import Fate
from simulator.script import Script


def test_a_new_line_is_unheard_unanswered_and_nobodys() -> None:
    line = Line("c1", Script(Fate.ANSWER, []), "trunk-1", 5.0, "me", counted=True)
    assert (line.turn, line.join, line.asked, line.placed_at, line.counted) == (0, 0, 0, 5.0, True)
    assert not any((line.heard, line.answered, line.is_joined, line.is_summoned, line.playing, line.on_hold))
    assert (line.agent_id, line.supervisors, line.tape_from, line.direction) == (None, None, None, Direction.OUTBOUND)


def test_a_summoned_agent_is_not_there_yet() -> None:
    leg = Summoned("c1", "agent-01", "me")
    assert (leg.call_id, leg.agent_id, leg.owner, leg.is_up) == ("c1", "agent-01", "me", False)
