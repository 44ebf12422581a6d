"""Fail on purpose at a named point: `DIALER_CRASH_AT=begin.after_commit:3` kills the process at the third passing.

`begin.after_commit:3:stop` only stops it there (SIGSTOP), as a machine that hangs would; SIGCONT lets it go on.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from dialer.errors import BadInput

Fault = Callable[[str], None]
_STOP = ":stop"


def crash_at(spec: str | None) -> Fault | None:
    """Return the hook that kills or stops this process at the n-th passing of a point; None for no spec."""
    if not spec:
        return None
    number = signal.SIGSTOP if spec.endswith(_STOP) else signal.SIGKILL
    point, _, count = spec.removesuffix(_STOP).rpartition(":")
    if not point or not count.isdecimal() or int(count) < 1:
        raise BadInput(
            f"DIALER_CRASH_AT={spec!r}: write POINT:N with N >= 1, such as settle.before_commit:2, or POINT:N:stop"
        )
    left = int(count)

    def pass_by(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), number)

    return pass_by
