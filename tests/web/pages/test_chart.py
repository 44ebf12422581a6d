from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.figures import Sample
from web.i18n import Words
from web.pages.chart import BUCKET_S, SPAN_S, chart_legend, chart_options, recent

NOW = 1_800_000_000.0
WORDS = Words("vi")


def sample(at: float, *, abandoned: int = 0, talking: int = 1) -> Sample:
    return Sample(
        at=at, idle=0, talking=talking, wrapping=0, ringing=0, waiting=0, placed=1, answered=1, abandoned=abandoned
    )


@given(st.lists(st.tuples(st.floats(0, 2_000), st.integers(0, 3)), max_size=200))
def test_thinning_loses_no_abandoned_call_and_keeps_order_and_size(made: list[tuple[float, int]]) -> None:
    samples = [sample(NOW - age, abandoned=count) for age, count in sorted(made, reverse=True)]
    kept = recent(samples, now=NOW)
    assert sum(one.abandoned for one in kept) == sum(s.abandoned for s in samples if s.at >= NOW - SPAN_S)
    assert [one.at for one in kept] == sorted(one.at for one in kept)
    assert len(kept) <= SPAN_S / BUCKET_S + 1


def test_a_bucket_shows_its_last_gauge() -> None:
    start = NOW - NOW % BUCKET_S
    (only,) = recent([sample(start, talking=3), sample(start + 1, talking=9)], now=NOW)
    assert only.talking == 9


def test_every_series_has_one_point_per_label_and_the_legend_names_them_all() -> None:
    samples = recent([sample(NOW - 5 * n, abandoned=n) for n in range(20, 0, -1)], now=NOW)
    options = chart_options(samples, WORDS)
    labels = options["xAxis"]["data"]
    assert len(labels) == len(samples) == 20
    assert all(len(series["data"]) == 20 for series in options["series"])
    assert [series["name"] for series in options["series"]] == [name for name, _ in chart_legend(WORDS)]
    assert [series["itemStyle"]["color"] for series in options["series"]] == [tint for _, tint in chart_legend(WORDS)]
    assert labels[-1] == WORDS.clock(samples[-1].at)
