from __future__ import annotations

import re
from pathlib import Path

import msgspec

from telephony_adapters.tracing.log import MessageLog
from telephony_adapters.tracing.mask import mask_message
from telephony_adapters.tracing.read import read_call
from telephony_adapters.tracing.record import CallLeg, is_sampled, key_of
from telephony_adapters.tracing.segments import SEGMENTS, segments
from tests.telephony_adapters.tracing.sample import (
    AGENT,
    CALL_ID,
    CUSTOMER,
    DIALER,
    HOTLINE,
    MB,
    START,
    TRUNK,
    calls,
    message,
    note_call,
)


def test_all_messages_of_both_legs_are_kept_in_order_with_times_and_ends(tmp_path: Path) -> None:
    log = note_call(tmp_path)
    records = read_call(tmp_path, CALL_ID)
    assert (log.kept, log.dropped) == (len(calls()), 0)
    assert log.kept_bytes == sum(path.stat().st_size for path in segments(tmp_path))
    for (after, sent, flow, data), record in zip(calls(), records, strict=True):
        assert (record.at, record.sent) == (START + after, sent)
        assert (record.transport, record.host, record.port) == flow[:3]
        assert (record.local_host, record.local_port) == DIALER
        assert record.leg == ("a" if flow is AGENT else "")
        assert record.data == mask_message(data)


def test_p19_neither_numbers_nor_secrets_touch_the_disk(tmp_path: Path) -> None:
    note_call(tmp_path)
    raw = b"".join(path.read_bytes() for path in segments(tmp_path))
    assert re.findall(rb"(?<![\d.])[1-9]\d{6,}", raw.replace(b"0000000", b"")) == []
    for secret in (CUSTOMER[:-3], HOTLINE[1:-3], "trunk-user", "n0nce-of-theirs", "5ec2e7"):
        assert secret.encode() not in raw
    assert CALL_ID.encode() in raw


def test_off_is_off(tmp_path: Path) -> None:
    log = note_call(tmp_path / "traces", share=0.0)
    assert (log.kept, log.dropped) == (0, 0)
    assert not (tmp_path / "traces").exists()


def test_a_call_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    ids = [f"{CALL_ID[:-3]}{number:03x}" for number in range(60)]
    for call_id in ids:
        note_call(tmp_path, share=0.3, call_id=call_id)
    kept = [len(read_call(tmp_path, call_id)) for call_id in ids]
    assert kept == [len(calls()) * is_sampled(key_of(call_id), 0.3) for call_id in ids]
    assert 0 < sum(map(bool, kept)) < len(ids)


def test_what_has_no_call_id_is_nobodys(tmp_path: Path) -> None:
    log = MessageLog(tmp_path, share=1.0, max_bytes=MB)
    for data in (b"\r\n\r\n", b"", b"\0\xff", b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n"):
        log.tap(True, TRUNK, DIALER, data, START)
    assert (log.kept, log.dropped) == (0, 0)


def test_a_message_that_is_too_long_is_counted_and_the_others_are_kept(tmp_path: Path) -> None:
    log = MessageLog(tmp_path, share=1.0, max_bytes=MB)
    long = message("BYE sip:a@10.0.0.1 SIP/2.0", "BYE") + b"x" * (MB // SEGMENTS)
    for data in (long, message("BYE sip:a@10.0.0.1 SIP/2.0", "BYE")):
        log.tap(True, TRUNK, DIALER, data, START)
    log.close()
    assert (log.kept, log.dropped, len(read_call(tmp_path, CALL_ID))) == (1, 1, 1)


def test_whose_a_call_id_is_can_be_told_otherwise(tmp_path: Path) -> None:
    log = MessageLog(tmp_path, share=1.0, max_bytes=MB, split=lambda sip: CallLeg("c" + sip[:3]))
    log.note(TRUNK, DIALER, b"BYE sip:a@b SIP/2.0\r\n\r\n", sent=True, call_id="123-xyz", now=START)
    log.close()
    assert [msgspec.structs.astuple(record)[-2:] for record in read_call(tmp_path, "c123")] == [
        ("", b"BYE sip:a@b SIP/2.0\r\n\r\n")
    ]
