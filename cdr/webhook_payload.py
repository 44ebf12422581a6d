"""The JSON that a webhook posts for a finished call: one flat object, versioned by itself (docs/webhook.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from cdr.events import MICROS, Cdr, Envelope

PAYLOAD_VERSION: Final = "1.0"
"""major.minor: a newer minor only adds fields."""
TEST_EVENT: Final = "webhook.test"
_ENCODER: Final = msgspec.json.Encoder()


class WebhookCall(msgspec.Struct, frozen=True):
    """One version of one call. Every field is always there, null when unknown; times are UTC, ISO 8601 with millis."""

    payload_version: str
    event_id: str
    event: str
    """cdr.finalized, disposition.set, or a later one that brings the whole record again."""
    version: int
    """Of the call's record: the highest is the latest, whenever it arrives."""
    tenant_id: str
    call_id: str
    sip_call_id: str
    campaign_id: int
    campaign_name: str
    campaign_kind: str
    list_id: int
    lead_id: int | None
    customer_id: int
    app: str
    direction: str
    phone: str
    hotline: str
    trunk: str
    carrier: str
    attempt_no: int
    started_at: str
    ringing_at: str | None
    early_media_at: str | None
    answered_at: str | None
    bridged_at: str | None
    ended_at: str
    duration_ms: int
    billsec_ms: int
    waitsec_ms: int
    ring_ms: int
    wait_ms: int
    wrap_ms: int
    status: str
    status_code: str
    sub_reason: str | None
    rule_id: str
    attribution: str
    counts: bool
    cancel_reason: str | None
    ended_by: str | None
    sip_status: int | None
    q850: int | None
    reason_text: str | None
    amd_result: str | None
    announcement: str | None
    agent_id: str | None
    extension: str | None
    disposition: str | None
    note: str | None
    lead_trigger: str | None
    callback_at: str | None
    next_at: str | None
    retry_reason: str
    recording_url: str | None


_TIMES: Final = tuple(name for name in WebhookCall.__struct_fields__ if name.endswith("_at"))
_FROM_CDR: Final = tuple(
    name for name in WebhookCall.__struct_fields__ if name in Cdr.__struct_fields__ and name not in _TIMES
)


def call_body(event: Envelope[msgspec.Raw], cdr: Cdr) -> bytes:
    """Return the body for one record of the log that carries a whole CDR."""
    copied: dict[str, Any] = {name: getattr(cdr, name) for name in _FROM_CDR}
    times: dict[str, Any] = {name: _iso(getattr(cdr, name)) for name in _TIMES}
    return _ENCODER.encode(
        WebhookCall(
            payload_version=PAYLOAD_VERSION,
            event_id=event.event_id,
            event=event.type,
            tenant_id=event.tenant_id,
            call_id=event.call_id or "",
            campaign_id=event.campaign_id,
            lead_id=event.lead_id,
            phone=event.phone_e164,
            hotline=event.hotline,
            **copied,
            **times,
        )
    )


def probe_body(event_id: str, *, campaign_id: int, campaign_name: str, at: float) -> bytes:
    """Return the body of a trial: it says that it is one, and holds no call."""
    return _ENCODER.encode(
        {
            "payload_version": PAYLOAD_VERSION,
            "event_id": event_id,
            "event": TEST_EVENT,
            "campaign_id": campaign_id,
            "campaign_name": campaign_name,
            "sent_at": _iso(round(at * MICROS)),
        }
    )


def _iso(micros: int | None) -> str | None:
    if micros is None:
        return None
    try:
        moment = datetime.fromtimestamp(micros // 1000 / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None  # no moment that a calendar knows
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
