"""One message of a trace, whose call it is of, and how both are framed on disk. PURE."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias

import msgspec

AGENT_LEG: Final = "a"
"""The leg of the agent's phone; the customer's has no name."""
_CALL_ID: Final = re.compile(rb"\n(?:call-id|i)[ \t]*:(?:[ \t]|\r?\n[ \t])*(\S+)", re.IGNORECASE)
_LEG: Final = re.compile(r"(.+)-([a-z][0-9]?)")
_FRAME: Final = struct.Struct("<I8sI")
"""Length of the record, the call's key, CRC-32 of the record."""
_KEY_SPAN: Final = 1 << 64


class CallLeg(NamedTuple):
    """The dialer's call id and which of its legs."""

    call_id: str
    leg: str = ""


SplitCallId: TypeAlias = Callable[[str], CallLeg]


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message as it was sent or received, numbers masked; `at` is in UTC epoch seconds."""

    at: float
    sent: bool
    transport: str
    host: str
    port: int
    local_host: str
    local_port: int
    leg: str
    data: bytes


def find_call_id(data: bytes) -> str:
    """Return the Call-ID of a SIP message, by its long or its compact name (RFC 3261 section 20.8); "" without one."""
    end = data.find(b"\r\n\r\n")
    found = _CALL_ID.search(data, 0, end if end >= 0 else len(data))
    return "" if found is None else found[1].decode("utf-8", "replace")


def split_call_id(sip_call_id: str) -> CallLeg:
    """Return whose message it is: the Call-ID is the call's id, `-a` for the agent's leg, and perhaps @ and a host."""
    name = sip_call_id.partition("@")[0]
    leg = _LEG.fullmatch(name)
    return CallLeg(name) if leg is None else CallLeg(leg[1], leg[2])


def call_id_of(sip_call_id: str) -> str:
    """Return the dialer's call id, whichever leg the Call-ID is of."""
    return split_call_id(sip_call_id).call_id


def key_of(call_id: str) -> bytes:
    """Return the eight bytes under which a call's messages are kept, evenly spread."""
    return blake2b(call_id.encode("utf-8", "replace"), digest_size=8).digest()


def is_sampled(key: bytes, share: float) -> bool:
    """Tell whether a share (0 to 1) of all calls includes the one with this key: every process answers alike."""
    return int.from_bytes(key) < share * _KEY_SPAN


def frame(record: Record, key: bytes) -> bytes:
    """Return the record as it stands on disk."""
    packed = msgspec.msgpack.encode(record)
    return _FRAME.pack(len(packed), key, zlib.crc32(packed)) + packed


def records_in(data: bytes, key: bytes) -> Iterator[Record]:
    """Yield a call's records in a segment; one that is torn or damaged is passed over."""
    at = 0
    while at + _FRAME.size <= len(data):
        length, owner, check = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        packed = data[at : at + length]
        at += length
        if owner == key and len(packed) == length and zlib.crc32(packed) == check:
            try:
                yield msgspec.msgpack.decode(packed, type=Record)
            except msgspec.MsgspecError:  # another version's
                continue
