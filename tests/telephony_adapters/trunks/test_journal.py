"""The journal of legs: what a full disk costs, and to whom the file belongs."""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.errors import BadInput, ResourceBusy
from telephony_adapters.sip.adopt import LeftBehind
from telephony_adapters.sip.flow import Flow
from telephony_adapters.trunks import journal as module
from telephony_adapters.trunks.journal import Journal


def leg(name: str) -> LeftBehind:
    flow = Flow("udp", "192.0.2.2", 5060)
    return LeftBehind(f"{name}@x", flow, "<sip:a@b>;tag=1", "1", "<sip:c@d>", "", "sip:c@d", (), 1)


def names(path: Path) -> list[str]:
    """Open it as the next process does, and tell whom it finds."""
    after = Journal(path)
    after.close()
    return [left.call_id.partition("@")[0] for left in after.left_behind]


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_no_call_and_what_was_lost_is_written_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "calls.journal"
    journal = Journal(path)
    for name in ("before", "ends"):
        journal.write(leg(name), is_over=False)
    with full_disk(path.stat().st_size + 10):  # half a line still fits
        journal.write(leg("meanwhile"), is_over=False)
        journal.write(leg("ends"), is_over=True)
    assert journal.failures == 2
    assert [record.action for record in caplog.records] == ["journal.failed"]  # type: ignore[attr-defined]
    with caplog.at_level(logging.INFO):
        journal.write(leg("after"), is_over=False)
        journal.write(leg("last"), is_over=False)
    journal.close()
    assert caplog.records[-1].action == "journal.mended"  # type: ignore[attr-defined]
    assert names(path) == ["before", "meanwhile", "after", "last"]


def test_a_file_that_cannot_be_written_anew_is_still_appended_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROOM", 4)
    path = tmp_path / "calls.journal"
    journal = Journal(path)
    (tmp_path / "calls.new").mkdir()
    for number in range(6):
        journal.write(leg(f"c{number}"), is_over=False)
        journal.write(leg(f"c{number}"), is_over=number != 5)
    assert journal.failures > 0
    journal.close()
    assert names(path) == ["c5"]


def test_a_second_process_is_refused_for_its_calls_would_be_the_first_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROOM", 2)
    path = tmp_path / "calls.journal"
    first = Journal(path)
    for number in range(4):  # the file is written anew, and stays the first one's
        with pytest.raises(ResourceBusy, match="belongs to a process that runs"):
            Journal(path)
        first.write(leg(f"c{number}"), is_over=False)
        first.write(leg(f"c{number}"), is_over=True)
    first.close()
    assert names(path) == []


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be opened"):
        Journal(tmp_path)
