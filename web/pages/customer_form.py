"""The customer's information to edit (S0-20), on every page where somebody talks with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from crm.customers import edit_customer
from crm.leads import LeadRow, add_comment
from dialer.errors import DialerError
from web.deps import WebDeps
from web.i18n import Words

FIELDS: Final = (
    "name",
    "code",
    "gender",
    "birthday",
    "email",
    "province",
    "district",
    "ward",
    "address",
    "id_number",
    "id_issued_on",
    "id_issued_at",
    "passport",
)
_DATES: Final = frozenset({"birthday", "id_issued_on"})


@dataclass(slots=True)
class CustomerForm:
    """The fields and the comment; `saved` is called after they were written. `lead` may be replaced by a newer one."""

    deps: WebDeps
    words: Words
    author: str
    saved: Callable[[], Awaitable[None]]
    lead: LeadRow = field(init=False)
    _inputs: dict[str, Any] = field(default_factory=dict)
    _comment: ui.textarea = field(init=False)

    def build(self, customer: dict[str, str | None], lead: LeadRow) -> None:
        """Create the elements inside the current slot."""
        self.lead = lead
        with ui.element("div").classes("fields"):
            for name in FIELDS:
                self._input(name, customer)
            self._comment = ui.textarea(self.words("lead.comment"), value=lead.comment or "")
            self._comment.props("outlined dense autogrow maxlength=2000").classes("whole")
        with ui.element("div").classes("form-foot"):
            ui.button(self.words("common.cancel"), on_click=ui.navigate.reload).props("flat no-caps color=dark")
            ui.button(self.words("common.update"), on_click=self._save).props("unelevated no-caps")

    def _input(self, name: str, customer: dict[str, str | None]) -> None:
        field_ = ui.input(self.words(f"lead.{name}"), value=customer[name] or "")
        field_.props("outlined dense autocomplete=off" + (" type=date stack-label" if name in _DATES else ""))
        self._inputs[name] = field_

    async def _save(self) -> None:
        changes = {name: str(field_.value or "").strip() for name, field_ in self._inputs.items()}
        text = str(self._comment.value or "").strip()
        now = self.deps.now()
        try:
            await edit_customer(self.deps.engine, self.lead.customer_id, changes, now=now)
            if text and text != (self.lead.comment or ""):
                await add_comment(self.deps.engine, self.lead.lead_id, text, author=self.author, now=now)
        except DialerError as error:
            ui.notify(str(error), type="negative")
            return
        await self.saved()
        ui.notify(self.words("common.saved"), type="positive")
