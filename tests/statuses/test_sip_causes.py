"""SIP final responses row by row; the expected table is written out here again (statuses.md 2.5, end of 2.6)."""

from __future__ import annotations

import pytest

from statuses.classify import AttemptFacts, classify
from statuses.outcomes import Attribution, CancelReason, EndedBy

# codes, status when it had not rung, status when it had
TABLE = """
300 301 302 305 380 399 | not-available | not-available
400 | failed | failed
401 407 | congestion | congestion
402 | congestion | congestion
403 | congestion | busy
404 | invalid-number | invalid-number
405 | failed | failed
406 415 501 | failed | failed
408 | not-available | no-answered
409 411 | failed | failed
410 | invalid-number | invalid-number
413 414 416 420 421 423 505 513 | failed | failed
428 429 437 438 | congestion | congestion
480 | not-available | no-answered
481 | failed | failed
482 | congestion | congestion
483 | congestion | congestion
484 | invalid-number | invalid-number
485 | invalid-number | invalid-number
486 | busy | busy
487 | not-available | no-answered
488 606 | failed | failed
491 493 | failed | failed
500 | congestion | congestion
502 | congestion | not-available
503 | congestion | congestion
504 | congestion | no-answered
600 | busy | busy
603 | busy | busy
604 | invalid-number | invalid-number
607 | congestion | busy
608 | congestion | congestion
422 424 425 430 440 469 489 494 499 | failed | failed
506 511 555 580 599 | congestion | congestion
601 605 699 | failed | failed
"""

# SIP codes, Q.850 causes, not rung, rung
PAIRS = """
480 | 1 22 28 | invalid-number | invalid-number
480 | 17 21 | busy | busy
480 | 19 | no-answered | no-answered
480 | 18 31 | not-available | no-answered
480 | 20 27 | not-available | not-available
480 | 34 38 41 42 | congestion | congestion
480 403 404 503 | 54 55 87 | phone-block | phone-block
403 | 52 50 57 29 63 | congestion | congestion
403 | 1 28 | invalid-number | invalid-number
403 | 21 | congestion | busy
404 | 20 27 | not-available | not-available
404 | 3 | invalid-number | invalid-number
486 600 603 | 34 42 | congestion | congestion
486 | 16 31 | busy | busy
503 | 1 | invalid-number | invalid-number
503 | 17 | busy | busy
503 | 20 27 | not-available | not-available
"""


def _lines(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


CODES = [(int(code), quiet, rung) for codes, quiet, rung in _lines(TABLE) for code in codes.split()]
PAIRED = [
    (int(sip), int(q850), quiet, rung)
    for sips, causes, quiet, rung in _lines(PAIRS)
    for sip in sips.split()
    for q850 in causes.split()
]


@pytest.mark.parametrize(("sip", "quiet", "rung"), CODES)
def test_a_sip_code_alone(sip: int, quiet: str, rung: str) -> None:
    assert classify(AttemptFacts(sip_status=sip)).status == quiet
    assert classify(AttemptFacts(sip_status=sip, rang=True)).status == rung
    assert classify(AttemptFacts(sip_status=sip)).rule in (f"sip.{sip}", f"sip.{sip // 100}xx")


@pytest.mark.parametrize(("sip", "q850", "quiet", "rung"), PAIRED)
def test_a_sip_code_with_a_cause_that_disagrees(sip: int, q850: int, quiet: str, rung: str) -> None:
    assert classify(AttemptFacts(sip_status=sip, q850=q850)).status == quiet
    verdict = classify(AttemptFacts(sip_status=sip, q850=q850, rang=True))
    assert verdict.status == rung
    assert verdict.rule == f"sip.{sip}+q850.{q850}"


@pytest.mark.parametrize("q850", [None, 16, 17, 31, 102, 127])
def test_487_after_our_cancel_is_our_cancel_whatever_the_cause(q850: int | None) -> None:
    facts = AttemptFacts(sip_status=487, q850=q850, rang=True, cancel_reason=CancelReason.RING_TIMEOUT)
    assert classify(facts).status == "cancel"
    assert classify(facts).rule == "cancel.ring_timeout"


def test_603_by_the_network_is_not_the_person_declining() -> None:
    blocked = AttemptFacts(sip_status=603, reason_text='SIP;cause=603;text="V=Analytics1;url=sip:x"', rang=True)
    assert (classify(blocked).status, classify(blocked).rule) == ("congestion", "sip.603.network_blocked")
    assert classify(AttemptFacts(sip_status=603, reason_text="Decline")).status == "busy"
    with_its_cause = AttemptFacts(sip_status=603, reason_text="v=analytics1;url=sip:x", q850=21, q850_location="LN")
    assert classify(with_its_cause).rule == "sip.603.network_blocked"


def test_408_without_any_answer_from_the_trunk_is_a_dead_trunk() -> None:
    dead = AttemptFacts(sip_status=408, ended_by=EndedBy.DIALER)
    assert (classify(dead).status, classify(dead).attribution) == ("congestion", Attribution.CARRIER)
    alive = AttemptFacts(sip_status=408, ended_by=EndedBy.DIALER, progressed=True)
    assert classify(alive).status == "not-available"


def test_our_own_credentials_and_balance_are_our_fault() -> None:
    for sip in (401, 402, 407):
        assert classify(AttemptFacts(sip_status=sip)).attribution is Attribution.US


@pytest.mark.parametrize("sip", [-1, 0, 99, 100, 183, 700, 999])
def test_what_is_no_final_response_matches_no_rule(sip: int) -> None:
    verdict = classify(AttemptFacts(sip_status=sip))
    assert (verdict.status, verdict.rule, verdict.sub_reason) == ("failed", "unknown", "unknown")
    assert verdict.attribution is Attribution.UNKNOWN
