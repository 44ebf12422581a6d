from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.bench.amd.greetings import PEOPLE, Kind
from dialer.bench.amd.score import VERDICTS, Score
from statuses.outcomes import AmdResult

HUMAN, MACHINE = AmdResult.HUMAN, AmdResult.MACHINE


def test_precision_and_recall_are_those_of_machines() -> None:
    score = Score(
        [(Kind.MAILBOX, MACHINE)] * 6
        + [(Kind.BEEP, HUMAN)] * 1
        + [(Kind.NETWORK, None)] * 1
        + [(Kind.HELLO, HUMAN)] * 5
        + [(Kind.WAITING, MACHINE)] * 2
    )
    assert score.precision == pytest.approx(6 / 8)
    assert score.recall == pytest.approx(6 / 8)
    rows = {figure.name: figure.value for figure in score.figures()}
    assert rows["machine, beep alone: taken for human"] == 1
    assert rows["machine, network's announcement: taken for nothing"] == 1
    assert rows["person, person who says nothing: taken for machine"] == 2


def test_nothing_found_is_nothing_wrong() -> None:
    assert (Score([]).precision, Score([]).recall) == (1.0, 1.0)


@given(st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from(VERDICTS))))
def test_both_are_shares_and_the_matrix_counts_each_once(found: list[tuple[Kind, AmdResult | None]]) -> None:
    score = Score(found)
    assert 0.0 <= score.precision <= 1.0
    assert 0.0 <= score.recall <= 1.0
    _, _, *matrix = score.figures()
    assert sum(figure.value for figure in matrix) == len(found)
    perfect = Score((kind, HUMAN if kind in PEOPLE else MACHINE) for kind, _ in found)
    assert (perfect.precision, perfect.recall) == (1.0, 1.0)
