"""The drawer "What if": other team sizes, played from what the campaign has learned."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from nicegui import ui

from crm.forecasting import WhatCame, WhatIf, play
from dialer.core.pacing.forecast import Forecast
from web.drawer import drawer
from web.i18n import Words

_COLUMNS = ("agents", "occupancy", "abandoned", "wait", "talks", "list")


async def play_apart(question: WhatIf) -> WhatCame:
    """Play it in a process of its own: the engine that dials in this one must not wait for it."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, play, question)


def cells_of(team: Forecast, words: Words) -> tuple[str, ...]:
    """Return the texts of one row, in the order of the headings."""
    return (
        words.number(team.agents),
        words.share(team.occupancy),
        words.share(team.abandonment),
        f"{team.wait_mean_s:.0f} ({team.wait_p90_s:.0f})",
        words.number(round(team.talks_per_hour)),
        "" if team.list_hours is None else words.number(team.list_hours, 1),
    )


def show_forecast(words: Words, came: WhatCame) -> None:
    """Open the drawer with one row for each team."""
    with drawer(words, words("forecast.title"), came.campaign):
        ui.label(
            words(
                "forecast.basis",
                p=words.share(came.answer_rate),
                talk=f"{came.talk_s:.0f}",
                wrap=f"{came.wrap_s:.0f}",
                leads=words.number(came.leads),
            )
        )
        if not came.learned:
            ui.label(words("forecast.cold")).classes("notice").props("role=status")
        with ui.element("div").classes("forecast").props('role="table"'):
            _row([words(f"forecast.{column}") for column in _COLUMNS], role="columnheader")
            for team in came.teams:
                _row(cells_of(team, words), role="cell")
        ui.label(words("forecast.caveat")).classes("muted")


def _row(texts: list[str] | tuple[str, ...], *, role: str) -> None:
    with ui.element("div").classes(f"forecast-row {role}").props('role="row"'):
        for text in texts:
            ui.label(text).props(f'role="{role}"')
