"""What FreeSWITCH and Asterisk say beyond SIP and Q.850, as data (statuses.md 2.7 to 2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from statuses.outcomes import Attribution, CallStatus, CancelReason
from statuses.rows import Row, cell, row

_BUSY = cell(CallStatus.BUSY)
_REJECTED = cell(CallStatus.BUSY, "rejected")
_TRUNK_DOWN = cell(CallStatus.CONGESTION, "trunk_down")
_IDENTITY = cell(CallStatus.CONGESTION, "caller_identity")
_LOST_RACE = cell(CallStatus.CANCEL, "lose_race", cancel_reason=CancelReason.LOSE_RACE)
_CULLED = cell(CallStatus.CANCEL, "cull", cancel_reason=CancelReason.CULL)
_RANG_OUT = cell(CallStatus.CANCEL, "ring_timeout", Attribution.CALLEE, CancelReason.RING_TIMEOUT)
_UNREACHED = cell(CallStatus.NOT_AVAILABLE, "no_ringing")

CAUSE_NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "UNALLOCATED_NUMBER": 1,
        "UNALLOCATED": 1,
        "NO_ROUTE_TRANSIT_NET": 2,
        "NO_ROUTE_DESTINATION": 3,
        "MISDIALLED_TRUNK_PREFIX": 5,
        "CHANNEL_UNACCEPTABLE": 6,
        "CALL_AWARDED_DELIVERED": 7,
        "NUMBER_PORTED_NOT_HERE": 14,
        "NORMAL_CLEARING": 16,
        "USER_BUSY": 17,
        "NO_USER_RESPONSE": 18,
        "NO_ANSWER": 19,
        "SUBSCRIBER_ABSENT": 20,
        "CALL_REJECTED": 21,
        "NUMBER_CHANGED": 22,
        "REDIRECTION_TO_NEW_DESTINATION": 23,
        "REDIRECTED_TO_NEW_DESTINATION": 23,
        "EXCHANGE_ROUTING_ERROR": 25,
        "ANSWERED_ELSEWHERE": 26,
        "DESTINATION_OUT_OF_ORDER": 27,
        "INVALID_NUMBER_FORMAT": 28,
        "FACILITY_REJECTED": 29,
        "NORMAL_UNSPECIFIED": 31,
        "NORMAL_CIRCUIT_CONGESTION": 34,
        "NETWORK_OUT_OF_ORDER": 38,
        "NORMAL_TEMPORARY_FAILURE": 41,
        "SWITCH_CONGESTION": 42,
        "ACCESS_INFO_DISCARDED": 43,
        "REQUESTED_CHAN_UNAVAIL": 44,
        "PRE_EMPTED": 45,
        "FACILITY_NOT_SUBSCRIBED": 50,
        "OUTGOING_CALL_BARRED": 52,
        "INCOMING_CALL_BARRED": 54,
        "BEARERCAPABILITY_NOTAUTH": 57,
        "BEARERCAPABILITY_NOTAVAIL": 58,
        "SERVICE_UNAVAILABLE": 63,
        "BEARERCAPABILITY_NOTIMPL": 65,
        "CHAN_NOT_IMPLEMENTED": 66,
        "FACILITY_NOT_IMPLEMENTED": 69,
        "SERVICE_NOT_IMPLEMENTED": 79,
        "INVALID_CALL_REFERENCE": 81,
        "INCOMPATIBLE_DESTINATION": 88,
        "INVALID_MSG_UNSPECIFIED": 95,
        "MANDATORY_IE_MISSING": 96,
        "MESSAGE_TYPE_NONEXIST": 97,
        "WRONG_MESSAGE": 98,
        "IE_NONEXIST": 99,
        "INVALID_IE_CONTENTS": 100,
        "WRONG_CALL_STATE": 101,
        "RECOVERY_ON_TIMER_EXPIRE": 102,
        "MANDATORY_IE_LENGTH_ERROR": 103,
        "PROTOCOL_ERROR": 111,
    }
)
"""The Q.850 number behind the name that FreeSWITCH (hangup_cause) or Asterisk (AST_CAUSE_...) gives a hangup."""

_FREESWITCH: Final = (
    (487, "ORIGINATOR_CANCEL", "our own leg cancelled", _CULLED),
    (700, "CRASH", "the switch crashed", cell(CallStatus.FAILED, "switch_crash")),
    (701, "SYSTEM_SHUTDOWN", "the switch was shut down", cell(CallStatus.FAILED, "switch_shutdown")),
    (702, "LOSE_RACE", "another leg won", _LOST_RACE),
    (
        703,
        "MANAGER_REQUEST",
        "a manager ended the call",
        cell(CallStatus.CANCEL, "admin", cancel_reason=CancelReason.ADMIN),
    ),
    (802, "ALLOTTED_TIMEOUT", "the leg's time limit", _RANG_OUT),
    (805, "PICKED_OFF", "another leg won", _LOST_RACE),
    (806, "USER_NOT_REGISTERED", "the agent's leg is not registered", cell(CallStatus.FAILED, "agent_leg")),
    (807, "PROGRESS_TIMEOUT", "no ringing in time", cell(CallStatus.NOT_AVAILABLE, "progress_timeout")),
    (808, "INVALID_GATEWAY", "no such trunk", _TRUNK_DOWN),
    (809, "GATEWAY_DOWN", "the trunk is down", _TRUNK_DOWN),
    (810, "INVALID_URL", "our dial string is wrong", cell(CallStatus.FAILED, "dial_string")),
    (811, "INVALID_PROFILE", "no such SIP profile", _TRUNK_DOWN),
    (815, "BUSY_EVERYWHERE", "SIP 600", _BUSY),
    (816, "DECLINE", "SIP 603", _REJECTED),
    (817, "DOES_NOT_EXIST_ANYWHERE", "SIP 604", cell(CallStatus.INVALID_NUMBER)),
    (818, "NOT_ACCEPTABLE", "SIP 606", cell(CallStatus.FAILED, "codec")),
    (819, "UNWANTED", "SIP 607", cell(CallStatus.CONGESTION, "unwanted")),
    (820, "NO_IDENTITY", "SIP 428", _IDENTITY),
    (821, "BAD_IDENTITY_INFO", "SIP 429", _IDENTITY),
    (822, "UNSUPPORTED_CERTIFICATE", "SIP 437", _IDENTITY),
    (823, "INVALID_IDENTITY", "SIP 438", _IDENTITY),
    (824, "STALE_DATE", "SIP 403 Stale Date", _IDENTITY),
    (825, "REJECT_ALL", "SIP 603, every branch", _REJECTED),
)

FREESWITCH: Final[Mapping[str, Row]] = MappingProxyType(
    {name: row(f"fs.{name}", meaning, outcome) for _, name, meaning, outcome in _FREESWITCH}
)
"""FreeSWITCH causes that Q.850 does not know, by name."""

FREESWITCH_NAMES: Final[Mapping[int, str]] = MappingProxyType({number: name for number, name, _, _ in _FREESWITCH})
"""The same causes' numbers."""

