"""What a recording is, where its file lies, and the ports that keep files and rows (docs/recordings.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import msgspec

from dialer.core.types import CallId
from dialer.errors import BadInput

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class RecordingFormat(StrEnum):
    """How recordings are kept."""

    MP3 = "mp3"
    WAV = "wav"

    @property
    def media_type(self) -> str:
        """Return what browsers call it."""
        return "audio/mpeg" if self is RecordingFormat.MP3 else "audio/wav"


class Stored(msgspec.Struct, frozen=True):
    """A recording in the storage; `storage` is the URL below which it lies (empty = the home folder's)."""

    call_id: CallId
    campaign_id: int
    began_at: float
    """When the call began, UTC epoch seconds."""
    storage: str
    path: str
    format: RecordingFormat
    bytes: int
    sha256: str
    """Of the file."""
    seconds: float
    stored_at: float
    deleted_at: float | None = None

    @property
    def file_name(self) -> str:
        """Return the name under which a person keeps it: the call's id (requirements S0-25)."""
        return f"{self.call_id}.{self.format.value}"


class Settled(msgspec.Struct, frozen=True):
    """A call whose end is written down; `stored`: its recording was stored before."""

    campaign_id: int
    began_at: float
    stored: bool


class RecordingStore(Protocol):
    """The rows about recordings."""

    async def settled(self, call_ids: Collection[CallId]) -> Mapping[CallId, Settled]:
        """Return those of the calls that are ours and settled."""
        ...

    async def keep(self, new: Stored) -> bool:
        """Write the row and its event in one transaction; False: there is a row already, and nothing was written."""
        ...

    async def expired(self, before: float, limit: int) -> Sequence[Stored]:
        """List recordings of calls that began before then, the oldest first."""
        ...

    async def mark_deleted(self, call_id: CallId, *, now: float) -> bool:
        """Mark the row and write the event, once; False: somebody else has."""
        ...


class RecordingFiles(Protocol):
    """The storage of the files; whatever is wrong with it is raised as Unreachable."""

    storage: str
    """Where new ones go, as `Stored.storage` says it."""

    async def put(self, path: str, data: bytes) -> None:
        """Store a file whole or not at all, over one of the same name."""
        ...

    async def remove(self, storage: str, path: str) -> None:
        """Delete a file; one that is not there is no error."""
        ...


def path_of(call_id: CallId, began_at: float, kind: RecordingFormat) -> str:
    """Return where a recording lies below its storage: YYYY/MM/DD/CALL_ID.FORMAT, by UTC.

    Raises BadInput for an id that is no plain name.
    """
    if not _NAME.fullmatch(call_id) or ".." in call_id:
        raise BadInput(f"{call_id!r} is no call's id: letters, digits and . _ @ - are, at most 64 of them")
    return f"{datetime.fromtimestamp(began_at, UTC):%Y/%m/%d}/{call_id}.{kind.value}"


def url_of(call_id: CallId) -> str:
    """Return where the console plays it, below the console's address."""
    return f"/api/recordings/{call_id}/audio"


class Pruned(NamedTuple):
    """How many recordings were deleted, and whether more are due."""

    deleted: int
    more: bool


def _no_fault(_point: str) -> None:
    """Go on."""


async def prune(
    store: RecordingStore,
    files: RecordingFiles,
    *,
    before: float,
    now: float,
    limit: int = 500,
    fault: Callable[[str], None] = _no_fault,
) -> Pruned:
    """Delete recordings of calls that began before then, the file first: a crash between leaves a row to do again."""
    due = await store.expired(before, limit)
    deleted = 0
    for found in due:
        await files.remove(found.storage, found.path)
        fault("recording.removed")
        deleted += await store.mark_deleted(found.call_id, now=now)
    return Pruned(deleted, more=len(due) == limit)
