from __future__ import annotations

import pytest

from dialer.bench.views import bench_views, percentile


@pytest.mark.component("chdb")
def test_leads_and_funnels_are_asked_for_beside_bare_look_ups() -> None:
    steps: list[str] = []
    result = bench_views(leads=1_000, per_campaign=300, versions=3, questions=4, step=steps.append)
    assert result.settings == {"leads": 1_000, "per_campaign": 300, "versions": 3, "questions": 4}
    names = [figure.name for figure in result.figures]
    assert names == [
        f"{what}, p{part}"
        for what in (
            "one lead's status",
            "a bare look-up of one lead",
            "funnel of a campaign",
            "a bare count of its rows",
        )
        for part in (50, 95, 99)
    ]
    assert all(figure.value > 0 for figure in result.figures)
    goals = {figure.name: (figure.goal, figure.met) for figure in result.figures if figure.goal is not None}
    assert set(goals) == {"one lead's status, p99", "funnel of a campaign, p95"}
    assert [goal for goal, _ in goals.values()] == [20.0, 150.0]
    assert "1,000 leads, version 3 of 3" in steps


@pytest.mark.parametrize(("part", "value"), [(1, 1.0), (50, 2.0), (75, 3.0), (76, 4.0), (99, 4.0), (100, 4.0)])
def test_a_percentile_is_one_of_the_values(part: int, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], part) == value
