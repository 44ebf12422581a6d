"""Callback appointments, Lịch hẹn gọi lại (S2-17 to S2-19): who is to be called back, when, and by whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from fastapi import Request
from nicegui import ui

from crm.callbacks import CallbackFilter, CallbackItem, finish_callback, list_callbacks
from crm.leads import campaigns_with_leads
from dialer.errors import DialerError
from web.deps import WebDeps
from web.dialogs import confirmed
from web.grid import Column, Pager, make_table, show_rows
from web.i18n import Words
from web.layout import frame, page_title, words_of

PATH: Final = "/callbacks"
REFRESH_S: Final = 5.0
ALL: Final = 0
_NAMES: Final = ("due", "name", "phone", "campaign", "reason", "agent", "by", "action")


def register(deps: WebDeps) -> None:
    """Put the page at `/callbacks`."""

    @ui.page(PATH, response_timeout=20.0)
    async def callbacks(request: Request) -> None:
        words = words_of(request)
        page = _Page(deps, words, str(request.session.get("user", "")))
        with frame(request, words, title=words("callbacks.title"), path=PATH, now=deps.now()):
            page_title(words("callbacks.title"), words("callbacks.subtitle"))
            await page.build()
        ui.timer(REFRESH_S, page.load)


def callback_columns(words: Words) -> list[Column]:
    """Return the columns of the list."""
    done = words("callbacks.done")
    action = (
        f'<q-btn v-if="!props.row.done" flat dense round size="sm" icon="task_alt" aria-label="{done}" title="{done}"'
        " @click=\"() => $parent.$emit('done', props.row.id)\"></q-btn>"
    )
    name = '<a class="dial-link" :href="`/leads/${props.row.lead}`">{{ props.row.name }}</a>'
    due = "<span :class=\"props.row.late ? 'status text-weight-bold' : ''\">{{ props.row.due }}</span>"
    cells = {"action": action, "name": name, "due": due}
    return [Column(key, words(f"callbacks.{key}"), cells.get(key, "")) for key in _NAMES]


def callback_row(item: CallbackItem, words: Words, *, now: float) -> dict[str, Any]:
    """Write one callback as the table's row."""
    if item.done_at is not None:
        by = words("callbacks.done_by", who=item.done_by or words("common.none"), at=words.at(item.done_at))
    else:
        by = words("callbacks.by_dialer" if item.by_dialer else "callbacks.by_people")
    return {
        "id": item.key,
        "lead": item.lead_id,
        "due": words.at(item.due_at),
        "late": item.done_at is None and item.due_at <= now,
        "name": item.name or item.phone or words("common.none"),
        "phone": item.phone,
        "campaign": item.campaign,
        "reason": words(f"callbacks.reason.{item.reason}", n=item.calls),
        "agent": item.agent or "",
        "by": by,
        "done": item.done_at is not None,
    }


@dataclass(slots=True)
class _Page:
    deps: WebDeps
    words: Words
    user: str
    _campaign: ui.select = field(init=False)
    _day: ui.input = field(init=False)
    _done: ui.switch = field(init=False)
    _table: ui.table = field(init=False)
    _nothing: ui.label = field(init=False)
    _pager: Pager = field(init=False)

    async def build(self) -> None:
        """Create the filters and the table, and show what is due first."""
        await self._filters()
        with ui.element("section").classes("panel grid-box"):
            self._table = make_table(callback_columns(self.words), label=self.words("callbacks.title"))
            self._table.on("done", self._finish)
            self._nothing = ui.label(self.words("callbacks.none")).classes("empty")
            self._pager = Pager(self.words, "callbacks.showing", self.load)
            self._pager.build()
        await self.load()

    async def _filters(self) -> None:
        words = self.words
        with (
            ui.element("form")
            .classes("panel filters")
            .props(f'aria-label="{words("leads.filters")}"')
            .on("submit", self._press, js_handler="(event) => { event.preventDefault(); emit(); }")
        ):
            jobs = {found.id: found.name for found in await campaigns_with_leads(self.deps.engine)}
            self._campaign = ui.select(
                {ALL: words("leads.all"), **jobs}, value=ALL, label=words("callbacks.job"), with_input=True
            )
            self._campaign.props("outlined dense options-dense")
            self._day = ui.input(words("callbacks.day")).props("outlined dense type=date stack-label")
            self._done = ui.switch(words("callbacks.show_done")).props("dense")
            ui.button(words("common.confirm"), icon="filter_alt").props("unelevated no-caps type=submit")

    async def _press(self) -> None:
        self._pager.offset = 0
        await self.load()

    async def load(self) -> None:
        """Read the page of the list that is on the screen."""
        day = date.fromisoformat(self._day.value) if self._day.value else None
        wanted = CallbackFilter(self._campaign.value or None, day, self.words.zone, bool(self._done.value))
        page = await list_callbacks(self.deps.engine, wanted, offset=self._pager.offset, limit=self._pager.per_page)
        now = self.deps.now()
        show_rows(self._table, [callback_row(item, self.words, now=now) for item in page.rows])
        self._nothing.set_visibility(not page.rows)
        self._pager.show(shown=len(page.rows), total=page.total)

    async def _finish(self, event: Any) -> None:
        if not await confirmed(self.words, self.words("callbacks.done_ask"), yes=self.words("callbacks.done")):
            return
        try:
            await finish_callback(self.deps.engine, str(event.args), by=self.user, now=self.deps.now())
        except DialerError as error:
            ui.notify(str(error), type="negative")
        await self.load()
