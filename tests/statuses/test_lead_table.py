"""The table T1 to T26 as data (statuses.md 3.1, 3.2), and T27, ours."""

from __future__ import annotations

import pytest

from statuses.lead_table import (
    DIALABLE,
    HELD,
    TERMINAL,
    TRANSITIONS,
    ErrorKind,
    LeadState,
    is_dialable,
    is_terminal,
)


def test_the_table_has_every_rule_of_the_specification_and_one_for_missed_calls() -> None:
    assert {row.rule for row in TRANSITIONS} == {f"T{number}" for number in range(1, 28)}


def test_the_states_fall_into_classes() -> None:
    rest = {LeadState.IN_PROGRESS, LeadState.CALL_ERROR}
    assert DIALABLE | HELD | TERMINAL | rest == set(LeadState)
    assert len(DIALABLE) + len(HELD) + len(TERMINAL) + len(rest) == len(LeadState) == 11


def test_terminal_states_are_left_only_by_the_listed_rules() -> None:
    leaving = {row.rule for row in TRANSITIONS if row.sources & TERMINAL and row.target != "same"}
    assert leaving == {"T21", "T22", "T23", "T27"}


@pytest.mark.parametrize("kind", [None, *ErrorKind])
def test_a_call_error_is_final_only_if_the_number_is_wrong(kind: ErrorKind | None) -> None:
    assert is_terminal(LeadState.CALL_ERROR, kind) is (kind is ErrorKind.NUMBER)
    assert is_dialable(LeadState.CALL_ERROR, kind) is (kind not in (ErrorKind.NUMBER, ErrorKind.RECONCILE))


@pytest.mark.parametrize("state", LeadState)
def test_a_lead_that_awaits_its_outcome_is_never_dialable(state: LeadState) -> None:
    assert not is_dialable(state, ErrorKind.RECONCILE)
