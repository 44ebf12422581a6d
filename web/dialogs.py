"""Dialogs that pages share."""

from __future__ import annotations

from nicegui import ui

from web.i18n import Words


async def confirmed(words: Words, question: str, *, yes: str, title: str = "", danger: bool = False) -> bool:
    """Ask before something is done; False when the reader turns away."""
    with ui.dialog().props("role=alertdialog") as dialog, ui.element("div").classes("confirm"):
        dialog.props["aria-label"] = title or question  # may hold a name that people chose: never parsed as props
        if title:
            ui.label(title).classes("text-weight-bold")
        ui.label(question)
        with ui.element("div").classes("dialog-foot"):
            ui.button(words("common.cancel"), on_click=lambda: dialog.submit(None)).props("flat no-caps color=dark")
            ui.button(yes, on_click=lambda: dialog.submit("yes"), color="negative" if danger else "primary").props(
                "unelevated no-caps autofocus"
            )
    answer = await dialog
    dialog.delete()
    return bool(answer == "yes")
