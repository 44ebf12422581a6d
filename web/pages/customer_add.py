"""The dialog "Thêm khách hàng": fields with * are required, the number is the dialed one (S2-15, S2-16)."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from crm.adding import add_customer
from dialer.errors import DialerError
from web.deps import WebDeps
from web.i18n import Words
from web.layout import heading

FIELDS: Final = ("email", "gender", "birthday", "province", "address")
_NAME, _PHONE = "name", "phone"


async def ask_for_customer(deps: WebDeps, words: Words, *, campaign: str, phone: str) -> int | None:
    """Ask for a customer and add them; return the lead's id, None when the reader turned away."""
    title = words("dial.add")
    inputs: dict[str, Any] = {}
    with ui.dialog() as dialog, ui.element("div").classes("call-card"):
        dialog.props["aria-label"] = title
        heading(title, level=2)
        ui.label(words("dial.required")).classes("muted")
        with ui.element("div").classes("fields"):
            for name in (_NAME, _PHONE, *FIELDS):
                inputs[name] = _input(words, name, phone if name == _PHONE else "")
        with ui.element("div").classes("dialog-foot"):
            ui.button(words("common.cancel"), on_click=lambda: dialog.submit(None)).props("flat no-caps color=dark")

            async def confirm() -> None:
                values = {name: str(field.value or "") for name, field in inputs.items()}
                try:
                    dialog.submit(await add_customer(deps.engine, campaign, values.pop(_PHONE), values, now=deps.now()))
                except DialerError as error:
                    ui.notify(str(error), type="negative")

            ui.button(words("dial.confirm"), on_click=confirm).props("unelevated no-caps")
    added = await dialog
    dialog.delete()
    return added if isinstance(added, int) else None


def _input(words: Words, name: str, value: str) -> ui.input:
    star = " *" if name in (_NAME, _PHONE) else ""
    field = ui.input(words(f"lead.{name}") + star, value=value)
    return field.props("outlined dense autocomplete=off" + (" type=date stack-label" if name == "birthday" else ""))
