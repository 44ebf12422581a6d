from __future__ import annotations

import pytest

from dialer.core.pacing.forecast import Forecast
from web.i18n import Lang, Words
from web.pages.forecast import cells_of

TEAM = Forecast(
    agents=12, occupancy=0.874, abandonment=0.0291, wait_mean_s=18.4, wait_p90_s=31.2, dials_per_hour=1650.0,
    talks_per_hour=1320.4, list_hours=7.25,
)  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "cells"),
    [
        ("vi", ("12", "87,4%", "2,9%", "18 (31)", "1.320", "7,2")),
        ("en", ("12", "87.4%", "2.9%", "18 (31)", "1,320", "7.2")),
    ],
)
def test_a_team_is_told_in_the_readers_language(lang: Lang, cells: tuple[str, ...]) -> None:
    assert cells_of(TEAM, Words(lang)) == cells


def test_a_list_that_is_not_called_lasts_no_time_at_all() -> None:
    idle = Forecast(1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None)
    assert cells_of(idle, Words("en"))[-1] == ""
