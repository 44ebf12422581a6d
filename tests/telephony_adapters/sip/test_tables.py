"""The tables of transactions against figures 5 to 8 of RFC 3261 and RFC 6026."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.tables import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    SERVER,
    Do,
    Input,
    State,
    Table,
    response_input,
)

TABLES = [
    pytest.param(INVITE_CLIENT, State.CALLING, id="figure 5"),
    pytest.param(CLIENT, State.TRYING, id="figure 6"),
    pytest.param(INVITE_SERVER, State.PROCEEDING, id="figure 7"),
    pytest.param(SERVER, State.TRYING, id="figure 8"),
]


@pytest.mark.parametrize(("table", "begins"), TABLES)
def test_every_state_is_reached_and_can_end(table: Table, begins: State) -> None:
    reached, open_ = {begins}, [begins]
    while open_:
        state = open_.pop()
        for (source, _), step in table.items():
            if source is state and step.to not in reached:
                reached.add(step.to)
                open_.append(step.to)
    assert reached == {state for state, _ in table} | {State.TERMINATED}
    assert State.TERMINATED not in {state for state, _ in table}


@pytest.mark.parametrize(("table", "begins"), TABLES)
def test_only_a_final_response_or_the_end_leaves_its_timers(table: Table, begins: State) -> None:
    for (state, heard), step in table.items():
        if Do.LINGER in step.do:
            assert heard in {Input.R2XX, Input.R3XX, Input.ACK}, (state, heard)
        if step.to is not state and Do.STOP not in step.do:
            # Timers E and F go on in Proceeding; the last timer of a state has nothing to stop.
            assert step.to in {State.TERMINATED, State.PROCEEDING}, (state, heard)


@pytest.mark.parametrize("table", [INVITE_CLIENT, CLIENT])
def test_a_client_tells_its_user_of_each_end_but_the_last_timers(table: Table) -> None:
    for (state, heard), step in table.items():
        if step.to is State.TERMINATED and state not in {State.COMPLETED, State.ACCEPTED}:
            assert {Do.TIMEOUT, Do.FAIL} & set(step.do), (state, heard)


def test_an_accepted_invite_tells_every_2xx_and_swallows_repeated_requests() -> None:
    assert INVITE_CLIENT[State.ACCEPTED, Input.R2XX] == (State.ACCEPTED, (Do.TELL,))
    assert (State.ACCEPTED, Input.R3XX) not in INVITE_CLIENT
    assert (State.ACCEPTED, Input.REQUEST) not in INVITE_SERVER
    assert INVITE_SERVER[State.ACCEPTED, Input.R2XX] == (State.ACCEPTED, (Do.SEND,))


@pytest.mark.parametrize(
    ("status", "expected"),
    [(100, Input.R1XX), (199, Input.R1XX), (200, Input.R2XX), (299, Input.R2XX), (300, Input.R3XX), (699, Input.R3XX)],
)
def test_a_status_is_an_input_by_its_class(status: int, expected: Input) -> None:
    assert response_input(status) is expected
