"""The file as two independent readers see it: this module's own, by the RFCs, and tshark."""

from __future__ import annotations

import socket
import struct
import subprocess
from pathlib import Path

import msgspec
import pytest

from telephony_adapters.tracing.pcap import write_pcap
from telephony_adapters.tracing.record import Record
from tests.telephony_adapters.tracing.sample import START, records

ONE = Record(START + 0.123456, True, "udp", "10.0.0.1", 5070, "10.0.0.2", 40_123, "", b"BYE sip:a@b SIP/2.0\r\n\r\n")


NOBODY = socket.inet_ntoa(bytes(4))


def packets(data: bytes) -> list[tuple[float, bytes]]:
    """Split the file (draft-ietf-opsawg-pcap)."""
    assert struct.unpack_from("<IHH8xII", data) == (0xA1B2C3D4, 2, 4, 262_144, 101)
    found, at = [], 24
    while at < len(data):
        seconds, rest, length, whole = struct.unpack_from("<IIII", data, at)
        assert length == whole
        found.append((seconds + rest / 1e6, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return found


def total(data: bytes) -> int:
    """Return the one's complement sum (RFC 1071): 0xFFFF for what carries a right checksum."""
    data += b"\0" * (len(data) % 2)
    found = sum(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
    return (found & 0xFFFF) + (found >> 16)


def ends(packet: bytes) -> tuple[str, int, str, int, bytes]:
    """Read IP and UDP headers, and check each sum and length on the way (RFC 791, 8200, 768)."""
    if packet[0] >> 4 == 4:
        assert total(packet[:20]) == 0xFFFF
        assert int.from_bytes(packet[2:4]) == len(packet)
        source, target, datagram, family = packet[12:16], packet[16:20], packet[20:], socket.AF_INET
        protocol = packet[9]
    else:
        assert int.from_bytes(packet[4:6]) == len(packet) - 40
        source, target, datagram, family = packet[8:24], packet[24:40], packet[40:], socket.AF_INET6
        protocol = packet[6]
    assert protocol == socket.IPPROTO_UDP
    assert int.from_bytes(datagram[4:6]) == len(datagram)
    assert total(source + target + struct.pack("!HH", protocol, len(datagram)) + datagram) == 0xFFFF
    ports = struct.unpack_from("!HH", datagram)
    return socket.inet_ntop(family, source), ports[0], socket.inet_ntop(family, target), ports[1], datagram[8:]


def test_every_message_is_a_datagram_between_its_ends_at_its_time() -> None:
    for record, (at, packet) in zip(records(), packets(write_pcap(records())), strict=True):
        ours, theirs = (record.local_host, record.local_port), (record.host, record.port)
        way = (*ours, *theirs) if record.sent else (*theirs, *ours)
        assert ends(packet) == (*way, record.data)
        assert at == pytest.approx(record.at, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, ("10.0.0.2", "10.0.0.1")),
        ({"local_host": "2001:db8::2", "host": "2001:db8::1"}, ("2001:db8::2", "2001:db8::1")),
        ({"local_host": "::", "host": "10.0.0.1"}, ("::", "::ffff:10.0.0.1")),
        ({"local_host": "fe80::1%eth0", "host": "fe80::2"}, ("fe80::1", "fe80::2")),
        ({"local_host": "", "host": "somewhere"}, (NOBODY, NOBODY)),
        ({"data": b"odd"}, ("10.0.0.2", "10.0.0.1")),
        ({"data": b""}, ("10.0.0.2", "10.0.0.1")),
    ],
)
def test_addresses_of_every_kind(changes: dict[str, object], seen: tuple[str, str]) -> None:
    record = msgspec.structs.replace(ONE, **changes)
    ((_, packet),) = packets(write_pcap([record]))
    assert ends(packet)[::2] == (*seen, record.data)


def test_a_message_that_no_datagram_holds_is_cut() -> None:
    ((_, packet),) = packets(write_pcap([msgspec.structs.replace(ONE, data=b"x" * 70_000)]))
    assert len(packet) == 65_535
    assert ends(packet)[4] == b"x" * 65_507


def test_a_checksum_of_zero_is_written_as_its_other_form() -> None:
    for number in range(0x10000):  # one of these sums comes to zero
        record = msgspec.structs.replace(ONE, data=number.to_bytes(2))
        packet = packets(write_pcap([record]))[0][1]
        if packet[26:28] == b"\xff\xff":
            return
    raise AssertionError


@pytest.mark.component("tshark")
def test_tshark_reads_every_message_as_sip_with_right_checksums(tmp_path: Path) -> None:
    odd = msgspec.structs.replace(ONE, host="2001:db8::1", local_host="2001:db8::2", transport="tls")
    everything = [*records(), ONE, odd]
    file = tmp_path / "call.pcap"
    file.write_bytes(write_pcap(everything))
    fields = ("sip.Method", "sip.Status-Code", "udp.checksum.status", "ip.checksum.status")
    command = ["tshark", "-r", str(file), "-Y", "sip", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    shown = [argument for field in fields for argument in ("-e", field)]
    done = subprocess.run([*command, "-T", "fields", *shown], check=True, capture_output=True, text=True, timeout=60)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] or row[1] for row in rows] == [word(record.data) for record in everything]
    assert {tuple(row[2:]) for row in rows} == {("1", "1"), ("1", "")}


def word(data: bytes) -> str:
    first, second, *_ = data.decode().split(" ")
    return second if first == "SIP/2.0" else first
