"""`dialer cdr export`: calls into a file, with a bar that shows how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from dialer.commands.cdr_options import check_campaign

if TYPE_CHECKING:
    from rich.progress import Progress

    from cdr.queries import CdrFilter

_LOOK_S: Final = 0.2


class Written(NamedTuple):
    """What an export came to; the engine does not tell how many calls it wrote to a Parquet file."""

    calls: int | None
    bytes: int

    def __str__(self) -> str:
        """Say it to people."""
        return f"{self.bytes} bytes" if self.calls is None else f"{self.calls} calls"


async def export_calls(
    file: Path, wanted: CdrFilter, zone: ZoneInfo, *, kind: str | None, limit: int | None, mask: bool
) -> Written:
    """Write the calls that match, newest first, at most `limit`; the file appears whole or not at all."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from cdr.export import format_of
    from dialer.commands.cdr_view import ERRORS

    kind = format_of(file, kind)
    await check_campaign(wanted.campaign)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeElapsedColumn()
    with Progress(*columns, console=ERRORS) as progress:
        if kind == "parquet":
            return await _parquet(file, wanted, progress, limit=limit, mask=mask)
        return await _rows(file, wanted, zone, progress, kind=kind, limit=limit, mask=mask)


async def _rows(
    file: Path, wanted: CdrFilter, zone: ZoneInfo, progress: Progress, *, kind: str, limit: int | None, mask: bool
) -> Written:
    from cdr.export import open_export, pages
    from crm.numbers import mask as hide
    from dialer.commands.context import open_cdr

    written = 0
    async with open_cdr() as calls:
        with open_export(file, zone, kind=kind, mask=hide if mask else None) as writer:
            total = await calls.count(wanted)
            task = progress.add_task("calls", total=total if limit is None else min(limit, total), done="")
            async for page in pages(calls, wanted, limit=limit):
                writer.write(page)
                written += len(page)
                progress.update(task, completed=written, done=f"{written}")
    return Written(written, _size(file))


async def _parquet(file: Path, wanted: CdrFilter, progress: Progress, *, limit: int | None, mask: bool) -> Written:
    from cdr.export import whole_file
    from dialer.commands.context import open_cdr

    async with open_cdr() as calls:
        with whole_file(file) as draft:
            async with _watched(draft, progress):
                await calls.write_parquet(draft, wanted, rows=limit, mask=mask)
    return Written(None, _size(file))


def _size(path: Path) -> int:
    return path.stat().st_size


@asynccontextmanager
async def _watched(draft: Path, progress: Progress) -> AsyncIterator[None]:
    """Show how large the file is while somebody else writes it."""
    task = progress.add_task("bytes", total=None, done="")

    async def watch() -> None:
        while True:
            progress.update(task, done=f"{_size(draft)}")
            await asyncio.sleep(_LOOK_S)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        progress.update(task, total=1, completed=1, done=f"{_size(draft)}")
