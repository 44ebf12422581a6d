"""Output whose reader has gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dialer.output import READER_GONE, watch_reader
from tests.dialer.process import environment


def _unread(code: str, **env: str) -> tuple[int, bytes]:
    """Run a program whose output nobody reads; return its exit status and what it said about that."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, env=environment(**env), check=False
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize(
    "words",
    [
        ["status", "list"],  # printed by rich
        ["status", "list", "--json"],  # printed by click
        ["campaign", "--help"],
    ],
)
def test_a_command_whose_reader_has_gone_ends_without_a_word(words: list[str], env: dict[str, str]) -> None:
    code = f"import sys; sys.argv = ['dialer', *{words!r}]; from dialer.cli import main; main()"
    assert _unread(code, **env) == (READER_GONE, b"")


def test_what_is_left_in_the_buffer_is_no_error_at_the_end() -> None:
    code = "from dialer.output import watch_reader; watch_reader(); print('x'); import sys; sys.stdout.flush()"
    assert _unread(code) == (READER_GONE, b"")


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_what_is_read_arrives_whole(env: dict[str, str]) -> None:
    code = "from dialer.output import watch_reader; watch_reader(); print('xin chào' * 20_000)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment(**env), check=True).stdout
    assert said.decode() == "xin chào" * 20_000 + "\n"


def test_an_output_that_somebody_replaced_stays() -> None:
    mine = sys.stdout
    watch_reader()
    assert sys.stdout is mine
