from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.queries import CdrFilter
from dialer.commands.cdr_filter import Wish, make_filter, zone_of
from dialer.errors import BadInput

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_nothing_asked_filters_nothing() -> None:
    assert make_filter(Wish(), HANOI) == CdrFilter()


@pytest.mark.parametrize(
    ("text", "from_", "to"),
    [
        ("2026-11-22", "2026-11-22T00:00+07:00", "2026-11-23T00:00+07:00"),
        ("20261122", "2026-11-22T00:00+07:00", "2026-11-23T00:00+07:00"),
        ("2026-11-22T00:00", "2026-11-22T00:00+07:00", "2026-11-22T00:00+07:00"),
        ("2026-11-22 08:30", "2026-11-22T08:30+07:00", "2026-11-22T08:30+07:00"),
        ("2026-11-22T08:30Z", "2026-11-22T08:30+00:00", "2026-11-22T08:30+00:00"),
    ],
)
def test_dates_are_whole_days_of_the_zone_and_times_are_moments(text: str, from_: str, to: str) -> None:
    wanted = make_filter(Wish(started_from=text, started_to=text), HANOI)
    assert (wanted.started_from, wanted.started_to) == (at(from_), at(to))


def test_a_number_is_read_however_it_is_written() -> None:
    assert {
        make_filter(Wish(phone=text), HANOI).phone for text in ("0901234567", "84901234567", "+84 90 123 4567")
    } == {"+84901234567"}


def test_statuses_are_read_by_name_code_and_alias() -> None:
    assert make_filter(Wish(status=("BUSY", "NA", "no answered")), HANOI).status == (
        "busy",
        "no-answered",
        "no-answered",
    )


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 -- as a person types it
def test_any_moment_can_be_asked_for(moment: datetime) -> None:
    wanted = make_filter(Wish(started_from=moment.isoformat()), UTC)
    assert wanted.started_from is not None
    assert abs(datetime.fromtimestamp(wanted.started_from, UTC) - moment.replace(tzinfo=UTC)) < timedelta(
        milliseconds=1
    )


@given(st.text(max_size=12))
def test_any_text_is_a_moment_or_refused_by_name(text: str) -> None:
    try:
        make_filter(Wish(started_to=text), HANOI)
    except BadInput as refused:
        said = str(refused)
    else:
        said = "--to"
    assert said.startswith("--to")


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../etc/passwd", "a" * 300])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="--timezone"):
        zone_of(name)
