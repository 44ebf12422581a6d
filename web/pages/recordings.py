"""Listen to a call (S0-24) and download its recording (S0-25), offered where there is one (S0-26)."""

from __future__ import annotations

import secrets
from typing import Final

from nicegui import ui

from crm.recordings import RecordingShelf
from dialer.errors import Damaged, Deleted, DialerError, NotFound, Unreachable
from web.i18n import Words
from web.layout import heading

_TOLD: Final[tuple[tuple[type[DialerError], str], ...]] = (
    (Damaged, "recording.damaged"),
    (Deleted, "recording.deleted"),
    (NotFound, "recording.none"),
    (Unreachable, "recording.away"),
)


def recording_cell(words: Words) -> str:
    """Return the two buttons of a table's row; `props.row.recorded` says whether there is something to hear."""
    return "".join(
        f'<q-btn v-if="props.row.recorded" flat dense round size="sm" icon="{icon}" aria-label="{words(key)}"'
        f' title="{words(key)}" @click="() => $parent.$emit(\'{event}\', props.row.id)"></q-btn>'
        for event, icon, key in (
            ("listen", "headphones", "recording.listen"),
            ("download", "download", "recording.get"),
        )
    )


async def is_recorded(shelf: RecordingShelf | None, call_id: str) -> bool:
    """Tell whether a call has a recording to be heard."""
    return shelf is not None and bool(await shelf.having([call_id]))


async def is_sound(shelf: RecordingShelf | None, words: Words, call_id: str) -> bool:
    """Tell whether the recording can be heard, and the reader why not."""
    if shelf is None:
        return False
    try:
        await shelf.open(call_id)
    except DialerError as error:
        ui.notify(words(problem_key(error)), type="negative")
        return False
    return True


def problem_key(error: DialerError) -> str:
    """Return the text that says why a recording cannot be heard."""
    return next((key for kind, key in _TOLD if isinstance(error, kind)), "recording.away")


async def show_player(shelf: RecordingShelf | None, words: Words, call_id: str) -> None:
    """Open a player, once the recording is known to be sound."""
    if not await is_sound(shelf, words, call_id):
        return
    title = words("recording.title")
    with ui.dialog().props(f'aria-label="{title}"') as dialog, ui.element("div").classes("call-card"):
        heading(title, level=2)
        ui.label(call_id).classes("muted num")
        add_player(shelf, words, call_id, plays=True)
        with ui.element("div").classes("dialog-foot"):
            ui.button(words("common.close"), on_click=dialog.close).props("flat no-caps color=dark")
    dialog.on("hide", dialog.delete)
    dialog.open()


def add_player(shelf: RecordingShelf | None, words: Words, call_id: str, *, plays: bool = False) -> None:
    """Add the player and the download to the current slot; each player opened is one hearing in the audit."""
    source = f"/api/recordings/{call_id}/audio?listen={secrets.token_urlsafe(9)}"
    with ui.element("div").classes("player"):
        audio = ui.audio(source, autoplay=plays).props(f'preload=none aria-label="{words("recording.listen")}"')
        audio.on("error", lambda: is_sound(shelf, words, call_id))
        get = ui.button(words("recording.get"), icon="download", on_click=lambda: download(shelf, words, call_id))
        get.props("outline no-caps dense")


async def download(shelf: RecordingShelf | None, words: Words, call_id: str) -> None:
    """Send the file to the reader's browser, once it is known to be sound."""
    if await is_sound(shelf, words, call_id):
        ui.download.from_url(f"/api/recordings/{call_id}/file")
