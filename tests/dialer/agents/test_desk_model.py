"""One agent: what is shown, and which sessions and ids count."""

from __future__ import annotations

from dialer.agents.desk_model import ENDED_SESSIONS, REMEMBERED, Desk
from dialer.agents.messages import DeskState


def test_what_is_shown_is_what_holds_the_agent_else_whether_they_want_calls_and_can_be_reached() -> None:
    desk = Desk("an", 0.0)
    shown = [desk.shown]
    for name, value in (("campaign", 1), ("wants", True), ("online", True)):
        setattr(desk, name, value)
        shown.append(desk.shown)
    assert shown == [DeskState.OFFLINE, DeskState.NOT_READY, DeskState.NOT_READY, DeskState.READY]
    desk.hold(DeskState.TALKING, "c1", 7, 5.0)
    assert (desk.shown, desk.since, desk.holds("c1", None), desk.holds(None, 7)) == (
        DeskState.TALKING,
        5.0,
        True,
        False,
    )
    desk.free(9.0)
    assert (desk.shown, desk.since, desk.call_id) == (DeskState.READY, 9.0, None)
    desk.hold(DeskState.RINGING, None, 7, 9.0)
    assert desk.holds(None, 7)


def test_memory_of_ids_and_sessions_is_bounded() -> None:
    desk = Desk("an", 0.0)
    assert [desk.is_new("a"), desk.is_new("a")] == [True, False]
    for number in range(2 * REMEMBERED):
        desk.is_new(str(number))
        desk.ended.append(str(number))
    assert (len(desk.seen), len(desk.ended)) == (REMEMBERED, ENDED_SESSIONS)
