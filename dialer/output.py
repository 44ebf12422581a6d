"""Standard output that ends the program when its reader has gone, as `head` does: quietly, with a shell's status."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Final

READER_GONE: Final = 141
"""128 + SIGPIPE. The signal itself stays ignored, or a browser that closes a page would end a service."""


class _Pipe(io.FileIO):
    """The file under standard output."""

    def write(self, data: Any, /) -> int:
        """Write, or end the program; SystemExit passes whoever turns a BrokenPipeError into something else."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # what is still buffered must not fail again at the interpreter's end
            os.close(nowhere)
            raise SystemExit(READER_GONE) from None


def watch_reader() -> None:
    """Put this output in the place of the process's own; one that somebody else has replaced is left alone."""
    old = sys.stdout
    if old is None or old is not sys.__stdout__ or not isinstance(old, io.TextIOWrapper):
        return
    old.flush()
    pipe: Any = _Pipe(old.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(
        pipe if old.write_through else io.BufferedWriter(pipe),
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
