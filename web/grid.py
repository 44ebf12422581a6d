"""Tables that are dense on a desk and turn into cards on a phone; only the cells that changed are redrawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

from nicegui import ui
from nicegui.element import Element

from web.i18n import Words

PER_PAGE: Final = (25, 50, 100)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how the cell is drawn (Vue, `props.row` is the row) and its classes."""

    name: str
    label: str
    cell: str = ""
    css: str = ""
    sortable: bool = False

    def template(self) -> str:
        """Return the cell's template; `data-label` is the heading on a phone's card."""
        inner = self.cell or f"{{{{ props.row.{self.name} }}}}"
        label = escape(self.label, quote=True)
        return f'<q-td key="{self.name}" :props="props" class="{self.css}" data-label="{label}">{inner}</q-td>'


def make_table(columns: Sequence[Column], *, label: str) -> ui.table:
    """Create an empty table with these columns; rows are set with `show_rows`."""
    head = [
        {
            "name": c.name,
            "label": c.label,
            "field": c.name,
            "align": "right" if "right" in c.css else "left",
            "headerClasses": c.css,
            "sorted": "none",
        }
        for c in columns
    ]
    table = ui.table(columns=head, rows=[], row_key="id").classes("grid-table")
    table.props(f'flat dense hide-bottom aria-label="{escape(label, quote=True)}"')
    cells = "".join(column.template() for column in columns)
    table.add_slot("body", f'<q-tr :props="props" :data-id="props.row.id">{cells}</q-tr>')
    for column in columns:
        if column.sortable:
            table.add_slot(f"header-cell-{column.name}", _SORT_HEAD.format(name=column.name))
    return table


# A redraw replaces the button: a click whose two halves lie on either side of it would be lost, so the first half
# counts. `detail` is 0 when a key or a screen reader pressed.
_SORT_HEAD: Final = """<q-th :props="props" :aria-sort="props.col.sorted">
<button type="button" class="sort" @mousedown.left="() => $parent.$emit('sort', '{name}')"
 @click="(press) => press.detail === 0 && $parent.$emit('sort', '{name}')">{{{{ props.col.label }}}}
<q-icon :name="{{ascending: 'arrow_upward', descending: 'arrow_downward', none: 'unfold_more'}}[props.col.sorted]"
 size="15px" aria-hidden="true"></q-icon></button></q-th>"""


def show_rows(table: ui.table, rows: list[dict[str, Any]]) -> bool:
    """Show these rows; False when they are what is shown already."""
    if table.rows == rows:
        return False
    table.rows = rows
    table.update()
    return True


@dataclass(slots=True)
class Pager:
    """Write "Showing 1 to N of N", the rows per page, and the two buttons; `turn` is called after each change."""

    words: Words
    key: str
    turn: Callable[[], Awaitable[None]]
    offset: int = 0
    per_page: int = PER_PAGE[0]
    _text: ui.label = field(init=False)
    _back: ui.button = field(init=False)
    _next: ui.button = field(init=False)
    _total: int = 0

    def build(self) -> Element:
        """Create the elements inside the current slot."""
        with ui.element("div").classes("grid-foot") as root:
            self._text = ui.label().classes("num").props("role=status data-role=showing")
            with ui.element("div").classes("pager"):
                ui.label(self.words("leads.per_page"))
                ui.select(list(PER_PAGE), value=self.per_page, on_change=self._resize).props(
                    f'dense outlined options-dense aria-label="{self.words("leads.per_page")}"'
                )
                self._back = self._button("chevron_left", "common.previous", -1)
                self._next = self._button("chevron_right", "common.next", 1)
        return root

    def show(self, *, shown: int, total: int) -> None:
        """Say which rows of how many are on the screen."""
        self._total = total
        first = self.offset + 1 if shown else 0
        numbers = {"first": first, "last": self.offset + shown, "total": total}
        self._text.set_text(self.words(self.key, **{name: self.words.number(n) for name, n in numbers.items()}))
        self._back.set_enabled(self.offset > 0)
        self._next.set_enabled(self.offset + shown < total)

    def _button(self, icon: str, key: str, step: int) -> ui.button:
        async def press() -> None:
            self.offset = max(0, self.offset + step * self.per_page)
            await self.turn()

        return ui.button(icon=icon, on_click=press).props(f'flat round dense aria-label="{self.words(key)}"')

    async def _resize(self, change: Any) -> None:
        self.per_page, self.offset = int(change.value), 0
        await self.turn()
