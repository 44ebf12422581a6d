"""One lead: the customer's information to edit (S0-20), and every call of the number (S0-21 to S0-23)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from crm.customers import read_customer
from crm.leads import LeadRow, need_lead
from dialer.errors import NotFound
from statuses.catalog import colour, label
from web.deps import WebDeps
from web.i18n import Words
from web.layout import frame, heading, page_title, words_of
from web.live import LiveBoard
from web.pages.calls import CallHistory
from web.pages.customer_form import CustomerForm

REFRESH_S: Final = 2.0


def register(deps: WebDeps, board: LiveBoard) -> None:
    """Put the page at `/leads/{id}`."""

    @ui.page("/leads/{lead_id}", response_timeout=20.0)
    async def lead(request: Request, lead_id: int) -> None:
        words = words_of(request)
        try:
            found = await need_lead(deps.engine, lead_id)
        except NotFound:
            with frame(request, words, title=words("leads.title"), path="/leads", now=deps.now()):
                _back(words)
                ui.label(words("leads.gone")).classes("panel empty")
            return
        zone = await _zone(board, found.campaign_id)
        page = _Page(deps, board, Words(words.lang, zone), found, author=str(request.session.get("user", "")))
        with frame(request, page.words, title=found.name or found.code, path="/leads", now=deps.now()):
            await page.build()
        board.watch()
        ui.context.client.on_delete(board.leave)
        ui.timer(REFRESH_S, page.refresh)


async def _zone(board: LiveBoard, campaign_id: int) -> str:
    snapshot = await board.current()
    zones = {view.campaign_id: view.settings.window.timezone for view in snapshot.campaigns}
    return zones[campaign_id]


def _back(words: Words) -> None:
    with ui.link(target="/leads").classes("back"):
        ui.icon("arrow_back").props("aria-hidden=true")
        ui.label(words("common.back"))


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    board: LiveBoard
    words: Words
    lead: LeadRow
    author: str
    _facts: Element = field(init=False)
    _form: CustomerForm = field(init=False)
    _history: CallHistory = field(init=False)
    _tabs: ui.tabs = field(init=False)
    _pulse: object = None

    async def build(self) -> None:
        _back(self.words)
        with ui.element("div").classes("lead-head"):
            page_title(self.lead.name or self.lead.code)
            ui.link(self.lead.phone, f"/dial?lead={self.lead.lead_id}").classes("muted num dial-link").props(
                f'title="{self.words("dial.call_this", phone=self.lead.phone)}"'
            )
        with ui.tabs().props("align=left no-caps dense inline-label").classes("lead-tabs") as self._tabs:
            info = ui.tab("info", self.words("lead.tab_info"))
            calls = ui.tab("calls", self.words("lead.tab_calls"))
        with ui.tab_panels(self._tabs, value=info, animated=False, keep_alive=True):
            with ui.tab_panel(info):
                await self._build_info()
            with ui.tab_panel(calls):
                self._history = CallHistory(self.deps, self.words, self.lead.phone)
                await self._history.build()

    async def refresh(self) -> None:
        """Read the lead and its calls again when something has changed; what is being typed stays."""
        pulse = self.board.snapshot.pulse if self.board.snapshot else None
        if pulse == self._pulse:
            return
        self._pulse = pulse
        try:
            self.lead = await need_lead(self.deps.engine, self.lead.lead_id)
        except NotFound:
            return
        self._form.lead = self.lead
        self._show_facts()
        if self._tabs.value == "calls":
            await self._history.load()

    async def _build_info(self) -> None:
        customer = await read_customer(self.deps.engine, self.lead.customer_id)
        with ui.element("section").classes("panel facts-box"):
            self._facts = ui.element("div").classes("facts")
            self._show_facts()
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("panel-title"):
                heading(self.words("lead.customer"), level=2)
            self._form = CustomerForm(self.deps, self.words, self.author, self._saved)
            self._form.build(customer, self.lead)

    def _show_facts(self) -> None:
        words, lead = self.words, self.lead
        facts = (
            ("lead.state", label(lead.state, words.lang), colour(lead.state)),
            ("lead.last_status", label(lead.status, words.lang), colour(lead.status)),
            ("lead.code", lead.code, ""),
            ("lead.phone", lead.phone, ""),
            ("lead.calls", words.number(lead.calls), ""),
            ("lead.next_at", words.at(lead.callback_at or lead.next_at or lead.call_at), ""),
            ("lead.campaign", lead.campaign, ""),
            ("lead.list", lead.list_name, ""),
            ("lead.agent", lead.agent or words("common.empty"), ""),
            ("lead.added_at", words.at(lead.added_at), ""),
        )
        self._facts.clear()
        with self._facts:
            for key, value, tint in facts:
                with ui.element("div").classes("fact"):
                    ui.label(words(key)).classes("name")
                    ui.label(value).classes("value").style(f"color: {tint}; font-weight: 600" if tint else "")

    async def _saved(self) -> None:
        self._pulse = None
        await self.refresh()
