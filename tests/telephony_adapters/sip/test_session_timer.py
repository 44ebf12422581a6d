"""Session timers: what both sides agree on, and when they act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.session_timer import (
    UAC,
    UAS,
    Ask,
    Grant,
    SessionExpires,
    SessionTimer,
    grant,
    parse_min_se,
    parse_session_expires,
    refresh,
)

INTERVALS = st.integers(1, 100_000)
ROLES = st.sampled_from(["", UAC, UAS])


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("4000", SessionExpires(4000)),
        ("4000;refresher=uac", SessionExpires(4000, UAC)),
        (" 90 ; Refresher = UAS;x=y", SessionExpires(90, UAS)),
        ("90;refresher=proxy", SessionExpires(90)),
        ("0", None),
        ("", None),
        ("soon", None),
        ("99999999999", None),
        (None, None),
    ],
)
def test_session_expires(value: str | None, read: SessionExpires | None) -> None:
    assert parse_session_expires(value) == read


def test_min_se_is_never_below_90() -> None:
    assert [parse_min_se(value) for value in (None, "", "x", "0", "60", "90", "120;a=b", "3600")] == [90] * 6 + [
        120,
        3600,
    ]


@given(INTERVALS, ROLES)
def test_session_expires_comes_back(interval_s: int, refresher: str) -> None:
    assert parse_session_expires(str(SessionExpires(interval_s, refresher))) == SessionExpires(interval_s, refresher)


def test_who_refreshes_does_so_at_half_time_and_both_give_up_before_the_end() -> None:
    ours = SessionTimer(1800, we_refresh=True, at=1000.0)
    assert (ours.next_refresh, ours.expires_at, ours.due) == (1900.0, 2768.0, 1900.0)
    theirs = SessionTimer(90, we_refresh=False, at=1000.0)
    assert (theirs.next_refresh, theirs.expires_at, theirs.due) == (None, 1060.0, 1060.0)


def test_a_uac_asks_and_takes_what_the_2xx_says() -> None:
    assert Ask().headers() == [("Session-Expires", "1800")]
    assert Ask(600, UAC, 120).headers() == [("Session-Expires", "600;refresher=uac"), ("Min-SE", "120")]
    assert Ask().accepted(None, 5.0) is None
    assert Ask().accepted("600;refresher=uas", 5.0) == SessionTimer(600, we_refresh=False, at=5.0)
    assert Ask().accepted("600;refresher=uac", 5.0) == SessionTimer(600, we_refresh=True, at=5.0)
    assert Ask().accepted("600", 5.0) == SessionTimer(600, we_refresh=True, at=5.0)
    assert Ask().accepted("1;refresher=uac", 5.0) == SessionTimer(90, we_refresh=True, at=5.0)


def test_after_422_the_uac_asks_for_at_least_min_se() -> None:
    second = Ask(90).after_422("600")
    assert second is not None
    assert second.headers() == [("Session-Expires", "600"), ("Min-SE", "600")]
    third = second.after_422("700")
    assert third is not None
    assert third.headers() == [("Session-Expires", "700"), ("Min-SE", "700")]
    assert third.after_422("800") is None


@pytest.mark.parametrize("min_se", [None, "x", "90", "600", "100000"])
def test_a_422_that_asks_for_nothing_new_or_too_much_ends_it(min_se: str | None) -> None:
    assert Ask(600).after_422(min_se) is None


def test_a_refresh_keeps_the_interval_and_the_role() -> None:
    assert refresh(SessionTimer(600, we_refresh=True, at=0.0)) == Ask(600, UAC)
    assert refresh(SessionTimer(600, we_refresh=False, at=0.0), 900) == Ask(900, UAS, 900)


@pytest.mark.parametrize(
    ("supported", "asked", "answered", "we_refresh"),
    [
        (False, "600", UAS, True),
        (True, "600", UAC, False),
        (True, "600;refresher=uac", UAC, False),
        (True, "600;refresher=uas", UAS, True),
    ],
)
def test_the_refresher_is_that_of_table_2(supported: bool, asked: str, answered: str, we_refresh: bool) -> None:
    found = grant(asked, None, supported=supported, now=7.0)
    assert found.timer == SessionTimer(600, we_refresh, 7.0)
    assert dict(found.headers)["Session-Expires"] == f"600;refresher={answered}"
    assert (("Require", "timer") in found.headers) is (answered == UAC)


def test_an_interval_below_ours_is_refused_if_the_caller_knows_timers() -> None:
    assert grant("90", None, supported=True, now=0.0, least_s=600) == Grant(
        (("Min-SE", "600"),), None, is_too_small=True
    )
    found = grant("90", None, supported=False, now=0.0, least_s=600)
    assert found.timer == SessionTimer(600, we_refresh=True, at=0.0)


@pytest.mark.parametrize(
    ("asked", "min_se", "wanted_s", "interval_s"),
    [
        ("3600", None, 1800, 1800),
        ("3600", "2400", 1800, 2400),
        ("600", None, 1800, 600),
        (None, None, 1800, 1800),
        (None, "2000", 1800, 2000),
    ],
)
def test_an_interval_is_shortened_but_not_below_min_se(
    asked: str | None, min_se: str | None, wanted_s: int, interval_s: int
) -> None:
    found = grant(asked, min_se, supported=True, now=0.0, wanted_s=wanted_s)
    assert found.timer is not None
    assert found.timer.interval_s == interval_s


@given(
    INTERVALS, ROLES, INTERVALS, st.tuples(st.integers(90, 4000), st.integers(90, 4000)), st.sampled_from([UAC, UAS])
)
def test_both_sides_come_to_the_same_timer(
    asked_s: int, role: str, wanted_s: int, least: tuple[int, int], choice: str
) -> None:
    """The caller, told to, asks again; then one side refreshes, and the interval is what both can take."""
    min_se_s, least_s = least
    ask: Ask | None = Ask(max(asked_s, min_se_s), role, min_se_s)
    for _ in range(2):
        assert ask is not None
        sent = dict(ask.headers())
        answer = grant(
            sent["Session-Expires"], sent.get("Min-SE"), supported=True, now=0.0, wanted_s=wanted_s, least_s=least_s,
            refresher=choice,
        )  # fmt: skip
        if not answer.is_too_small:
            break
        ask = ask.after_422(dict(answer.headers)["Min-SE"])
    assert ask is not None
    theirs = answer.timer
    ours = ask.accepted(dict(answer.headers)["Session-Expires"], 0.0)
    assert ours is not None
    assert theirs is not None
    assert ours.interval_s == theirs.interval_s
    assert ours.we_refresh is not theirs.we_refresh
    assert max(least_s, min_se_s) <= ours.interval_s <= ask.interval_s
    assert max(ours.next_refresh or 0, theirs.next_refresh or 0) < min(ours.expires_at, theirs.expires_at)
