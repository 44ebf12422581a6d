from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core.types import CallWindow, CampaignSettings, Purpose, Slot
from dialer.core.window import DAY_MIN, WindowClock, effective, validate

OFFICE = (Slot(480, 720), Slot(780, 1020))
ALWAYS = CallWindow(weekdays=((Slot(0, 1440),),) * 7)
ZONES = (
    "Asia/Ho_Chi_Minh",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Beirut",
)
MINUTE = 60


def at(text: str, zone: str = "Asia/Ho_Chi_Minh") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def campaign(window: CallWindow, purpose: Purpose = Purpose.ADVERTISING, *, agreed: bool = False) -> CampaignSettings:
    return CampaignSettings(campaign_id=1, name="Spring", window=window, purpose=purpose, agreed_otherwise=agreed)


def days(*slots: Slot) -> tuple[tuple[Slot, ...], ...]:
    return (slots,) * 7


def oracle(window: CallWindow, moment: float) -> bool:
    """Look at the clock on the wall: the definition."""
    local = datetime.fromtimestamp(moment, tz=UTC).astimezone(ZoneInfo(window.timezone))
    minute = local.hour * 60 + local.minute
    if local.date().isoformat() in window.holidays:
        return False
    return any(slot.opens_min <= minute < slot.closes_min for slot in window.weekdays[local.weekday()])


