from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.settings_text import SETTERS, apply_settings, parse_days, parse_slots
from dialer.core.types import CampaignKind, CampaignSettings, Purpose, Slot
from dialer.errors import BadInput
from statuses.outcomes import CallStatus
from statuses.retry import RetryOrder, RetryRule

PLAIN = CampaignSettings(1, "Tết")


@pytest.mark.parametrize(
    ("key", "text", "where", "expected"),
    [
        ("kind", "ratio", "kind", CampaignKind.RATIO),
        ("kind", "progressive", "pacer", "progressive"),
        ("kind", "autodialer", "kind", CampaignKind.AUTODIALER),
        ("kind", "autodialer", "pacer", "agentless"),
        ("prompt", "reminder", "prompt", "reminder"),
        ("prompt", "", "prompt", None),
        ("purpose", "Advertising", "purpose", Purpose.ADVERTISING),
        ("ratio", "1.8", "ratio", 1.8),
        ("max_calls", "40", "max_calls", 40),
        ("ring_timeout_s", "25", "ring_timeout_s", 25.0),
        ("hotlines", "028 7300 1234, 19001234,02873001234", "hotlines", ("+842873001234", "19001234")),
        ("holidays", "vn", "window.holiday_country", "VN"),
        ("holidays", "", "window.holiday_country", None),
        ("closed_on", "2026-02-17,2026-02-18", "window.holidays", frozenset({"2026-02-17", "2026-02-18"})),
        ("timezone", "Asia/Tokyo", "window.timezone", "Asia/Tokyo"),
        ("agreed_otherwise", "yes", "agreed_otherwise", True),
        ("max_attempts", "5", "retry.max_attempts", 5),
        ("retry_gap_s", "900", "retry.gap_s", 900.0),
        ("retry_on", "NA, busy", "retry.retry_on", frozenset({CallStatus.NO_ANSWERED, CallStatus.BUSY})),
        ("retry_rules", "busy:900:2,no-answered:60", "retry.per_status",
         {CallStatus.BUSY: RetryRule(900.0, 2), CallStatus.NO_ANSWERED: RetryRule(60.0)}),
        ("retry_order", "due_first", "retry.order", RetryOrder.DUE_FIRST),
        ("short_talk_s", "", "retry.short_talk_s", None),
        ("per_24h", "1", "caps.per_24h", 1),
        ("strict_cap", "on", "caps.strict", True),
        ("abandon_limit", "0.02", "legal.abandon_limit", 0.02),
        ("overflow_prompt", "xin-loi", "overflow_prompt", "xin-loi"),
        ("starts_at", "2026-03-02 08:00", "starts_at", datetime(2026, 3, 2, 1, tzinfo=UTC).timestamp()),
        ("end_when_done", "yes", "end_when_done", True),
        ("callback_url", "https://crm.example.com/calls", "callback_url", "https://crm.example.com/calls"),
        ("callback_url", "", "callback_url", None),
    ],
)  # fmt: skip
def test_a_setting_is_read_from_words(key: str, text: str, where: str, expected: Any) -> None:
    value: Any = apply_settings(PLAIN, {key: text})
    for name in where.split("."):
        value = getattr(value, name)
    assert value == expected


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("colour", "red", "colour: there is no such setting; the settings are: kind, "),
        ("ratio", "many", "ratio=many: write a number"),
        ("ratio", "nan", "write a number"),
        ("max_calls", "1.5", "write a whole number"),
        ("kind", "magic", "choose one of: predictive, "),
        ("agreed_otherwise", "perhaps", "write yes or no"),
        ("hours", "8-17", "write hours like 08:00-12:00"),
        ("hours", "", "at least one slot"),
        ("days", "monday", "write days like mon-fri"),
        ("hotlines", "abc", "abc is no number to show"),
        ("retry_on", "sleeping", "unknown call status"),
        ("retry_rules", "busy", "write rules like"),
        ("max_attempts", "0", "max_attempts must be 1 or more"),
        ("starts_at", "soon", "a time is written"),
        ("callback_url", "crm.example.com", "write a URL like https://"),
    ],
)
def test_a_wrong_setting_is_named(key: str, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        apply_settings(PLAIN, {key: text})
    assert str(caught.value).startswith(key)


def test_hours_and_days_go_together() -> None:
    slots = (Slot(480, 720), Slot(780, 1050))
    week = apply_settings(PLAIN, {"days": "mon-fri", "hours": "08:00-12:00,13:00-17:30"}).window.weekdays
    assert week == (slots,) * 5 + ((),) * 2
    later = apply_settings(apply_settings(PLAIN, {"days": "sat"}), {"days": "mon"}).window.weekdays
    assert [bool(day) for day in later] == [True, False, False, False, False, False, False]


def test_a_pacer_may_differ_from_the_kind() -> None:
    changed = apply_settings(PLAIN, {"pacer": "progressive", "kind": "ratio"})
    assert (changed.kind, changed.pacer) == (CampaignKind.RATIO, "progressive")


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_span_of_days_may_pass_the_weekend(first: int, last: int) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    days = parse_days(f"{names[first]}-{names[last]}")
    assert {first, last} <= days
    assert len(days) == (last - first) % 7 + 1


@given(st.text(), st.sampled_from([parse_days, parse_slots]))
def test_no_text_breaks_the_parsers(text: str, parse: Callable[[str], object]) -> None:
    try:
        assert parse(text)
    except ValueError:
        return


@given(st.text(), st.sampled_from(sorted(SETTERS)))
def test_no_text_breaks_a_setting(text: str, key: str) -> None:
    try:
        assert apply_settings(PLAIN, {key: text}).name == "Tết"
    except BadInput:
        return
