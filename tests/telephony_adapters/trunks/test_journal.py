"""The journal of legs: what a full disk costs, and to whom the file belongs."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dialer.errors import BadInput, ResourceBusy
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.trunks import journal as module
from telephony_adapters.trunks.journal import Journal


def leg(name: str) -> Leg:
    made = Leg(f"{name}@x", Flow("udp", "192.0.2.2", 5060), is_caller=True, local_tag="1")
    made.local, made.remote, made.target, made.cseq = "<sip:a@b>;tag=1", "<sip:c@d>", "sip:c@d", 1
    return made


def note(journal: Journal, what: str, name: str) -> None:
    """Note a step of a leg, in a turn of its own."""
    journal.note(what, leg(name), 0.0)
    journal.flush()


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
        note(journal, "placed", name)
    with full_disk(10):
        note(journal, "placed", "meanwhile")
        note(journal, "over", "ends")
        note(journal, "placed", "late")
    assert journal.failures > 0
    assert [record.action for record in caplog.records] == ["journal.failed"]  # type: ignore[attr-defined]
    note(journal, "placed", "after")
    journal.close()
    assert not journal.failed
    assert names(path) == ["before", "meanwhile", "late", "after"]


def test_a_second_process_is_refused_for_its_calls_would_be_the_first_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROOM", 2)
    path = tmp_path / "calls.journal"
    first = Journal(path)
    for number in range(4):  # the file is written anew, and stays the first one's
        with pytest.raises(ResourceBusy, match="belongs to another process"):
            Journal(path)
        note(first, "placed", f"c{number}")
        note(first, "over", f"c{number}")
    first.close()
    assert names(path) == []


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be opened"):
        Journal(tmp_path)
