from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire.course import Course
from simulator.wire.ledger import foreseen
from simulator.wire.numbers import PATTERNS, e164, entries, reaction, subscriber
from simulator.wire.scenes import SCENES
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import EndedBy
from statuses.q850_causes import Q850
from statuses.sip_causes import SIP, SIP_AND_Q850


def asked(number: str) -> Course:
    course = reaction(subscriber(number))
    assert course is not None
    return course


def final(number: str) -> tuple[int, int | None, bool]:
    course = asked(number)
    last = course.steps[-1]
    return last.status, last.q850, any(step.status == 180 for step in course.steps)


@pytest.mark.parametrize("number", ["0955404000", "+84955404000", "84955404000", "0084955404000"])
def test_a_number_is_known_however_it_is_written(number: str) -> None:
    assert subscriber(number) == "955404000"
    assert e164(number) == "+84955404000"
    assert final(number) == (404, None, False)


@pytest.mark.parametrize("user", ["service", "", "1001", "+15550100000", "anonymous", "09554040001", "٠٩٥٥٤٠٤٠٠٠"])
def test_what_is_no_number_of_the_country_is_left_as_it_is(user: str) -> None:
    assert reaction(subscriber(user)) is None
    assert e164(user) == user


def test_another_country_may_be_the_home() -> None:
    assert subscriber("+60955404000", "60") == "955404000"
    assert e164("0955404000", "60") == "+60955404000"


def test_numbers_of_the_sample_and_of_the_tests_meet_the_profile() -> None:
    assert {reaction(subscriber(n)) for n in ("0950000001", "0954999999", "0900000123", "0199012345")} == {None}


@pytest.mark.parametrize(
    ("number", "status", "q850", "rings"),
    [
        ("0955486000", 486, None, False),
        ("0955486999", 486, None, True),
        ("0955200000", 200, None, False),
        ("0955299500", 200, None, True),
        ("0955199000", 404, 1, False),
        ("0955700000", 404, 1, False),
        ("0956017000", 486, 17, False),
        ("0956017500", 486, 17, True),
        ("0956517000", 486, None, False),
        ("0956000000", 404, 1, False),
        ("0956128000", 404, 1, False),
        ("0957480020", 480, 20, False),
        ("0957603000", 603, None, False),
        ("0958403021", 403, 21, True),
        ("0957200001", 404, 1, False),
        ("0957480128", 404, 1, False),
        ("0959990000", 404, 1, False),
    ],
)
def test_the_digits_say_what_comes(number: str, status: int, q850: int | None, rings: bool) -> None:
    assert final(number) == (status, q850, rings)


def test_every_row_of_the_cause_tables_can_be_met_and_means_itself() -> None:
    """A pair of code and cause outranks the cause alone, so either stands for the cause."""
    rules = {classify(facts(entry.course)).rule for entry in entries() if entry.course.steps}
    assert rules >= {row.rule for row in SIP.values()} | {row.rule for row in SIP_AND_Q850.values()}
    assert {rule.rpartition("+")[2] for rule in rules} >= {row.rule for row in Q850.values() if row.final}


def facts(course: Course) -> AttemptFacts:
    last = course.steps[-1]
    return AttemptFacts(
        sip_status=last.status, q850=last.q850, reason_text=last.text, progressed=True, ended_by=EndedBy.REMOTE,
        rang=any(step.status == 180 for step in course.steps),
    )  # fmt: skip


def test_every_row_is_in_the_table_with_a_number_that_is_valid_and_its_status() -> None:
    rows = list(entries())
    assert len({entry.pattern for entry in rows}) == len({entry.example for entry in rows}) == len(rows)
    assert len(rows) == 2 * len(SIP) + 4 * len(Q850) + 2 * len(SIP_AND_Q850) + len(SCENES)
    for entry in rows:
        assert entry.course.name != "unassigned"
        assert phonenumbers.is_valid_number(phonenumbers.parse(entry.example, "VN"))
        assert foreseen(entry.course)
        assert entry.example.startswith(entry.pattern.split()[0])


def test_the_plan_in_short_names_every_range() -> None:
    assert {pattern.split()[0] for pattern, _ in PATTERNS} == {entry.pattern.split()[0] for entry in entries()}


@given(st.text(alphabet="0123456789+", max_size=14))
def test_any_number_is_either_the_profiles_or_a_whole_course(number: str) -> None:
    course = reaction(subscriber(number))
    assert course is None or course.name
    assert e164(e164(number)) == e164(number)


@given(st.integers(955_000_000, 959_999_999))
def test_every_number_of_the_ranges_stands_for_something(number: int) -> None:
    assert isinstance(reaction(str(number)), Course)