@st.composite
def slots(draw: st.DrawFn) -> tuple[Slot, ...]:
    """Up to three slots that do not overlap, some of them adjacent, some on the day's edges."""
    edges = draw(st.lists(st.sampled_from((0, 30, 60, 90, 119, 120, 150, 180, 300, 700, 1020, 1380, 1440)), max_size=6))
    marks = sorted(edges[: len(edges) // 2 * 2])
    return tuple(Slot(a, b) for a, b in zip(marks[::2], marks[1::2], strict=True) if a < b)


windows = st.builds(
    CallWindow,
    timezone=st.sampled_from(ZONES),
    weekdays=st.tuples(*[slots()] * 7).filter(any),
    holidays=st.frozensets(st.sampled_from(("2026-03-29", "2026-04-05", "2026-11-01", "2026-10-26")), max_size=2),
)
# Around these days one of the zones changes its clocks.
starts = st.sampled_from(
    ("2026-03-07", "2026-03-28", "2026-04-03", "2026-04-04", "2026-09-05", "2026-10-03", "2026-10-24", "2026-10-31")
).map(lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@settings(max_examples=40, deadline=None)
@given(windows, starts)
def test_minute_by_minute_it_is_what_the_clock_on_the_wall_says(window: CallWindow, start: float) -> None:
    clock = WindowClock(window)
    for minute in range(0, 2 * DAY_MIN, 10):
        moment = start + minute * MINUTE
        assert clock.is_open(moment) is oracle(window, moment)
        assert clock.is_open(moment + 599) is oracle(window, moment + 599)


@settings(max_examples=40, deadline=None)
@given(windows, starts, st.integers(0, 2 * DAY_MIN))
def test_the_next_change_is_the_first_minute_that_differs(window: CallWindow, start: float, minute: int) -> None:
    clock, moment = WindowClock(window), start + minute * MINUTE
    opens, closes = clock.next_open(moment), clock.next_close(moment)
    ahead = [moment + MINUTE * step for step in range(2 * DAY_MIN)]
    first_open = next((t for t in ahead if oracle(window, t)), None)
    first_closed = next((t for t in ahead if not oracle(window, t)), None)
    if first_open is not None:
        assert opens == first_open
    if first_closed is not None:
        assert closes == first_closed


@settings(max_examples=60, deadline=None)
@given(windows, starts, st.integers(0, DAY_MIN), st.integers(0, DAY_MIN))
def test_an_opening_between_is_a_closed_minute_followed_by_an_open_one(
    window: CallWindow, start: float, begin: int, length: int
) -> None:
    after = start + begin * MINUTE
    minutes = [oracle(window, after + MINUTE * step) for step in range(length + 1)]
    edges = any(not old and new for old, new in pairwise(minutes))
    assert WindowClock(window).opened_between(after, after + MINUTE * length) is edges


@settings(max_examples=30, deadline=None)
@given(windows, st.lists(st.integers(0, 4 * DAY_MIN), min_size=2, max_size=12))
def test_the_order_of_questions_changes_no_answer(window: CallWindow, minutes: list[int]) -> None:
    start, used = at("2026-10-24T00:00:00", "UTC"), WindowClock(window)
    for minute in minutes:
        moment = start + minute * MINUTE
        fresh = WindowClock(window)
        assert used.is_open(moment) is fresh.is_open(moment)
        assert used.next_open(moment) == fresh.next_open(moment)
        assert used.next_close(moment) == fresh.next_close(moment)


def test_lunch_is_closed_and_the_edges_belong_to_the_slot_they_open() -> None:
    clock = WindowClock(CallWindow(weekdays=days(*OFFICE)))
    moments = ("07:59:59", "08:00:00", "11:59:59", "12:00:00", "13:00:00", "17:00:00")
    assert [clock.is_open(at(f"2026-03-10T{m}")) for m in moments] == [False, True, True, False, True, False]
    assert clock.next_open(at("2026-03-10T12:10:00")) == at("2026-03-10T13:00:00")
    assert clock.next_close(at("2026-03-10T09:00:00")) == at("2026-03-10T12:00:00")


def test_a_window_that_never_closes_says_so() -> None:
    clock = WindowClock(ALWAYS)
    assert clock.is_open(0.0)
    assert clock.next_close(0.0) is None
    assert not clock.opened_between(0.0, 1e9)


def test_weekends_and_holidays_are_passed_over() -> None:
    week = (*(((Slot(480, 1020)),),) * 5, (), ())
    window = CallWindow(weekdays=week, holidays=frozenset({"2026-03-16"}))
    assert WindowClock(window).next_open(at("2026-03-13T18:00:00")) == at("2026-03-17T08:00:00")


def test_public_holidays_come_from_the_countrys_calendar() -> None:
    clock = WindowClock(CallWindow(holiday_country="VN"))
    assert not clock.is_open(at("2026-09-02T10:00:00"))
    assert WindowClock(CallWindow()).is_open(at("2026-09-02T10:00:00"))
    assert clock.next_open(at("2026-04-29T18:00:00")) == at("2026-05-02T08:00:00")


def test_two_days_that_touch_at_midnight_are_one_interval() -> None:
    week = ((Slot(1200, 1440),), (Slot(0, 120),), (), (), (), (), ())
    assert WindowClock(CallWindow(weekdays=week)).next_close(at("2026-03-09T21:00:00")) == at("2026-03-10T02:00:00")


def test_the_repeated_hour_is_open_twice_and_the_skipped_one_never() -> None:
    clock = WindowClock(CallWindow(timezone="Europe/London", weekdays=days(Slot(60, 120))))
    autumn, spring = at("2026-10-25T00:00:00", "UTC"), at("2026-03-29T00:00:00", "UTC")
    assert sum(clock.is_open(autumn + MINUTE * m) for m in range(180)) == 120
    assert sum(clock.is_open(spring + MINUTE * m) for m in range(180)) == 0


def test_only_a_year_of_holidays_gives_no_opening() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    closed = frozenset((first + timedelta(days=n)).date().isoformat() for n in range(420))
    clock = WindowClock(CallWindow(holidays=closed))
    assert clock.next_open(first.timestamp() + 86_400) is None
    assert clock.next_open(first.timestamp() + 86_400 * 60) == at("2027-02-25T08:00:00")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timezone": "Asia/Atlantis"}, r"window\.timezone: there is no time zone 'Asia/Atlantis'"),
        ({"timezone": ""}, r"window\.timezone"),
        ({"holidays": frozenset({"17/02/2026"})}, r"window\.holidays: '17/02/2026' is not a date"),
        ({"holiday_country": "QQ"}, r"window\.holiday_country: no holiday calendar for 'QQ'"),
        ({"weekdays": days()[:6]}, r"window\.weekdays: need 7 days, Monday first, got 6"),
        ({"weekdays": days()}, r"window\.weekdays: every day is empty, so the window can never open"),
        ({"weekdays": days(Slot(600, 540))}, r"window\.weekdays\[0\]: 10:00-09:00 closes before it opens"),
        ({"weekdays": days(Slot(600, 600))}, r"window\.weekdays\[0\]: 10:00-10:00 closes before it opens"),
        ({"weekdays": days(Slot(-5, 600))}, r"window\.weekdays\[0\]: .* is outside 00:00-24:00"),
        ({"weekdays": days(Slot(600, 1441))}, r"window\.weekdays\[0\]: .* is outside 00:00-24:00"),
        (
            {"weekdays": (*days()[:6], (Slot(600, 700), Slot(480, 601)))},
            r"window\.weekdays\[6\]: 08:00-10:01 and 10:00-11:40 overlap",
        ),
    ],
)
def test_a_window_that_cannot_be_meant_is_named(change: dict[str, object], message: str) -> None:
    window = msgspec.structs.replace(CallWindow(), **change)
    for refuse in (validate, WindowClock, lambda w: effective(campaign(w))):
        with pytest.raises(ValueError, match=message):
            refuse(window)


@pytest.mark.parametrize("window", [CallWindow(), ALWAYS, CallWindow(weekdays=days(*OFFICE, Slot(1020, 1440)))])
def test_a_sound_window_passes(window: CallWindow) -> None:
    validate(window)


def test_advertising_is_cut_to_the_legal_hours() -> None:
    late = CallWindow(weekdays=days(Slot(420, 720), Slot(960, 1200), Slot(1260, 1300)))
    assert effective(campaign(late)).weekdays == days(Slot(480, 720), Slot(960, 1020))


@pytest.mark.parametrize("settings_", [campaign(ALWAYS, agreed=True), campaign(ALWAYS, Purpose.COLLECTION)])
def test_agreed_or_other_calls_keep_their_window(settings_: CampaignSettings) -> None:
    assert effective(settings_) == ALWAYS


def test_advertising_in_the_evening_only_is_refused_with_the_way_out() -> None:
    evening = CallWindow(weekdays=days(Slot(1020, 1200)))
    with pytest.raises(ValueError, match=r"lawful only 08:00-17:00 .* set agreed_otherwise"):
        effective(campaign(evening))


@given(windows)
def test_the_effective_window_lies_within_both(window: CallWindow) -> None:
    try:
        legal = effective(campaign(window))
    except ValueError:
        legal = None
    for weekday, day in enumerate(window.weekdays):
        for minute in range(0, DAY_MIN, 7):
            inside = any(s.opens_min <= minute < s.closes_min for s in day) and 480 <= minute < 1020
            kept = legal is not None and any(s.opens_min <= minute < s.closes_min for s in legal.weekdays[weekday])
            assert kept is inside
