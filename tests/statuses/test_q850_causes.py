"""Q.850 causes row by row; the expected table is written out here again (statuses.md 2.6)."""

from __future__ import annotations

import pytest

from statuses.classify import AttemptFacts, classify
from statuses.outcomes import CancelReason
from statuses.q850_causes import Q850

# causes, not rung, rung
TABLE = """
1 3 5 22 28 | invalid-number | invalid-number
2 6 7 8 9 45 14 25 29 34 38 41 42 44 47 50 52 53 57 58 63 | congestion | congestion
16 31 | not-available | no-answered
17 | busy | busy
18 | not-available | no-answered
19 | no-answered | no-answered
20 23 27 | not-available | not-available
21 | congestion | busy
26 | cancel | cancel
43 | failed | failed
54 55 87 | phone-block | phone-block
65 66 69 70 79 81 88 95 96 97 98 99 100 101 103 111 | failed | failed
102 | congestion | no-answered
"""
CAUSES = [
    (int(cause), quiet.strip(), rung.strip())
    for causes, quiet, rung in (line.split("|") for line in TABLE.strip().splitlines())
    for cause in causes.split()
]


@pytest.mark.parametrize(("cause", "quiet", "rung"), CAUSES)
def test_a_cause_alone(cause: int, quiet: str, rung: str) -> None:
    assert classify(AttemptFacts(q850=cause)).status == quiet
    verdict = classify(AttemptFacts(q850=cause, rang=True))
    assert (verdict.status, verdict.rule) == (rung, f"q850.{cause}")


def test_no_row_is_missing_and_none_is_invented() -> None:
    assert set(Q850) == {cause for cause, _, _ in CAUSES}


@pytest.mark.parametrize(("cause", "quiet", "rung"), [c for c in CAUSES if c[0] not in (16, 31)])
def test_a_specific_cause_beats_a_sip_code_without_a_pair(cause: int, quiet: str, rung: str) -> None:
    assert classify(AttemptFacts(sip_status=500, q850=cause)).status == quiet
    assert classify(AttemptFacts(sip_status=500, q850=cause, rang=True)).status == rung


@pytest.mark.parametrize("cause", [16, 31, 127])
def test_an_unspecific_cause_gives_way_to_the_sip_code(cause: int) -> None:
    assert classify(AttemptFacts(sip_status=404, q850=cause)).rule == "sip.404"
    assert classify(AttemptFacts(sip_status=486, q850=cause, rang=True)).status == "busy"


@pytest.mark.parametrize("location", ["U", "user", "0", " u "])
def test_cause_21_from_the_users_equipment_is_a_rejection_even_if_nothing_rang(location: str) -> None:
    verdict = classify(AttemptFacts(sip_status=403, q850=21, q850_location=location))
    assert (verdict.status, verdict.sub_reason) == ("busy", "rejected")
    assert classify(AttemptFacts(q850=21, q850_location="LN")).status == "congestion"


def test_answered_elsewhere_does_not_count_against_the_person() -> None:
    verdict = classify(AttemptFacts(q850=26, rang=True))
    assert (verdict.cancel_reason, verdict.counts) == (CancelReason.ANSWERED_ELSEWHERE, False)


@pytest.mark.parametrize("cause", [-5, 0, 4, 30, 127, 128, 10**9])
def test_a_cause_that_says_nothing_matches_no_rule(cause: int) -> None:
    assert classify(AttemptFacts(q850=cause)).rule == "unknown"
