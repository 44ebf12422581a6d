"""Crashing on purpose."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from dialer.errors import BadInput
from dialer.service.crash import crash_at

SCRIPT = """
from dialer.service.crash import crash_at
hook = crash_at({spec!r})
for point in ("a", "b", "a", "a"):
    hook(point)
    print(point, flush=True)
"""


def test_it_kills_at_the_nth_passing_of_the_named_point() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(spec="a:2")], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["a", "b"]


def test_no_spec_no_hook() -> None:
    assert crash_at(None) is None
    assert crash_at("") is None


@pytest.mark.parametrize("spec", ["a", "a:", "a:0", "a:x", "a:-1"])
def test_a_wrong_spec_says_how_to_write_one(spec: str) -> None:
    with pytest.raises(BadInput, match="POINT:N"):
        crash_at(spec)