FREESWITCH_ORIGINATE_TIMEOUT: Final = row("fs.NO_ANSWER.send_cancel", "our own originate timeout", _RANG_OUT)
"""Cause 19 when we, not the network, ended the call (sip_hangup_disposition=send_cancel)."""

FREESWITCH_LOCAL: Final = frozenset(
    {
        "ALLOTTED_TIMEOUT",
        "CRASH",
        "LOSE_RACE",
        "MANAGER_REQUEST",
        "PICKED_OFF",
        "PROGRESS_TIMEOUT",
        "SYSTEM_SHUTDOWN",
        "USER_NOT_REGISTERED",
    }
)
"""Causes for which FreeSWITCH itself cancels: a 487 that follows is only the echo."""

MEDIA_FAULTS: Final = frozenset({"MEDIA_TIMEOUT", "SRTP_READ_ERROR", "804", "813"})
"""FreeSWITCH causes that end an answered call but do not change its status."""

DIALSTATUS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        name: row(f"ast.{name}", meaning, outcome)
        for name, meaning, outcome in (
            ("BUSY", "busy", _BUSY),
            ("NOANSWER", "the network gave up", cell(CallStatus.NO_ANSWERED)),
            ("CANCEL", "our own leg cancelled", _CULLED),
            ("CONGESTION", "congestion, no better cause known", cell(CallStatus.CONGESTION)),
            ("CHANUNAVAIL", "channel unavailable, no better cause known", cell(CallStatus.CONGESTION)),
            ("DONTCALL", "privacy: do not call", _REJECTED),
            ("TORTURE", "privacy: torture", _REJECTED),
            ("INVALIDARGS", "our dial arguments are wrong", cell(CallStatus.FAILED, "dial_string")),
        )
    }
)
"""Asterisk's DIALSTATUS of a call that nobody answered; ANSWER is not here, for it is a fact and no cause."""

DIALSTATUS_TIMEOUT: Final = row("ast.NOANSWER.timeout", "our own Dial timeout", _UNREACHED, _RANG_OUT)
"""NOANSWER when our Dial() timeout ended the call."""

QUEUE_LEFT: Final[Mapping[str, Row]] = MappingProxyType(
    {
        name: row(f"queue.{name}", meaning, outcome)
        for name, meaning, outcome in (
            *(
                (name, "left the queue without an agent", cell(CallStatus.BUSY_LINE, f"queue_{name.lower()}"))
                for name in (
                    "TIMEOUT",
                    "FULL",
                    "JOINEMPTY",
                    "LEAVEEMPTY",
                    "JOINUNAVAIL",
                    "LEAVEUNAVAIL",
                    "WITHDRAW",
                    "NONE",
                    "NO_AGENT_TIMEOUT",
                    "BREAK_OUT",
                )
            ),
            ("EXIT_WITH_KEY", "the caller chose to leave the queue", cell(CallStatus.ANSWERED, "exit_with_key")),
            ("TERMINATED", "the talk with the agent ended", cell(CallStatus.ANSWERED)),
        )
    }
)
"""How an answered call left app_queue (QUEUESTATUS) or mod_callcenter (CC-Cancel-Reason, CC-Cause)."""
