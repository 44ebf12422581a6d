"""The dialog "Chi tiết cuộc gọi" (S0-23): the call's timeline, its fields and a note that can be edited."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui
from sqlalchemy import select, update

from cdr.queries import CallRow
from statuses.catalog import label
from statuses.outcomes import CallStatus
from store.models import Attempt
from store.open import readers
from web.deps import WebDeps
from web.i18n import Words
from web.layout import heading
from web.pages.call_trace import read_trace, show_trace
from web.pages.recordings import add_player, is_recorded

NOTE_MAX: Final = 2000


async def read_note(deps: WebDeps, call_id: str) -> str | None:
    """Return the call's note, "" without one; None when the attempt is not in the store."""
    async with readers(deps.engine).connect() as db:
        row = (await db.execute(select(Attempt.note).where(Attempt.call_id == call_id))).first()
    return None if row is None else (row[0] or "")


async def write_note(deps: WebDeps, call_id: str, text: str) -> bool:
    """Store the call's note; False when the attempt is not in the store."""
    note = text.strip()[:NOTE_MAX] or None
    async with deps.engine.begin() as db:
        done = await db.execute(update(Attempt).where(Attempt.call_id == call_id).values(note=note))
    return done.rowcount > 0


def call_facts(call: CallRow, words: Words, keys: str = "") -> list[tuple[str, str]]:
    """List the dialog's fields after the timeline, as (text key, value), in the order of S0-23."""
    extra = ", ".join(
        filter(None, (call.sub_reason, call.rule_id, f"SIP {call.sip_status}" if call.sip_status else ""))
    )
    return [
        ("calls.id", call.call_id),
        ("calls.sip_id", call.sip_call_id),
        ("calls.extension", call.extension),
        ("calls.duration", words.duration(call.duration_s)),
        ("calls.direction", words(f"direction.{call.direction}")),
        ("calls.billsec", words.duration(call.billsec_s)),
        ("calls.phone", call.phone_e164),
        ("calls.status", label(CallStatus(call.status), words.lang)),
        ("calls.hotline", call.hotline),
        ("calls.group", call.campaign_name),
        ("calls.extra", extra),
        *([("calls.keys", keys)] if keys else []),
    ]


async def show_call(deps: WebDeps, words: Words, call_id: str) -> None:
    """Open the dialog of one call; it stays until it is closed."""
    call = await deps.cdr.detail(call_id)
    if call is None:
        ui.notify(words("calls.gone"), type="warning")
        return
    note, trace = await read_note(deps, call_id), await read_trace(deps, call_id)
    keys = await deps.cdr.keys(call_id)
    recorded = await is_recorded(deps.recordings, call_id)
    title = words("calls.detail")
    with ui.dialog().props(f'aria-label="{title}"') as dialog, ui.element("div").classes("call-card"):
        heading(title, level=2)
        _timeline(call, words)
        with ui.element("div").classes("facts"):
            for key, value in call_facts(call, words, keys):
                with ui.element("div").classes("fact"):
                    ui.label(words(key)).classes("name")
                    ui.label(value or words("common.empty")).classes("value" if value else "value muted")
        if recorded:
            add_player(deps.recordings, words, call_id)
        field = ui.textarea(words("calls.note"), value=note or "").props(
            f"outlined dense autogrow maxlength={NOTE_MAX}"
        )
        field.set_enabled(note is not None)
        if trace is not None:
            show_trace(words, call_id, trace)
        with ui.element("div").classes("dialog-foot"):
            ui.button(words("common.close"), on_click=dialog.close).props("flat no-caps color=dark")
            save = ui.button(words("common.update"), on_click=lambda: _save(deps, words, call_id, field))
            save.props("unelevated no-caps").set_enabled(note is not None)
    dialog.on("hide", dialog.delete)
    dialog.open()


def _timeline(call: CallRow, words: Words) -> None:
    points = (
        ("calls.started", call.started_at),
        ("calls.rang", call.ringing_at),
        ("calls.talked", call.answered_at),
        ("calls.hung_up", call.ended_at),
    )
    with ui.element("ol").classes("timeline"):
        for key, at in points:
            with ui.element("li").classes("point" if at is not None else "point missing"):
                ui.label(words(key)).classes("name")
                ui.label(words.at(at)).classes("value")


async def _save(deps: WebDeps, words: Words, call_id: str, field: Any) -> None:
    saved = await write_note(deps, call_id, field.value or "")
    ui.notify(words("calls.note_saved" if saved else "calls.gone"), type="positive" if saved else "warning")
