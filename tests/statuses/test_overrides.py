"""The per-trunk override table and its errors (statuses.md 2.10)."""

from __future__ import annotations

import pytest

from statuses.outcomes import CallStatus
from statuses.overrides import Override, OverrideError, load_overrides

GOOD = """
[[override]]
trunk = "north"
sip = 480
q850 = 31
rang = false
min_setup_ms = 1000
max_setup_ms = 4000
status = "Phone Block"

[[override]]
trunk = "south"
sip = 403
status = "CG1"
"""


def test_a_table_is_read_in_order() -> None:
    first, second = load_overrides(GOOD)
    expected = Override(
        "north", CallStatus.PHONE_BLOCK, sip=480, q850=31, rang=False, min_setup_ms=1000, max_setup_ms=4000
    )
    assert first == expected
    assert second == Override("south", CallStatus.CONGESTION, sip=403)
    assert (first.rule, second.rule) == ("override.north.sip.480.q850.31", "override.south.sip.403")


def test_an_empty_table_has_no_entries() -> None:
    assert load_overrides("") == ()


@pytest.mark.parametrize(
    ("setup_ms", "expected"), [(None, False), (999, False), (1000, True), (4000, True), (4001, False)]
)
def test_setup_time_limits_include_their_ends(setup_ms: int | None, *, expected: bool) -> None:
    entry = load_overrides(GOOD)[0]
    assert entry.matches("north", 480, 31, rang=False, setup_ms=setup_ms) is expected


def test_every_condition_must_hold() -> None:
    entry = load_overrides(GOOD)[0]
    assert not entry.matches("south", 480, 31, rang=False, setup_ms=2000)
    assert not entry.matches("north", 486, 31, rang=False, setup_ms=2000)
    assert not entry.matches("north", 480, None, rang=False, setup_ms=2000)
    assert not entry.matches("north", 480, 31, rang=True, setup_ms=2000)
    assert not entry.matches(None, 480, 31, rang=False, setup_ms=2000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml at all", "is not TOML"),
        ("[override]\ntrunk='a'", "two brackets"),
        ("override = 3", "two brackets"),
        ("override = [1]", "override 1: expected a table"),
        ("other = 1", "unknown key 'other'"),
        ("[[override]]\ntrunk='a'\nsip=480\nstatus='busy'\nspi=1", "override 1: unknown key 'spi'"),
        ("[[override]]\ntrunk='a'\nstatus='busy'", "override 1: says nothing about the call"),
        ("[[override]]\nsip=480\nstatus='busy'", "override 1: trunk must be"),
        ("[[override]]\ntrunk=' '\nsip=480\nstatus='busy'", "override 1: trunk must be"),
        ("[[override]]\ntrunk='a'\nsip=480", "override 1: status: unknown call status ''"),
        ("[[override]]\ntrunk='a'\nsip=480\nstatus='buzy'", "override 1: status: unknown call status 'buzy'"),
        ("[[override]]\ntrunk='a'\nsip=480\nstatus='answered'", "cannot follow from a carrier's code"),
        ("[[override]]\ntrunk='a'\nsip=480\nstatus='cancel'", "cannot follow from a carrier's code"),
        ("[[override]]\ntrunk='a'\nsip=48\nstatus='busy'", "sip must be a whole number from 300 to 699, not 48"),
        ("[[override]]\ntrunk='a'\nsip='480'\nstatus='busy'", "sip must be a whole number"),
        ("[[override]]\ntrunk='a'\nq850=true\nstatus='busy'", "q850 must be a whole number"),
        ("[[override]]\ntrunk='a'\nrang='yes'\nstatus='busy'", "rang must be true or false"),
        ("[[override]]\ntrunk='a'\nmin_setup_ms=-1\nstatus='busy'", "min_setup_ms must be a whole number of 0 or more"),
        ("[[override]]\ntrunk='a'\nmin_setup_ms=9\nmax_setup_ms=8\nstatus='busy'", "no call can match"),
    ],
)
def test_a_wrong_entry_is_refused_by_number_and_key(text: str, said: str) -> None:
    with pytest.raises(OverrideError, match=r"(?i)^override") as caught:
        load_overrides(text)
    assert said in str(caught.value)


def test_the_number_of_the_wrong_entry_is_told() -> None:
    with pytest.raises(OverrideError, match=r"^override 3: unknown key"):
        load_overrides(GOOD + "\n[[override]]\ntrunk='a'\nsip=480\nwhat=1\nstatus='busy'\n")
