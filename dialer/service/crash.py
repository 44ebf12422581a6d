"""Crash on purpose at a named point: `DIALER_CRASH_AT=begin.after_commit:3` kills the process at the third passing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from dialer.errors import BadInput

Fault = Callable[[str], None]


def crash_at(spec: str | None) -> Fault | None:
    """Return the hook that kills this process (SIGKILL) at the n-th passing of a point; None for no spec."""
    if not spec:
        return None
    point, _, count = spec.rpartition(":")
    if not point or not count.isdecimal() or int(count) < 1:
        raise BadInput(f"DIALER_CRASH_AT={spec!r}: write POINT:N with N >= 1, such as settle.before_commit:2")
    left = int(count)

    def pass_by(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return pass_by
