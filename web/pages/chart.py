"""The chart of a campaign's last 15 minutes, as options for ECharts (bundled, nothing is fetched)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dialer.core.figures import Sample
from web.i18n import Words

SPAN_S: Final = 900.0
BUCKET_S: Final = 5.0
_SERIES: Final = (
    ("campaigns.talking", "talking", "#0f6b5c"),
    ("campaigns.idle", "idle", "#6f8aa0"),
    ("campaigns.ringing", "ringing", "#c27a00"),
)
ABANDONED: Final = "#b3261e"
_AXIS: Final = {"color": "#556270", "fontSize": 11}


def chart_legend(words: Words) -> list[tuple[str, str]]:
    """List the chart's series as (label, colour)."""
    lines = [(words(key), colour) for key, _, colour in _SERIES]
    return [*lines, (words("campaigns.abandoned"), ABANDONED)]


def recent(samples: Sequence[Sample], *, now: float) -> list[Sample]:
    """Thin the samples of the last 15 minutes to one per 5 s: the last gauge, the sum of the counts."""
    buckets: dict[int, Sample] = {}
    for sample in samples:
        if sample.at < now - SPAN_S:
            continue
        key = int(sample.at // BUCKET_S)
        buckets[key] = _merged(buckets.get(key), sample)
    return [buckets[key] for key in sorted(buckets)]


def _merged(before: Sample | None, sample: Sample) -> Sample:
    if before is None:
        return sample
    return Sample(
        at=sample.at,
        idle=sample.idle,
        talking=sample.talking,
        wrapping=sample.wrapping,
        ringing=sample.ringing,
        waiting=sample.waiting,
        placed=before.placed + sample.placed,
        answered=before.answered + sample.answered,
        abandoned=before.abandoned + sample.abandoned,
    )


def chart_options(samples: Sequence[Sample], words: Words) -> dict[str, Any]:
    """Draw talking, ready and ringing as lines, and abandoned calls as bars, over the campaign's local time."""
    abandoned = {
        "name": words("campaigns.abandoned"),
        "type": "bar",
        "data": [sample.abandoned for sample in samples],
        "itemStyle": {"color": ABANDONED},
        "barMaxWidth": 6,
    }
    return {
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "grid": {"left": 30, "right": 8, "top": 10, "bottom": 24},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "category",
            "data": [words.clock(sample.at) for sample in samples],
            "axisLabel": {**_AXIS, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": "#dde3e8"}},
            "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": _AXIS,
            "splitLine": {"lineStyle": {"color": "#edf0f3"}},
        },
        "series": [*(_line(words(key), name, colour, samples) for key, name, colour in _SERIES), abandoned],
    }


def _line(label: str, name: str, colour: str, samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "name": label,
        "type": "line",
        "showSymbol": False,
        "data": [getattr(sample, name) for sample in samples],
        "itemStyle": {"color": colour},
        "lineStyle": {"width": 1.8},
    }
