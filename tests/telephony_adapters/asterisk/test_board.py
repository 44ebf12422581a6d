from __future__ import annotations

from dialer.core.events import CallEnded
from telephony_adapters.asterisk.board import LOOK_AGAIN_S, Board, Call, Phase
from tests.telephony_adapters.asterisk.scenes import FILE, SERVER


def board() -> Board:
    return Board(SERVER, FILE.agents, FILE.common, first=7)


def test_a_call_is_over_once_and_its_timers_with_it() -> None:
    one = board()
    call = one.add(Call("c1", "1764.1", "", Phase.UP, 0.0))
    assert one.channels["1764.1"] is call
    one.hang_up(call, 1.0)
    assert one.timers.next() == 1.0 + LOOK_AGAIN_S
    for _ in range(2):
        one.forget(call, CallEnded("c1"))
    asks, told = one.take()
    assert [ask.path for ask in asks] == ["/channels/1764.1"]
    assert told == [CallEnded("c1")]
    assert one.timers.next() is None
    assert not any((one.calls, one.channels))
    assert one.take() == ([], [])


def test_channels_are_numbered_from_where_the_process_began() -> None:
    assert board().number() == 8
