"""Q.850 causes, as data (statuses.md 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from statuses.outcomes import Attribution, CallStatus, CancelReason
from statuses.rows import Row, cell, row

_NO_ANSWERED = cell(CallStatus.NO_ANSWERED)
_BUSY = cell(CallStatus.BUSY)
_REJECTED = cell(CallStatus.BUSY, "rejected")
_INVALID = cell(CallStatus.INVALID_NUMBER)
_NOT_AVAILABLE = cell(CallStatus.NOT_AVAILABLE)
_CONGESTION = cell(CallStatus.CONGESTION)
_HOTLINE = cell(CallStatus.CONGESTION, "hotline_refused")
_ROUTING = cell(CallStatus.CONGESTION, "routing")
_PROTOCOL = cell(CallStatus.FAILED, "protocol")
_CODEC = cell(CallStatus.FAILED, "codec")
_BLOCKED = cell(CallStatus.PHONE_BLOCK)
_ELSEWHERE = cell(
    CallStatus.CANCEL, "answered_elsewhere", Attribution.CALLEE, cancel_reason=CancelReason.ANSWERED_ELSEWHERE
)

_ROWS: Final = (
    (1, "unallocated number", _INVALID, None),
    (2, "no route to transit network", _ROUTING, None),
    (3, "no route to destination", _INVALID, None),
    (5, "misdialled trunk prefix", _INVALID, None),
    (6, "channel unacceptable", _CONGESTION, None),
    (7, "call awarded in an established channel", _CONGESTION, None),
    (8, "pre-emption", _CONGESTION, None),
    (9, "pre-emption, circuit reserved", _CONGESTION, None),
    (14, "query on release: ported number", _ROUTING, None),
    (17, "user busy", _BUSY, None),
    (18, "no user responding", _NOT_AVAILABLE, _NO_ANSWERED),
    (19, "no answer from user (user alerted)", _NO_ANSWERED, None),
    (20, "subscriber absent", _NOT_AVAILABLE, None),
    (21, "call rejected", _HOTLINE, _REJECTED),
    (22, "number changed", cell(CallStatus.INVALID_NUMBER, "number_changed"), None),
    (23, "redirection to new destination", cell(CallStatus.NOT_AVAILABLE, "redirected"), None),
    (25, "exchange routing error", _ROUTING, None),
    (26, "non-selected user clearing", _ELSEWHERE, None),
    (27, "destination out of order", _NOT_AVAILABLE, None),
    (28, "invalid number format", _INVALID, None),
    (29, "facility rejected", _HOTLINE, None),
    (34, "no circuit/channel available", _CONGESTION, None),
    (38, "network out of order", _CONGESTION, None),
    (41, "temporary failure", _CONGESTION, None),
    (42, "switching equipment congestion", _CONGESTION, None),
    (43, "access information discarded", _PROTOCOL, None),
    (44, "requested channel not available", _CONGESTION, None),
    (45, "pre-empted", _CONGESTION, None),
    (47, "resource unavailable", _CONGESTION, None),
    (50, "facility not subscribed", _HOTLINE, None),
    (52, "outgoing calls barred", _HOTLINE, None),
    (53, "outgoing calls barred within closed user group", _HOTLINE, None),
    (54, "incoming calls barred", _BLOCKED, None),
    (55, "incoming calls barred within closed user group", _BLOCKED, None),
    (57, "bearer capability not authorized", _HOTLINE, None),
    (58, "bearer capability not available", _CONGESTION, None),
    (63, "service or option not available", _CONGESTION, None),
    (65, "bearer capability not implemented", _CODEC, None),
    (66, "channel type not implemented", _PROTOCOL, None),
    (69, "facility not implemented", _PROTOCOL, None),
    (70, "only restricted digital information", _CODEC, None),
    (79, "service or option not implemented", _PROTOCOL, None),
    (81, "invalid call reference", _PROTOCOL, None),
    (87, "user not member of closed user group", _BLOCKED, None),
    (88, "incompatible destination", _CODEC, None),
    (95, "invalid message, unspecified", _PROTOCOL, None),
    (96, "mandatory information element missing", _PROTOCOL, None),
    (97, "message type non-existent", _PROTOCOL, None),
    (98, "message not compatible with call state", _PROTOCOL, None),
    (99, "information element non-existent", _PROTOCOL, None),
    (100, "invalid information element contents", _PROTOCOL, None),
    (101, "message in wrong call state", _PROTOCOL, None),
    (102, "recovery on timer expiry", _CONGESTION, _NO_ANSWERED),
    (103, "parameter non-existent or not implemented", _PROTOCOL, None),
    (111, "protocol error, unspecified", _PROTOCOL, None),
)

# Said when nothing in particular is the matter: the SIP code and the PBX know more.
_UNSPECIFIC: Final = (
    (16, "normal clearing"),
    (31, "normal, unspecified"),
)

Q850: Final[Mapping[int, Row]] = MappingProxyType(
    {code: row(f"q850.{code}", meaning, quiet, rung) for code, meaning, quiet, rung in _ROWS}
    | {code: row(f"q850.{code}", meaning, _NOT_AVAILABLE, _NO_ANSWERED, final=False) for code, meaning in _UNSPECIFIC}
)
"""Causes by number; 127 (interworking) is absent on purpose: it says that the SIP code must be used."""

Q850_USER_REJECTED: Final = row("q850.21.user", "call rejected, location user", _REJECTED)
"""Cause 21 when its location says that the person's own equipment rejected the call."""

USER_LOCATIONS: Final = frozenset({"u", "user", "0"})
"""How adapters and RFC 8606 write the location `user`."""
