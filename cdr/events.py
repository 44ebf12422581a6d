"""The wire schema of CDR events, version 1 (spec/cdr-campaigns-vietnam.md 4.4), and its tolerant decoder.

Every record of the log is one JSON object, an `Envelope`; `data` is typed by `type`. Times are UTC microseconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

SCHEMA_VERSION: Final = "1.1"
"""major.minor: a newer minor only adds fields and types, so that this decoder can read it."""
TENANT: Final = "default"
MICROS: Final = 1_000_000
MAX_RECORD_BYTES: Final = 1 << 20

D = TypeVar("D")


class RejectRecord(Exception):
    """The record can never be projected; whether it is so is a pure function of its bytes."""


class EventType(StrEnum):
    """The closed set of event types of schema 1.1: those of 4.4, and the end of a recording."""

    ATTEMPT_SUPPRESSED = "attempt.suppressed"
    CALL_INITIATED = "call.initiated"
    CALL_RINGING = "call.ringing"
    CALL_EARLY_MEDIA = "call.early_media"
    CALL_ANNOUNCEMENT = "call.announcement"
    CALL_ANSWERED = "call.answered"
    AMD_RESULT = "amd.result"
    IVR_ENTERED = "ivr.entered"
    IVR_DTMF = "ivr.dtmf"
    IVR_LEFT = "ivr.left"
    QUEUE_JOINED = "queue.joined"
    QUEUE_LEFT = "queue.left"
    AGENT_OFFERED = "agent.offered"
    AGENT_BRIDGED = "agent.bridged"
    AGENT_BRIDGE_FAILED = "agent.bridge_failed"
    AGENT_RELEASED = "agent.released"
    CALL_ENDED = "call.ended"
    RECORDING_READY = "recording.ready"
    RECORDING_DELETED = "recording.deleted"
    DISPOSITION_SET = "disposition.set"
    CDR_FINALIZED = "cdr.finalized"
    LEAD_STATE_CHANGED = "lead.state_changed"


class Envelope(msgspec.Struct, Generic[D], frozen=True, gc=False):
    """What every event carries; `seq` grows without gaps per call (per lead: its version) and orders its events."""

    event_id: str
    """UUIDv7 of the moment, the call (or lead) and `seq`: encoding again gives the same id."""
    schema_version: str
    tenant_id: str
    type: str
    call_id: str | None
    campaign_id: int
    lead_id: int | None
    phone_e164: str
    hotline: str
    occurred_at: int
    source: str
    seq: int
    data: D


class Fields(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Base of all `data`: what is absent on the wire has its default."""


class Nothing(Fields, frozen=True, omit_defaults=True):
    """An event that its envelope says completely."""


class Suppressed(Fields, frozen=True, omit_defaults=True):
    """An attempt that a guard did not allow; `reason` is a HoldReason value."""

    reason: str
    trunk: str = ""
    attempt_no: int = 0


class Initiated(Fields, frozen=True, omit_defaults=True):
    """An attempt that is written down and about to leave."""

    trunk: str = ""
    attempt_no: int = 0
    list_id: int = 0
    customer_id: int = 0


class Announced(Fields, frozen=True, omit_defaults=True):
    """What a carrier's announcement said (an Announcement value); noted at the early media or, without, the answer."""

    announcement: str


class Detected(Fields, frozen=True, omit_defaults=True):
    """The result of answering-machine detection (an AmdResult value), noted at the answer."""

    result: str


class Ivr(Fields, frozen=True, omit_defaults=True):
    """A step in an IVR."""

    menu: str = ""
    digit: str = ""


class Queue(Fields, frozen=True, omit_defaults=True):
    """Joining or leaving a queue, and why."""

    queue: str = ""
    reason: str = ""


class AgentLeg(Fields, frozen=True, omit_defaults=True):
    """An agent's part in the call; `wait_ms` from the answer to the bridge, `talk_ms` from the bridge to the end."""

    agent_id: str
    wait_ms: int | None = None
    talk_ms: int | None = None
    reason: str = ""


class Ended(Fields, frozen=True, omit_defaults=True):
    """Why the leg is over, as the network and we said it."""

    sip_status: int | None = None
    q850: int | None = None
    ended_by: str | None = None
    cancel_reason: str | None = None
    local_error: str | None = None


