from __future__ import annotations

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dialer.bench.load import Load, Seen
from dialer.bench.load_report import Spread, report_of, to_table

LOAD = Load(trunk="main", numbers=("+84900000001",), hotline="1", rate=10.0, duration_s=2.0, hold_s=1.0)


def seen() -> Seen:
    found = Seen(due=20, placed=15, answered=11, backlog_peak=2, live_peak=9, cut_off=1, cpu_s=0.03, elapsed_s=3.2)
    found.refused_here.update({"trunk: rate": 5})
    found.codes.update({486: 3, 200: 11})
    found.no_response.update({"timeout": 1})
    found.to_answer_s += [0.010, 0.020, 0.030]
    return found


def test_a_report_is_an_object_of_plain_values() -> None:
    report = report_of(LOAD, seen(), server="10.0.0.1:5060", transport="udp")
    assert (report.calls, report.placed, report.answered) == (20, 15, 11)
    assert list(report.codes.items()) == [("200", 11), ("486", 3)]
    assert report.refused_here == {"trunk: rate": 5}
    assert report.to_answer == Spread(20.0, 30.0, 30.0, 30.0)
    assert report.to_ringing is None
    assert report.cpu_ms_per_call == 2.0
    assert report.arrivals == "even"


def test_without_a_call_nothing_is_divided() -> None:
    report = report_of(LOAD, Seen(), server="x", transport="udp")
    assert report.cpu_ms_per_call is None
    assert report.to_answer is None


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_are_times_that_were_measured_in_order(seconds: list[float]) -> None:
    spread = Spread.of(seconds)
    assert spread is not None
    times = {round(one * 1000, 3) for one in seconds}
    assert {spread.p50, spread.p90, spread.p99, spread.max} <= times
    assert spread.p50 <= spread.p90 <= spread.p99 <= spread.max == max(times)


def test_people_read_what_happened_and_nothing_that_did_not() -> None:
    out = StringIO()
    Console(file=out, width=120).print(to_table(report_of(LOAD, seen(), server="10.0.0.1:5060", transport="udp")))
    text = out.getvalue()
    for words in (
        "main (udp:10.0.0.1:5060): 10 calls a second", "20 due, 15 placed, 11 answered", "200: 11, 486: 3",
        "timeout: 1", "trunk: rate: 5", "p50 20.0, p90 30.0", "2 ms a call",
    ):  # fmt: skip
        assert words in text
    assert "INVITE to 180" not in text
    assert "interrupted" not in text
