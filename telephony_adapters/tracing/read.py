"""Read the traces in a folder, while others may be writing there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dialer.errors import BadInput
from dialer.ports import CallTrace
from telephony_adapters.tracing.draw import as_text
from telephony_adapters.tracing.ladder import make_trace
from telephony_adapters.tracing.pcap import write_pcap
from telephony_adapters.tracing.record import Record, call_id_of, key_of, records_in
from telephony_adapters.tracing.segments import segments

PAGE_WIDTH = 100
"""Columns of the text that a page offers as a file."""


def read_call(folder: Path, call_id: str) -> list[Record]:
    """Return the messages of one call, in order, [] when none is kept; `call_id` may be a SIP Call-ID of it.

    Raises BadInput when a file cannot be read.
    """
    key = key_of(call_id_of(call_id))
    found: list[Record] = []
    for path in segments(folder):
        data = _read(path)
        if key in data:
            found += records_in(data, key)
    return sorted(found, key=lambda record: record.at)


class TraceFolder:
    """The `dialer.ports.CallTraces` of a folder; reads in threads, for a folder at its bound takes a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def trace(self, call_id: str) -> CallTrace | None:
        """Return the call's ladder, None when nothing of it is kept."""
        records = await self._records(call_id)
        return make_trace(records) if records else None

    async def text(self, call_id: str) -> str | None:
        """Return the ladder and the messages as text."""
        records = await self._records(call_id)
        return as_text(call_id, make_trace(records), records, width=PAGE_WIDTH) if records else None

    async def pcap(self, call_id: str) -> bytes | None:
        """Return the messages as a pcap file."""
        records = await self._records(call_id)
        return write_pcap(records) if records else None

    async def _records(self, call_id: str) -> list[Record]:
        return await asyncio.to_thread(read_call, self._folder, call_id)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # its writer has dropped it meanwhile
        return b""
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; run as the user who runs the dialer") from error
