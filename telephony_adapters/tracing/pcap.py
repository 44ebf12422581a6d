"""Write the messages of a call as a pcap file for Wireshark, sngrep and their like. PURE.

Every message is one UDP datagram, those of TCP and TLS too: what was read from a stream is no segment of it, and TLS is
shown in the clear. The Via header says which transport it was.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from telephony_adapters.tracing.record import Record

_FILE: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)
"""Microseconds, version 2.4, UTC, whole packets, LINKTYPE_RAW: each begins with its IP header."""
_PACKET: Final = struct.Struct("<IIII")
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")
_UDP: Final = struct.Struct("!HHHH")
_IPV4_SIZE: Final = 4
_PROTOCOL: Final = 17
_HOPS: Final = 64
_DONT_FRAGMENT: Final = 0x4000
_PAYLOAD_MAX: Final = 65_535 - _IPV4.size - _UDP.size


class _Ends(NamedTuple):
    source: bytes
    target: bytes
    source_port: int
    target_port: int


def write_pcap(records: Sequence[Record]) -> bytes:
    """Return the file; a message that no datagram could hold is cut."""
    parts = [_FILE]
    for number, record in enumerate(records):
        packet = _datagram(_ends(record), record.data[:_PAYLOAD_MAX], number)
        seconds, rest = divmod(round(record.at * 1_000_000), 1_000_000)
        parts += [_PACKET.pack(seconds, rest, len(packet), len(packet)), packet]
    return b"".join(parts)


def _ends(record: Record) -> _Ends:
    ours, theirs = _addresses(record.local_host, record.host)
    if record.sent:
        return _Ends(ours, theirs, record.local_port, record.port)
    return _Ends(theirs, ours, record.port, record.local_port)


def _addresses(*hosts: str) -> list[bytes]:
    """Return the addresses in one family; IPv4 beside IPv6 is mapped into it (RFC 4291 section 2.5.5.2)."""
    found = [_address(host) for host in hosts]
    if len({len(address) for address in found}) == 1:
        return found
    return [b"\0" * 10 + b"\xff\xff" + address if len(address) == _IPV4_SIZE else address for address in found]


def _address(host: str) -> bytes:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:  # nobody said which
        return bytes(_IPV4_SIZE)


def _datagram(ends: _Ends, payload: bytes, number: int) -> bytes:
    length = _UDP.size + len(payload)
    pseudo = ends.source + ends.target + struct.pack("!HH", _PROTOCOL, length)
    bare = _UDP.pack(ends.source_port, ends.target_port, length, 0) + payload
    check = _checksum(pseudo + bare) or 0xFFFF  # RFC 768: 0 would mean that there is none
    return _ip_header(ends, length, number) + bare[:6] + check.to_bytes(2) + payload


def _ip_header(ends: _Ends, length: int, number: int) -> bytes:
    if len(ends.source) > _IPV4_SIZE:
        return _IPV6.pack(6 << 28, length, _PROTOCOL, _HOPS, ends.source, ends.target)
    size, ident = _IPV4.size + length, number & 0xFFFF
    fields = 0x45, 0, size, ident, _DONT_FRAGMENT, _HOPS, _PROTOCOL
    check = _checksum(_IPV4.pack(*fields, 0, ends.source, ends.target))
    return _IPV4.pack(*fields, check, ends.source, ends.target)


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:  # noqa: PLR2004 - 16 bits
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
