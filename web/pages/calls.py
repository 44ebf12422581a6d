"""The call history of one number (S0-21, S0-22): every call of the number, whichever lead or campaign it was for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from cdr.queries import MISSED, CallRow, CdrFilter
from dialer.core.types import Direction
from statuses.catalog import colour, label
from statuses.outcomes import CallStatus
from web.deps import WebDeps
from web.grid import Column, Pager, make_table, show_rows
from web.i18n import Words
from web.pages.call_detail import show_call
from web.pages.recordings import download, recording_cell, show_player

_NAMES: Final = (
    "started",
    "app",
    "extension",
    "agent",
    "direction",
    "phone",
    "hotline",
    "status",
    "ended_by",
    "duration",
    "billsec",
    "action",
)
_PLAIN: Final = {
    "started": "nowrap",
    "phone": "nowrap",
    "hotline": "nowrap",
    "status": "wrap",
    "duration": "right",
    "billsec": "right",
}


def call_columns(words: Words) -> list[Column]:
    """Return the columns of S0-22 in their order."""
    status = '<span class="status" :style="{color: props.row.colour}">{{ props.row.status }}</span>'
    open_ = words("calls.open")
    action = (
        f'<div class="row-actions">{recording_cell(words)}'
        f'<q-btn flat dense round size="sm" icon="info" aria-label="{open_}" title="{open_}"'
        " @click=\"() => $parent.$emit('open', props.row.id)\"></q-btn></div>"
    )
    phone = (
        f'<a class="dial-link" :href="`/dial?call=${{props.row.id}}`" title="{words("dial.call")}">'
        "{{ props.row.phone }}</a>"
    )
    cells = {"status": status, "phone": phone, "action": action}
    return [Column(name, words(f"calls.{name}"), cells.get(name, ""), css=_PLAIN.get(name, "")) for name in _NAMES]


def call_row(call: CallRow, words: Words, *, recorded: bool = False) -> dict[str, Any]:
    """Write one call as the table's row."""
    status = CallStatus(call.status)
    return {
        "id": call.call_id,
        "recorded": recorded,
        "started": words.at(call.started_at),
        "app": call.app,
        "extension": call.extension,
        "agent": call.agent_id,
        "direction": words(f"direction.{way_of(call)}"),
        "phone": call.phone_e164,
        "hotline": call.hotline,
        "status": label(status, words.lang),
        "colour": colour(status),
        "ended_by": words(f"ended.{call.ended_by}") if call.ended_by else "",
        "duration": words.duration(call.duration_s),
        "billsec": words.duration(call.billsec_s),
    }


def way_of(call: CallRow) -> str:
    """Return outbound, inbound, or missed for a call of the customer's that nobody took (S2-3)."""
    missed = call.direction == Direction.INBOUND and call.status != CallStatus.ANSWERED
    return MISSED if missed else call.direction


@dataclass(slots=True)
class CallHistory:
    """The table with its column chooser and pages; `load` reads it again."""

    deps: WebDeps
    words: Words
    phone: str
    _table: ui.table = field(init=False)
    _pager: Pager = field(init=False)
    _nothing: ui.label = field(init=False)
    _ways: ui.select = field(init=False)
    _way: str = ""
    _hidden: set[str] = field(default_factory=set)

    async def build(self) -> None:
        """Create the elements inside the current slot and show the first page."""
        columns = call_columns(self.words)
        with ui.element("section").classes("panel grid-box"):
            with ui.element("div").classes("grid-tools"):
                ui.label(self.words("calls.of_number", phone=self.phone)).classes("text-weight-bold")
                self._way_filter()
                self._chooser(columns)
            self._table = make_table(columns, label=self.words("lead.tab_calls"))
            self._table.on("open", self._open)
            self._table.on("listen", lambda event: show_player(self.deps.recordings, self.words, str(event.args)))
            self._table.on("download", lambda event: download(self.deps.recordings, self.words, str(event.args)))
            self._nothing = ui.label(self.words("calls.none")).classes("empty")
            self._pager = Pager(self.words, "calls.showing", self.load)
            self._pager.build()
        await self.load()

    async def load(self) -> None:
        """Read the page of the history that is on the screen."""
        wanted = CdrFilter(
            phone=self.phone, direction=self._way or None, limit=self._pager.per_page, offset=self._pager.offset
        )
        rows = await self.deps.cdr.search(wanted)
        total = await self.deps.cdr.count(wanted)
        shelf = self.deps.recordings
        heard = frozenset[str]() if shelf is None else await shelf.having([row.call_id for row in rows])
        show_rows(self._table, [call_row(row, self.words, recorded=row.call_id in heard) for row in rows])
        self._nothing.set_visibility(not rows)
        self._pager.show(shown=len(rows), total=total)

    def _way_filter(self) -> None:
        """Filter by incoming, outgoing, missed; it takes effect on the button (S2-3)."""
        ways = {"": "all", Direction.INBOUND.value: "inbound", Direction.OUTBOUND.value: "outbound", MISSED: MISSED}
        options = {way: self.words(f"direction.{name}") for way, name in ways.items()}
        self._ways = ui.select(options, value="").props(
            f'outlined dense options-dense aria-label="{self.words("direction.all")}"'
        )
        ui.button(self.words("common.confirm"), on_click=self._confirm).props("outline dense no-caps color=dark")

    async def _confirm(self) -> None:
        self._way, self._pager.offset = str(self._ways.value or ""), 0
        await self.load()

    def _chooser(self, columns: list[Column]) -> None:
        button = ui.button(self.words("calls.columns"), icon="view_column").props("outline dense no-caps color=dark")
        with button, ui.menu(), ui.element("div").classes("column-menu"):
            for column in columns:
                self._tick(column)

    def _tick(self, column: Column) -> None:
        def change(event: Any) -> None:
            (self._hidden.discard if event.value else self._hidden.add)(column.name)
            shown = [name for name in _NAMES if name not in self._hidden]
            self._table.props["visible-columns"] = shown
            self._table.update()

        ui.checkbox(column.label, value=True, on_change=change).props("dense")

    async def _open(self, event: Any) -> None:
        await show_call(self.deps, self.words, str(event.args))
