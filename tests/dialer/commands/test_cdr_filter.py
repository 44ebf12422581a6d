from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cdr.queries import CdrFilter
from dialer.commands.cdr_filter import Wish, make_filter, takes_wish, zone_of
from dialer.errors import BadInput
from statuses.outcomes import CallStatus

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
    assert make_filter(Wish(status=["BUSY", "NA", "no answered"]), HANOI).status == (
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


def test_every_option_of_a_wish_reaches_the_filter() -> None:
    wish = Wish(
        campaign="c", phone="0901234567", status=["busy"], started_from="2026-11-22", started_to="2026-11-23",
        ended_from="2026-11-22", ended_to="2026-11-22", hotline="1900", direction="inbound", app="dial", agent="a",
        extension="1001", call_id="x", lead=1, customer=2, list_id=3, trunk="t", carrier="viettel", disposition="SALE",
        ended_by="agent", reason="r", sip_status=[486], q850=[17], recorded=False, min_duration=1, max_duration=2,
        min_talk=3, max_talk=4, min_wait=5,
    )  # fmt: skip
    made = msgspec.structs.asdict(make_filter(wish, HANOI, limit=7, offset=8))
    assert {name for name, value in made.items() if value in (None, ())} == {"campaign_id", "before_at", "before_id"}
    assert made["ended_to"] - made["ended_from"] == 86_400
    assert (made["lead_id"], made["customer_id"], made["list_id"]) == (1, 2, 3)
    assert (made["sip_status"], made["q850"], made["recorded"]) == ((486,), (17,), False)
    assert [made[f"{name}_s"] for name in ("min_duration", "max_duration", "min_talk", "max_talk", "min_wait")] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert (made["limit"], made["offset"]) == (7, 8)


@pytest.mark.parametrize(
    ("name", "first", "after"),
    [
        ("today", "2026-03-01", "2026-03-02"),
        ("yesterday", "2026-02-28", "2026-03-01"),
        ("last-7-days", "2026-02-23", "2026-03-02"),
        ("last-30-days", "2026-01-31", "2026-03-02"),
        ("this-month", "2026-03-01", "2026-03-02"),
        ("last-month", "2026-02-01", "2026-03-01"),
    ],
)
def test_periods_are_whole_days_of_the_zone(name: str, first: str, after: str) -> None:
    wanted = make_filter(Wish(period=name), HANOI, today=date(2026, 3, 1))
    assert (wanted.started_from, wanted.started_to) == (at(f"{first}T00:00+07:00"), at(f"{after}T00:00+07:00"))


def test_the_voice_status_of_a_call_is_a_set_of_statuses() -> None:
    voices = [set(make_filter(Wish(voice=voice), HANOI).status) for voice in ("connected", "ivr", "missed")]
    assert voices[:2] == [{"answered"}, {"ivr"}]
    assert set.union(*voices) == {status.value for status in CallStatus}
    assert sum(map(len, voices)) == len(CallStatus)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish(period="today", started_from="2026-01-01"), "--period stands in"),
        (Wish(period="someday"), "--period 'someday': write today, yesterday"),
        (Wish(voice="missed", status=["busy"]), "--voice stands in"),
        (Wish(voice="loud"), "--voice 'loud': write connected, ivr or missed"),
        (Wish(started_from="2026-11-23", started_to="2026-11-21"), "is after --to"),
        (Wish(ended_from="soon"), "--ended-from 'soon'"),
        (Wish(app="game"), "--app 'game': write autocall, autodialer"),
        (Wish(ended_by="god"), "--ended-by 'god': write remote, dialer or agent"),
        (Wish(sip_status=[200, 99]), "--sip-status 99: write 100 to 699"),
        (Wish(q850=[128]), "--q850 128: write 1 to 127"),
        (Wish(lead=0), "--lead 0: an id is 1 or more"),
        (Wish(min_talk=-1), "--min-talk -1: write seconds"),
        (Wish(min_wait=float("nan")), "--min-wait nan"),
        (Wish(min_duration=9, max_duration=8), "--min-duration is more than --max-duration"),
    ],
)
def test_a_wrong_wish_is_named_with_what_it_takes(wish: Wish, says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        make_filter(wish, HANOI)


def test_a_command_shows_the_wish_as_its_own_options() -> None:
    got: list[tuple[Wish, int]] = []

    @takes_wish
    def command(wish: Wish, more: int = 3) -> None:
        """Do."""
        got.append((wish, more))

    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["--agent", "x", "--sip-status", "486", "--sip-status", "603", "--not-recorded"])
    assert done.exit_code == 0, done.output
    assert got == [(Wish(agent="x", status=None, sip_status=[486, 603], recorded=False), 3)]
