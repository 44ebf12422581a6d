from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.tracing.read import TraceFolder, read_call
from telephony_adapters.tracing.segments import segments
from tests.telephony_adapters.tracing.sample import CALL_ID, calls, note_call

ROOT = Path(__file__).parents[3]
WRITER = """
import itertools, sys
from pathlib import Path
from tests.telephony_adapters.tracing.sample import CALL_ID, DIALER, MB, START, calls
from telephony_adapters.tracing.log import MessageLog
log = MessageLog(Path(sys.argv[1]), share=1.0, max_bytes=MB)
sys.stdin.readline()
for number in itertools.count():
    for after, sent, flow, data in calls():
        log.tap(sent, flow, DIALER, data, START + number)
    if number == 3:
        print("going on", flush=True)
"""


def test_each_call_has_its_own_messages_whichever_of_its_ids_is_given(tmp_path: Path) -> None:
    other = CALL_ID.replace("01993b1e", "01993b1f")
    note_call(tmp_path)
    note_call(tmp_path, call_id=other)
    for given in (CALL_ID, f"{CALL_ID}@10.0.0.2", f"{CALL_ID}-a@10.0.0.2", f"{other}-a"):
        assert len(read_call(tmp_path, given)) == len(calls())
    assert read_call(tmp_path, "another") == []
    assert read_call(tmp_path / "nothing", CALL_ID) == []


def test_a_torn_segment_is_read_up_to_the_tear(tmp_path: Path) -> None:
    note_call(tmp_path)
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    (tmp_path / "000000000000000-1-0.trace").write_bytes(b"\xff" * 99)
    note_call(tmp_path)  # the next process
    assert len(read_call(tmp_path, CALL_ID)) == 2 * len(calls()) - 1


def test_a_segment_that_goes_while_it_is_looked_for_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "000000000000000-1-0.trace").symlink_to(tmp_path / "gone")
    assert read_call(tmp_path, CALL_ID) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "000000000000000-1-0.trace").mkdir()
    with pytest.raises(BadInput, match=r"cannot read .*-0\.trace: Is a directory"):
        read_call(tmp_path, CALL_ID)


def test_two_processes_write_another_reads_and_a_kill_harms_nobody(tmp_path: Path) -> None:
    whole = [data.partition(b" SIP")[0][:4] for *_, data in calls()]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"go\n")
            writer.stdin.close()
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"going on\n"
        while_written = read_call(tmp_path, CALL_ID)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
            if writer.stdout is not None:
                writer.stdout.close()
    for records in (while_written, read_call(tmp_path, CALL_ID)):
        assert len(records) >= 2 * len(whole)
        assert {record.data[:4] for record in records} == set(whole)
    note_call(tmp_path)


async def test_the_port_answers_in_each_form_or_not_at_all(tmp_path: Path) -> None:
    note_call(tmp_path)
    folder = TraceFolder(tmp_path)
    trace, text, pcap = await asyncio.gather(folder.trace(CALL_ID), folder.text(CALL_ID), folder.pcap(CALL_ID))
    assert trace is not None
    assert text is not None
    assert pcap is not None
    assert len(trace.steps) == len(calls())
    assert text.startswith(f"call {CALL_ID}\n")
    assert pcap[:4] == b"\xd4\xc3\xb2\xa1"
    assert [await ask("none") for ask in (folder.trace, folder.text, folder.pcap)] == [None] * 3
