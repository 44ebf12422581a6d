"""The bound on disk under any sequence of writes, by several processes; and what a full disk leaves."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from telephony_adapters.tracing.segments import LOCK_NAME, RETRY_S, SEGMENTS, SHARE_MIN, Segments, _locked, segments

EACH = 1_000
BOUND = SEGMENTS * EACH


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in segments(folder))


class Writers(RuleBasedStateMachine):
    """Some writers, each as another process would be: locks belong to open files, not to processes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.writers = [Segments(self.folder, BOUND) for _ in range(3)]
        self.now = 0.0
        self.last = b""
        self.serial = 0

    @rule(who=st.integers(0, 2), size=st.integers(1, EACH // 8 + 1), times=st.integers(1, 12), later=st.booleans())
    def write(self, who: int, size: int, times: int, later: bool) -> None:
        for _ in range(times):
            self.now += later * RETRY_S
            self.serial += 1
            data = f"{self.serial:08d}".encode() * size
            if self.writers[who].append(data, self.now):
                self.last = data
            else:
                assert len(data) > EACH
            assert size_of(self.folder) <= BOUND

    @rule(who=st.integers(0, 2))
    def end(self, who: int) -> None:
        self.writers[who].close()

    @rule(who=st.integers(0, 2))
    def start_again(self, who: int) -> None:
        self.writers[who].close()
        self.writers[who] = Segments(self.folder, BOUND)

    @invariant()
    def the_bound_holds_and_the_newest_is_kept(self) -> None:
        assert len(segments(self.folder)) <= SEGMENTS * SHARE_MIN
        assert self.last in content(self.folder)

    def teardown(self) -> None:
        for writer in self.writers:
            writer.close()
        shutil.rmtree(self.folder)


TestWriters = Writers.TestCase
TestWriters.settings = settings(max_examples=30, stateful_step_count=20)


def test_the_oldest_goes_first(tmp_path: Path) -> None:
    writer = Segments(tmp_path, BOUND)
    for number in range(3 * SEGMENTS):
        assert writer.append(f"{number:04d}".encode() * (EACH // 4), float(number))
    writer.close()
    assert [path.read_bytes()[:4] for path in segments(tmp_path)] == [
        f"{number:04d}".encode() for number in range(2 * SEGMENTS, 3 * SEGMENTS)
    ]


def test_starting_again_and_again_neither_loses_what_there_was_nor_makes_ever_more_files(tmp_path: Path) -> None:
    for number in range(SEGMENTS):
        writer = Segments(tmp_path, BOUND)
        assert writer.append(f"{number:04d}".encode(), float(number))
        writer.close()
    assert len(content(tmp_path)) == 4 * SEGMENTS
    for number in range(2 * SEGMENTS * SHARE_MIN):
        writer = Segments(tmp_path, BOUND)
        assert writer.append(b"x", float(SEGMENTS + number))
        writer.close()
    assert len(segments(tmp_path)) <= SEGMENTS * SHARE_MIN


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    writer = Segments(tmp_path / "new" / "folder", BOUND)
    assert writer.append(b"x", 0.0)
    writer.close()
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "folder").iterdir()} == {0o600}


def test_a_smaller_bound_than_before_is_kept_at_the_next_segment(tmp_path: Path) -> None:
    old = Segments(tmp_path, 10 * BOUND)
    for number in range(200):
        old.append(b"x" * 700, float(number))
    old.close()
    new = Segments(tmp_path, BOUND)
    assert new.append(b"y", 1_000.0)
    new.close()
    assert size_of(tmp_path) <= BOUND


def test_a_segment_that_another_writes_to_is_never_taken_and_who_comes_too_much_waits(tmp_path: Path) -> None:
    writers = [Segments(tmp_path, BOUND) for _ in range(SEGMENTS + 1)]
    done = [writer.append(b"x", float(number)) for number, writer in enumerate(writers)]
    assert done == [True] * SEGMENTS + [False]
    writers[0].close()
    late = writers[-1]
    assert not late.append(b"y", SEGMENTS + RETRY_S / 2)  # it has just tried
    assert late.append(b"y", SEGMENTS + RETRY_S)
    for writer in writers:
        writer.close()


def test_nobody_waits_for_a_process_that_is_held_up_with_the_lock(tmp_path: Path) -> None:
    writer = Segments(tmp_path, BOUND)
    with _locked(tmp_path / LOCK_NAME):
        assert not writer.append(b"x", 0.0)
    assert writer.append(b"x", RETRY_S)
    writer.close()


def test_a_full_disk_is_told_once_and_costs_messages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Segments(tmp_path, BOUND)
    assert writer.append(b"before", 0.0)

    def full(file: int, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "write", full)
        assert [writer.append(b"x", now) for now in (1.0, 1.5, 2.0, 3.0)] == [False] * 4
    assert [record.__dict__["action"] for record in caplog.records] == ["trace.failed"]
    assert writer.append(b"after", 4.0)
    writer.close()
    assert content(tmp_path) == b"beforeafter"


def test_what_was_written_in_part_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Segments(tmp_path, BOUND)
    assert writer.append(b"whole", 0.0)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:2]))
        assert not writer.append(b"in part", 1.0)
    assert writer.append(b"again", 2.0)
    writer.close()
    assert content(tmp_path) == b"wholeagain"


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not Segments(tmp_path / "file" / "folder", BOUND).append(b"x", 0.0)
