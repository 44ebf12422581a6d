"""What the dialer itself knows about a call's end: faults of ours, the answer, our own CANCEL (statuses.md 2.4)."""

from __future__ import annotations

from typing import Final

from statuses.outcomes import Attribution, CallStatus, CancelReason, LocalError
from statuses.rows import cell, row

LOCAL: Final = {
    error: row(f"local.{error}", "a fault of ours", cell(CallStatus.FAILED, error.value))
    for error in LocalError
    if error is not LocalError.LOST
} | {
    LocalError.LOST: row(
        "local.lost", "unknown: we crashed", cell(CallStatus.FAILED, LocalError.LOST.value, Attribution.UNKNOWN)
    )
}
AGENT_LEG: Final = row("agent_lost", "the agent went away before the answer", cell(CallStatus.FAILED, "agent_leg"))

MACHINE: Final = row("answered.machine", "a machine answered", cell(CallStatus.VOICEMAIL, "machine"))
MAILBOX: Final = row("answered.mailbox", "a mailbox answered", cell(CallStatus.VOICEMAIL, "mailbox"))
IVR: Final = row("answered.ivr", "hung up in the IVR without a key", cell(CallStatus.IVR))
NO_AGENT: Final = row("answered.no_agent", "no agent came", cell(CallStatus.BUSY_LINE))
AGENT_GONE: Final = row("answered.agent_lost", "the agent was lost", cell(CallStatus.BUSY_LINE, "agent_lost"))
OVERFLOW: Final = row("answered.overflow", "no agent came in time", cell(CallStatus.BUSY_LINE, "overflow"))
AMD_HANGUP: Final = row("answered.amd_hangup", "hung up during AMD", cell(CallStatus.BUSY_LINE, "amd_hangup"))
TALKED: Final = row("answered", "connected", cell(CallStatus.ANSWERED))
NOTSURE: Final = row("answered.amd_notsure", "connected, AMD unsure", cell(CallStatus.ANSWERED, "amd_notsure"))
MEDIA_FAULT: Final = row("answered.media_fault", "connected, media broke", cell(CallStatus.ANSWERED, "media_fault"))

CANCELS: Final = {
    reason: row(
        f"cancel.{reason}",
        "we ended the call before the answer",
        cell(CallStatus.CANCEL, reason.value, cancel_reason=reason),
    )
    for reason in CancelReason
} | {
    reason: row(
        f"cancel.{reason}", meaning, cell(CallStatus.CANCEL, reason.value, Attribution.CALLEE, cancel_reason=reason)
    )
    for reason, meaning in (
        (CancelReason.RING_TIMEOUT, "it rang until our timer ended it"),
        (CancelReason.ANSWERED_ELSEWHERE, "answered on another device"),
    )
}
NO_RINGING: Final = row("cancel.ring_timeout.no_ringing", "never rang", cell(CallStatus.NOT_AVAILABLE, "no_ringing"))
TRUNK_SILENT: Final = row(
    "cancel.ring_timeout.trunk_silent", "the trunk said nothing", cell(CallStatus.CONGESTION, "trunk_silent")
)
UNSTATED: Final = row("cancel.unstated", "we ended the call, nobody said why", cell(CallStatus.CANCEL, "unstated"))

CALLS_IN: Final = {
    True: row(
        "inbound.caller_left",
        "the caller hung up before the answer",
        cell(CallStatus.BUSY_LINE, "before_answer", Attribution.CALLEE),
    ),
    False: row("inbound.declined", "we did not answer the call", cell(CallStatus.BUSY_LINE, "declined")),
}
"""A call to us that was not answered, by whether the caller ended it."""

UNKNOWN: Final = row("unknown", "no rule matched", cell(CallStatus.FAILED, "unknown", Attribution.UNKNOWN))
