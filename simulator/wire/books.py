"""The ledger on disk: JSON lines, or CSV where the name says so; rows appear as calls end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from dialer.errors import BadInput
from simulator.wire.ledger import Row, csv_header, to_csv, to_jsonl

_BUFFER: Final = 1 << 20


class LedgerFile:
    """Write rows through a buffer; `flush` shows them to readers. An existing file is replaced.

    Raises BadInput for a place that cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write = to_csv if path.suffix.lower() == ".csv" else to_jsonl
        try:
            self._file: BinaryIO = path.open("wb", buffering=_BUFFER)
        except OSError as error:
            raise BadInput(f"{path}: the ledger cannot be written there ({error.strerror}); choose another") from error
        if self._write is to_csv:
            self._file.write(csv_header())

    def take(self, row: Row) -> None:
        """Write one row."""
        self._file.write(self._write(row))

    def flush(self) -> None:
        """Write out what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()