class Cdr(Fields, frozen=True, omit_defaults=True):
    """The whole call detail record: the projector joins nothing and remembers nothing.

    `version` is the logical counter of the row: 1 finalized, 2 with the agent's disposition, and 2 more for each thing
    that happened to the recording (stored, deleted). Times are UTC microseconds
    cut to whole milliseconds, so that the spans below are exact: duration = ended - started, billsec = ended -
    answered (0 when unanswered), waitsec = duration - billsec, ring = (answered or ended) - ringing, wait = (bridged or
    ended) - answered, wrap = the agent's work after the call. started <= ringing <= answered <= bridged <= ended.
    """

    version: int
    campaign_name: str
    campaign_kind: str
    app: str
    direction: str
    list_id: int
    customer_id: int
    trunk: str
    attempt_no: int
    started_at: int
    ended_at: int
    duration_ms: int
    billsec_ms: int
    waitsec_ms: int
    status: str
    status_code: str
    rule_id: str
    attribution: str
    counts: bool = False
    ringing_at: int | None = None
    early_media_at: int | None = None
    answered_at: int | None = None
    bridged_at: int | None = None
    ring_ms: int = 0
    wait_ms: int = 0
    wrap_ms: int = 0
    agent_id: str | None = None
    extension: str | None = None
    """The desk that was joined."""
    sip_call_id: str = ""
    sub_reason: str | None = None
    cancel_reason: str | None = None
    ended_by: str | None = None
    sip_status: int | None = None
    q850: int | None = None
    reason_text: str | None = None
    dialstatus: str | None = None
    fs_cause: str | None = None
    local_error: str | None = None
    amd_result: str | None = None
    announcement: str | None = None
    carrier: str = ""
    retry_reason: str = ""
    next_at: int | None = None
    disposition: str | None = None
    note: str | None = None
    lead_trigger: str | None = None
    callback_at: int | None = None
    recording_url: str | None = None
    """Where the recording can be heard, below the console's address; None = there is none, or no more."""
    recording_ms: int | None = None
    recording_bytes: int | None = None
    recording_sha256: str | None = None
    press_key: str | None = None
    """The keys that were pressed in the campaign's script, in order; absent = none, or no script."""


class LeadMoved(Fields, frozen=True, omit_defaults=True):
    """A lead's transition (statuses.md 3); `state_to` None: the lead was removed."""

    list_id: int
    customer_id: int
    rule: str
    trigger: str
    version: int
    state_from: str | None = None
    state_to: str | None = None
    attempts: int = 0
    dialed: int = 0
    last_status: str | None = None
    error_kind: str | None = None
    next_at: int | None = None
    callback_at: int | None = None
    agent_id: str | None = None


Data: TypeAlias = (
    Nothing | Suppressed | Initiated | Announced | Detected | Ivr | Queue | AgentLeg | Ended | Cdr | LeadMoved
)

DATA_TYPES: Final[dict[EventType, type[Data]]] = {
    EventType.ATTEMPT_SUPPRESSED: Suppressed,
    EventType.CALL_INITIATED: Initiated,
    EventType.CALL_RINGING: Nothing,
    EventType.CALL_EARLY_MEDIA: Nothing,
    EventType.CALL_ANNOUNCEMENT: Announced,
    EventType.CALL_ANSWERED: Nothing,
    EventType.AMD_RESULT: Detected,
    EventType.IVR_ENTERED: Ivr,
    EventType.IVR_DTMF: Ivr,
    EventType.IVR_LEFT: Ivr,
    EventType.QUEUE_JOINED: Queue,
    EventType.QUEUE_LEFT: Queue,
    EventType.AGENT_OFFERED: AgentLeg,
    EventType.AGENT_BRIDGED: AgentLeg,
    EventType.AGENT_BRIDGE_FAILED: AgentLeg,
    EventType.AGENT_RELEASED: AgentLeg,
    EventType.CALL_ENDED: Ended,
    EventType.RECORDING_READY: Cdr,
    EventType.RECORDING_DELETED: Cdr,
    EventType.DISPOSITION_SET: Cdr,
    EventType.CDR_FINALIZED: Cdr,
    EventType.LEAD_STATE_CHANGED: LeadMoved,
}


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A record that was understood; `data` is None for a type that a newer minor version added."""

    event: Envelope[msgspec.Raw]
    data: Data | None


_ENVELOPES: Final = msgspec.json.Decoder(Envelope[msgspec.Raw])
_DATA: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name.value: msgspec.json.Decoder(kind) for name, kind in DATA_TYPES.items()
}
_MAJOR: Final = SCHEMA_VERSION.partition(".")[0]
_MAX_MICROS: Final = 4_102_444_800 * MICROS  # 2100-01-01: DateTime64 and people end about there


def decode(value: bytes) -> Decoded:
    """Read one record, ignoring unknown fields and accepting newer minor versions.

    Raises RejectRecord with a reason that repeats nothing of the payload (it holds phone numbers).
    """
    if len(value) > MAX_RECORD_BYTES:
        raise RejectRecord(f"larger than {MAX_RECORD_BYTES} bytes")
    try:
        event = _ENVELOPES.decode(value)
        _check(event)
        decoder = _DATA.get(event.type)
        data = None if decoder is None else decoder.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise RejectRecord(_blame(broken)) from None
    return Decoded(event, data)


def _check(event: Envelope[msgspec.Raw]) -> None:
    version = event.schema_version
    if version != SCHEMA_VERSION and version.partition(".")[0] != _MAJOR:
        raise RejectRecord("another major schema version")
    if not 0 < event.occurred_at < _MAX_MICROS:
        raise RejectRecord("occurred_at is not a time")


def _blame(broken: Exception) -> str:
    """Say where it is broken without quoting values: msgspec's messages name types and paths only, the rest may not."""
    return str(broken) if isinstance(broken, msgspec.ValidationError) else f"not JSON ({type(broken).__name__})"
