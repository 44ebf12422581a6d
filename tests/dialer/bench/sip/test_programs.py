from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from dialer.bench.sip.programs import HOST, Program, found, free_port
from dialer.errors import DialerError

BUSY = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\nprint('done')"


def test_a_program_is_awaited_and_its_processor_time_is_told(tmp_path: Path) -> None:
    with Program([sys.executable, "-c", BUSY], tmp_path) as program:
        used_s = program.wait(20.0)
        assert program.said() == "done\n"
    assert 0.1 <= used_s < 5.0


def test_one_that_fails_is_quoted(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "raise SystemExit('no such luck')"], tmp_path)
    with program, pytest.raises(DialerError, match="ended with 1; it said: no such luck"):
        program.wait(20.0)


def test_one_that_takes_too_long_is_ended_with_the_block(tmp_path: Path) -> None:
    began = time.monotonic()
    program = Program([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path)
    with program, pytest.raises(DialerError, match="still ran after 0"):
        program.wait(0.05)
    assert time.monotonic() - began < 10.0


def test_one_that_listens_is_awaited_and_costs_processor_time_while_it_runs(tmp_path: Path) -> None:
    port = free_port()
    code = f"import socket, time\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.bind(('{HOST}', {port}))\n{BUSY}"
    with Program([sys.executable, "-c", f"{code}\ntime.sleep(600)"], tmp_path) as program:
        program.wait_for_port(port)
        while program.cpu_s() < 0.1:
            time.sleep(0.01)


def test_one_that_ends_before_it_listens_is_quoted(tmp_path: Path) -> None:
    program = Program([sys.executable, "-c", "print('not today')"], tmp_path)
    with program, pytest.raises(DialerError, match="did not start; it said: not today"):
        program.wait_for_port(free_port())


def test_what_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(DialerError, match=r"no-such-program is not installed.*install sip-tester"):
        found("no-such-program", "sip-tester")
