"""The drawer "Why not dialing?": what holds the campaign, and how many customers wait for which reason."""

from __future__ import annotations

from nicegui import ui

from crm.why import CampaignHold, WhyReport
from dialer.core.types import HoldReason
from web.drawer import drawer
from web.i18n import Words
from web.layout import heading


def hold_text(hold: CampaignHold, report: WhyReport, words: Words) -> str:
    """Say in the reader's language what holds the whole campaign, and until when."""
    if hold.reason == "no_service":
        return words("campaigns.not_served")
    said = words(f"hold.{hold.reason}")
    if hold.reason is HoldReason.CAMPAIGN_NOT_RUNNING:
        said = f"{said} ({words(f'state.{report.state}')})"
    return said if hold.until is None else f"{said}. {words('campaigns.opens_at', at=words.at(hold.until))}"


def show_why(words: Words, report: WhyReport) -> None:
    """Open the drawer with what holds the whole campaign and the number of customers under each reason."""
    with drawer(words, words("campaigns.why_title"), report.name):
        heading(words("campaigns.why_campaign"), level=3)
        with ui.element("ul").classes("plain-list"):
            for line in [hold_text(hold, report, words) for hold in report.holds] or [words("campaigns.unlimited")]:
                with ui.element("li"):
                    ui.label(line)
        heading(words("campaigns.why_leads"), level=3)
        _counts(words, report)


def _counts(words: Words, report: WhyReport) -> None:
    ordered = sorted(report.counts.items(), key=lambda item: (item[0] is not None, -item[1]))
    with ui.element("div"):
        for reason, count in ordered:
            key = f"hold.{reason}" if reason is not None else "campaigns.why_ready"
            _row(words, words(key), count)
        _row(words, words("campaigns.why_total"), sum(report.counts.values()), css="why-row total")


def _row(words: Words, text: str, count: int, css: str = "why-row") -> None:
    with ui.element("div").classes(css):
        ui.label(text)
        ui.label(words.number(count)).classes("value")
