"""The drawer "Why not dialing?": what holds the campaign, and how many customers wait for which reason."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from dialer.core.types import HoldReason
from web.i18n import Words
from web.layout import heading


async def show_why(words: Words, name: str, campaign_says: list[str], counts: Mapping[HoldReason | None, int]) -> None:
    """Open the drawer with what holds the whole campaign and the number of customers under each reason."""
    with ui.dialog().props("position=right") as dialog, ui.element("div").classes("sheet").props("role=dialog"):
        with ui.element("div").classes("sheet-head"):
            with ui.element("div"):
                heading(words("campaigns.why_title"), level=2)
                ui.label(name).classes("muted")
            ui.button(icon="close", on_click=dialog.close).props(
                f'flat round dense color=dark aria-label="{words("common.close")}"'
            )
        heading(words("campaigns.why_campaign"), level=3)
        for line in campaign_says or [words("campaigns.unlimited")]:
            ui.label(line)
        heading(words("campaigns.why_leads"), level=3)
        with ui.element("div"):
            for reason, count in sorted(counts.items(), key=lambda item: (item[0] is not None, -item[1])):
                key = f"hold.{reason}" if reason is not None else "campaigns.why_ready"
                _row(words, words(key), count)
            _row(words, words("campaigns.why_total"), sum(counts.values()), css="why-row total")
    dialog.on("hide", dialog.delete)
    dialog.open()


def _row(words: Words, text: str, count: int, css: str = "why-row") -> None:
    with ui.element("div").classes(css):
        ui.label(text)
        ui.label(words.number(count)).classes("value")
