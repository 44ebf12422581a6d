"""Delete a lead from the list, after a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from crm.leads import remove_lead
from dialer.errors import DialerError
from web.deps import WebDeps
from web.dialogs import confirmed
from web.i18n import Words


async def delete_lead(deps: WebDeps, words: Words, row: Mapping[str, Any]) -> bool:
    """Ask, then remove the lead of this row (S4-20; in a call: when the call ends, T21); True when it was asked for."""
    question = words("leads.delete_text", name=row["name"], campaign=row["campaign"])
    title = words("leads.delete_title")
    if not await confirmed(words, question, yes=words("common.delete"), title=title, danger=True):
        return False
    try:
        gone = await remove_lead(deps.engine, int(row["id"]), now=deps.now())
    except DialerError as error:
        ui.notify(str(error), type="negative")
        return True
    ui.notify(words("leads.deleted" if gone else "leads.delete_pending"), type="positive")
    return True
