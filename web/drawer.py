"""A drawer from the right: a heading, whom it is about, and whatever the page puts in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from web.i18n import Words
from web.layout import heading


@contextmanager
def drawer(words: Words, title: str, about: str) -> Iterator[None]:
    """Fill it in the `with` block; then it opens, and is gone when it is closed."""
    with (
        ui.dialog().props(f'position=right full-height aria-label="{title}"') as dialog,
        ui.element("div").classes("sheet"),
    ):
        with ui.element("div").classes("sheet-head"):
            with ui.element("div"):
                heading(title, level=2)
                ui.label(about).classes("muted")
            close = ui.button(icon="close", on_click=dialog.close)
            close.props(f'flat round dense color=dark aria-label="{words("common.close")}"')
        yield
    dialog.on("hide", dialog.delete)
    dialog.open()
