"""Rows of the cause tables."""

from __future__ import annotations

from statuses.outcomes import Attribution, CallStatus
from statuses.rows import USUAL_ATTRIBUTION, cell, row


def test_a_cell_has_the_usual_attribution_unless_it_names_another() -> None:
    assert cell(CallStatus.CONGESTION).attribution is Attribution.CARRIER
    assert cell(CallStatus.CONGESTION, "no_balance", Attribution.US).attribution is Attribution.US
    assert set(USUAL_ATTRIBUTION) == set(CallStatus)


def test_a_row_tells_a_call_that_rang_from_one_that_did_not() -> None:
    both = row("x", "either way", cell(CallStatus.BUSY))
    assert both.outcome(rang=True) == both.outcome(rang=False)
    split = row("y", "it depends", cell(CallStatus.NOT_AVAILABLE), cell(CallStatus.NO_ANSWERED))
    assert split.outcome(rang=False).status is CallStatus.NOT_AVAILABLE
    assert split.outcome(rang=True).status is CallStatus.NO_ANSWERED
