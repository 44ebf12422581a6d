"""What a call may have to play: all of it must be ready before anyone is called."""

from __future__ import annotations

from dialer.core.calls import Call
from dialer.core.run import Run
from dialer.core.script import Fields, UnknownField
from dialer.core.state import EngineState
from dialer.core.types import Lead
from statuses.outcomes import LocalError


def fields_of(lead: Lead) -> Fields:
    """Return what texts may name of a customer."""
    return {"name": lead.name, "phone": lead.phone, **lead.fields}


def prepare(state: EngineState, call: Call) -> tuple[str, ...] | LocalError:
    """Give a call its script and return the names of its prompts, or what is wrong with them."""
    if isinstance(state.script, LocalError):
        return state.script
    fields = fields_of(call.lead)
    try:
        if state.script is not None:
            call.run = Run(state.script, fields)
        own = () if state.script is None else state.script.named(fields)
        apology = state.overflow if state.meets_agents else None
        return own if apology is None else (*own, apology.named(fields))
    except UnknownField:
        return LocalError.TEMPLATE


def apology(state: EngineState, call: Call) -> str | None:
    """Return the name of the message for who finds no agent; None when there is none, or it cannot be said."""
    if state.overflow is None:
        return None
    try:
        return state.overflow.named(fields_of(call.lead))
    except UnknownField:
        return None
