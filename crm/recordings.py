"""Recordings for people: listen, download, check, delete by age; each hearing is written down (docs/recordings.md)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from dialer.core.types import CallId
from dialer.errors import Damaged, Deleted, DialerError, NotFound
from dialer.recordings import Pruned, Stored, prune
from store.audit import Act, acts, note
from store.recording_files import FsspecFiles
from store.recordings import SqlRecordings

log = logging.getLogger(__name__)

LISTEN: Final = "recording.listen"
DOWNLOAD: Final = "recording.download"
PRUNE: Final = "recording.prune"
HELD_BYTES: Final = 32_000_000
"""How much of what was checked last is held: a player asks for one file in many pieces."""
DAY_S: Final = 86_400.0


class Asker(NamedTuple):
    """Who asks, and from which address ("local" = the command line)."""

    actor: str
    remote: str


class Sound(NamedTuple):
    """A recording whose bytes are those that were stored."""

    stored: Stored
    data: bytes


class Problem(NamedTuple):
    """A recording that cannot be heard, and why."""

    call_id: CallId
    why: str


class RecordingShelf:
    """The recordings of an installation; `now` is the service's clock, `wall` the one that the audit goes by."""

    def __init__(
        self, engine: AsyncEngine, files: FsspecFiles, now: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self.rows = SqlRecordings(engine)
        self._engine, self._files, self._now, self._wall = engine, files, now, wall
        self._held: OrderedDict[str, bytes] = OrderedDict()

    async def having(self, call_ids: Collection[CallId]) -> frozenset[CallId]:
        """Return those of the calls that have a recording to be heard (requirements S0-26)."""
        return await self.rows.having(call_ids) if call_ids else frozenset()

    async def need(self, call_id: CallId) -> Stored:
        """Return what is known of a call's recording; raise NotFound, or Deleted with when that was."""
        found = await self.rows.find(call_id)
        if found is None:
            raise NotFound(f"call {call_id!r} has no recording; `dialer recordings list` shows those that have")
        if found.deleted_at is not None:
            at = datetime.fromtimestamp(found.deleted_at, UTC)
            raise Deleted(f"the recording of call {call_id} was deleted on {at:%Y-%m-%d at %H:%M} UTC")
        return found

    async def open(self, call_id: CallId) -> Sound:
        """Return a recording after its checksum was compared; raise Damaged when it is another one's.

        NotFound, Deleted and Unreachable as they apply.
        """
        stored = await self.need(call_id)
        held = self._held.get(stored.sha256)
        if held is None:
            held = await self._files.read(stored.storage, stored.path)
            await _check(stored, held)
            self._hold(stored.sha256, held)
        self._held.move_to_end(stored.sha256)
        return Sound(stored, held)

    async def note(self, asker: Asker, action: str, call_id: CallId) -> None:
        """Write down who hears what; nobody hears anything before this has returned."""
        await note(self._engine, Act(self._wall(), asker.actor, action, call_id, asker.remote))

    async def audit(self, call_id: CallId | None = None, *, limit: int = 100) -> Sequence[Act]:
        """List who did what with recordings, or one call's, the latest first."""
        return await acts(self._engine, object_=call_id, limit=limit)

    async def verify(self, stored: Sequence[Stored]) -> AsyncIterator[Problem | None]:
        """Read each file and compare its checksum; yield one answer for each, None = as it was stored."""
        for one in stored:
            try:
                await _check(one, await self._files.read(one.storage, one.path))
            except DialerError as error:
                yield Problem(one.call_id, str(error))
            else:
                yield None

    async def prune(self, asker: Asker, days: float) -> Pruned:
        """Delete recordings of calls older than so many days, some hundred at a time; it is written down."""
        now = self._now()
        done = await prune(self.rows, self._files, before=now - days * DAY_S, now=now)
        if done.deleted:
            await self.note(asker, PRUNE, f"{done.deleted} older than {days:g} days")
        return done

    def _hold(self, key: str, data: bytes) -> None:
        self._held[key] = data
        while len(self._held) > 1 and sum(map(len, self._held.values())) > HELD_BYTES:
            self._held.popitem(last=False)


async def _check(stored: Stored, data: bytes) -> None:
    found = (await asyncio.to_thread(sha256, data)).hexdigest()
    if found != stored.sha256:
        log.error(
            "a recording is not what was stored", extra={"action": "recording.damaged", "call_id": stored.call_id}
        )
        raise Damaged(
            f"the recording of call {stored.call_id} is damaged: {stored.path} is not the file that was stored "
            f"({len(data)} bytes, {stored.bytes} then; another checksum); put it back from a copy"
        )
