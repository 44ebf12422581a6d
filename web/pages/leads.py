"""The lead screen, menu Khách Hàng (requirements S0-1 to S0-18): filters, orders, the table, edit and delete."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from nicegui import ui

from crm.leads import LeadFilter, LeadOrder, LeadPage, list_leads
from dialer.errors import DialerError
from web.deps import WebDeps
from web.grid import Pager, make_table, show_rows
from web.i18n import Words
from web.layout import frame, page_title, words_of
from web.live import LiveBoard
from web.pages.lead_columns import lead_columns, lead_row
from web.pages.lead_delete import delete_lead
from web.pages.lead_filters import FilterBar, Wanted

REFRESH_S: Final = 2.0
_REMEMBERED_MAX: Final = 500


def register(deps: WebDeps, board: LiveBoard) -> None:
    """Put the page at `/leads`; `?campaign=ID` opens it with that campaign chosen."""
    remembered: OrderedDict[str, Wanted] = OrderedDict()

    @ui.page("/leads", response_timeout=20.0)
    async def leads(request: Request, campaign: int | None = None) -> None:
        words = words_of(request)
        reader = str(request.session.get("sid", ""))
        wanted = Wanted(campaign_id=campaign) if campaign is not None else remembered.get(reader, Wanted())
        page = _Page(deps, board, words, wanted, lambda kept: _remember(remembered, reader, kept))
        with frame(request, words, title=words("leads.title"), path="/leads", now=deps.now()):
            page_title(words("leads.title"), words("leads.subtitle"))
            await page.build()
        board.watch()
        ui.context.client.on_delete(board.leave)
        ui.timer(REFRESH_S, page.refresh)


def _remember(remembered: OrderedDict[str, Wanted], reader: str, wanted: Wanted) -> None:
    remembered[reader] = wanted
    remembered.move_to_end(reader)
    while len(remembered) > _REMEMBERED_MAX:
        remembered.popitem(last=False)


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    board: LiveBoard
    words: Words
    wanted: Wanted
    keep: Any
    _table: ui.table = field(init=False)
    _pager: Pager = field(init=False)
    _failed: ui.label = field(init=False)
    _nothing: ui.label = field(init=False)
    _pulse: object = None

    async def build(self) -> None:
        bar = FilterBar(self.deps, self.words, self.wanted, self._apply)
        await bar.build()
        self.wanted = bar.chosen()
        self._failed = ui.label().classes("notice bad").props("role=alert")
        with ui.element("section").classes("panel grid-box"):
            self._table = make_table(lead_columns(self.words), label=self.words("leads.title"))
            self._table.on("sort", self._sort_by_name)
            self._table.on("bin", self._delete)
            self._nothing = ui.label(self.words("leads.nothing")).classes("empty")
            self._pager = Pager(self.words, "leads.showing", self._load)
            self._pager.build()
        self._mark_order()
        await self._load()

    async def refresh(self) -> None:
        """Read the page again when something has changed since; the filters and the scroll stay."""
        pulse = self.board.snapshot.pulse if self.board.snapshot else None
        if pulse != self._pulse:
            await self._load()

    async def _apply(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._pager.offset = 0
        self.keep(wanted)
        self._mark_order()
        await self._load()

    async def _load(self) -> None:
        self._pulse = self.board.snapshot.pulse if self.board.snapshot else None
        try:
            page = await self._read()
        except DialerError as error:
            self._failed.set_text(str(error))
            self._failed.set_visibility(True)
            return
        self._failed.set_visibility(False)
        self._show(page)

    async def _read(self) -> LeadPage:
        wanted = self.wanted
        chosen = LeadFilter(
            phone=wanted.phone or None,
            campaign_id=wanted.campaign_id,
            list_id=wanted.list_id,
            statuses=frozenset({wanted.status}) if wanted.status else frozenset(),
        )
        return await list_leads(
            self.deps.engine, chosen, wanted.order, offset=self._pager.offset, limit=self._pager.per_page
        )

    def _show(self, page: LeadPage) -> None:
        show_rows(self._table, [lead_row(row, self.words) for row in page.rows])
        self._nothing.set_visibility(not page.rows)
        self._pager.show(shown=len(page.rows), total=page.total)

    async def _sort_by_name(self) -> None:
        order = LeadOrder.DEFAULT if self.wanted.order is LeadOrder.NAME else LeadOrder.NAME
        await self._apply(self.wanted.with_order(order))

    def _mark_order(self) -> None:
        for column in self._table.columns:
            if column["name"] == "name":
                column["sorted"] = "ascending" if self.wanted.order is LeadOrder.NAME else "none"
        self._table.update()

    async def _delete(self, event: Any) -> None:
        if await delete_lead(self.deps, self.words, event.args):
            await self.board.refresh()
            await self._load()
