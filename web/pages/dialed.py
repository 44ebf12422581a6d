"""The screen of the customer who was dialed: information, consultation history, script, and the job (S2-14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui
from nicegui.element import Element

from crm.customers import read_customer
from crm.leads import LeadRow, need_lead
from dialer.errors import NotFound
from statuses.catalog import colour, label
from web.deps import WebDeps
from web.i18n import Words
from web.layout import heading
from web.live import CampaignView
from web.pages.calls import CallHistory
from web.pages.customer_form import CustomerForm


@dataclass(slots=True)
class CustomerScreen:
    """Fill `box` with a customer; `show` replaces whom it showed before."""

    deps: WebDeps
    words: Words
    author: str
    box: Element
    call: Callable[[int], Awaitable[None]]
    """Call a lead's customer from the chosen desk."""

    async def show(self, lead_id: int, campaign: CampaignView | None) -> None:
        """Show a lead's customer; one who is gone clears the screen."""
        self.box.clear()
        try:
            lead = await need_lead(self.deps.engine, lead_id)
        except NotFound:
            return
        words = self.words
        with self.box:
            with ui.element("div").classes("lead-head"):
                heading(lead.name or lead.code, level=2)
                ui.link(lead.phone, f"/leads/{lead.lead_id}").classes("muted num dial-link")
                again = ui.button(words("dial.call"), icon="call", on_click=lambda: self.call(lead_id))
                again.props("outline dense no-caps color=positive")
                again.props["aria-label"] = words("dial.call_this", phone=lead.phone)
            with ui.tabs().props("align=left no-caps dense inline-label").classes("dialed-tabs") as tabs:
                names = ("dial.update", "dial.history", "dial.script", "dial.job")
                update, history, script, job = (ui.tab(name, words(name)) for name in names)
            with ui.tab_panels(tabs, value=update, animated=False, keep_alive=True):
                with ui.tab_panel(update):
                    await self._information(lead)
                with ui.tab_panel(history):
                    await CallHistory(self.deps, words, lead.phone).build()
                with ui.tab_panel(script):
                    self._script(campaign)
                with ui.tab_panel(job):
                    self._job(lead)

    async def _information(self, lead: LeadRow) -> None:
        customer = await read_customer(self.deps.engine, lead.customer_id)
        with ui.element("section").classes("panel"):
            CustomerForm(self.deps, self.words, self.author, _nothing_more).build(customer, lead)

    def _script(self, campaign: CampaignView | None) -> None:
        text = "" if campaign is None else campaign.settings.script or campaign.settings.prompt or ""
        with ui.element("section").classes("panel dial-script"):
            ui.label(text or self.words("dial.no_script")).classes("" if text else "muted")

    def _job(self, lead: LeadRow) -> None:
        words = self.words
        facts = (
            ("lead.campaign", lead.campaign, ""),
            ("lead.list", lead.list_name, ""),
            ("lead.state", label(lead.state, words.lang), colour(lead.state)),
            ("lead.last_status", label(lead.status, words.lang), colour(lead.status)),
            ("lead.calls", words.number(lead.calls), ""),
            ("lead.next_at", words.at(lead.callback_at or lead.next_at or lead.call_at), ""),
            ("lead.agent", lead.agent or words("common.empty"), ""),
        )
        with ui.element("section").classes("panel facts-box"), ui.element("div").classes("facts"):
            for key, value, tint in facts:
                with ui.element("div").classes("fact"):
                    ui.label(words(key)).classes("name")
                    ui.label(value).classes("value").style(f"color: {tint}; font-weight: 600" if tint else "")


async def _nothing_more() -> None:
    """Leave the screen as it is: what was typed is what was saved."""
