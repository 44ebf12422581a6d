"""Import leads from a workbook or CSV file into a campaign (S3-15 to S3-24, S4-25)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import unknown_campaign
from crm.fields import CUSTOMER_FIELDS, plain
from crm.import_batch import Counts, Target, write_batch
from crm.lead_actions import in_transaction
from crm.mapping import column_letters
from crm.numbers import PhoneFault
from crm.reading import Batch, Failure, Reader, Source, open_source
from crm.tables import LAST_ROW, AddRow, new_table
from dialer.core.campaign import CampaignState
from dialer.core.types import CampaignSettings
from dialer.errors import BadInput, IllegalAction
from store.load import decode_settings
from store.models import Campaign
from store.open import blocking_twin, readers

HEADINGS: Final = (
    "Dòng / Row",
    "Ô / Cell",
    "Mục / Field",
    "Giá trị / Value",
    "Lý do",
    "Reason",
    "Dữ liệu gốc / Original",
)
_NAME_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: added + existing + failed = rows (S3-24); empty rows are no data rows.

    `added`: new places in the campaign. `existing`: the number was in the campaign, its customer's fields were updated;
    `duplicates` of them stood in the file more than once. `old_numbers` of the failed rows need the 2018 migration,
    `migrated` rows got it. `result_path`: the failed rows and why; None when none failed or no file was asked for.
    """

    added: int = 0
    existing: int = 0
    failed: int = 0
    duplicates: int = 0
    rows: int = 0
    blank: int = 0
    old_numbers: int = 0
    migrated: int = 0
    result_path: Path | None = None


Progress = Callable[[int, int | None], None]
"""Told the number of the last sheet row done, and of the last row there is (None: not known)."""


async def import_leads(  # noqa: PLR0913 - one option per choice that a person has
    engine: AsyncEngine,
    path: Path,
    campaign: str,
    mapping: Mapping[str, int],
    start_row: int,
    *,
    now: float,
    list_name: str | None = None,
    migrate_2018: bool = False,
    result_path: Path | None = None,
    limit: int | None = None,
    on_progress: Progress | None = None,
) -> ImportResult:
    """Import a file into a campaign's list (the file's name by default).

    `limit`: only so many rows. Batches of 1,000 rows, each in one transaction; after an interruption run it again:
    what is in stays as it is.
    Raises BadInput, NotFound or IllegalAction before anything is written.
    """
    source = await asyncio.to_thread(open_source, path, mapping, start_row)
    return await import_source(
        engine,
        source,
        campaign,
        now=now,
        list_name=list_name,
        migrate_2018=migrate_2018,
        result_path=result_path,
        limit=limit,
        on_progress=on_progress,
    )


async def import_source(
    engine: AsyncEngine,
    source: Source,
    campaign: str,
    *,
    now: float,
    list_name: str | None = None,
    migrate_2018: bool = False,
    result_path: Path | None = None,
    limit: int | None = None,
    on_progress: Progress | None = None,
) -> ImportResult:
    """Import an opened file; see `import_leads`."""
    settings = await _open_campaign(engine, campaign)
    target = _target(source, settings, list_name, now)
    reader = Reader(source, zone=ZoneInfo(settings.window.timezone), migrate_2018=migrate_2018, limit=limit)
    first = await asyncio.to_thread(reader.next_batch)
    if first is None:
        raise BadInput(f"{source.path}: there are no rows from row {source.start_row} on.")
    with _Report(source, result_path) as report, _Writer(engine) as writer:
        batch: Batch | None = first
        while batch is not None:
            reading = asyncio.create_task(asyncio.to_thread(reader.next_batch))  # while this one is written
            try:
                if batch.people or batch.failures:
                    report.take(batch, await writer.write(_writing(batch, target)))
            finally:
                following = await reading
            if on_progress is not None:
                on_progress(batch.last_row, source.sheet.total)
            batch = following
    return report.result()


async def _open_campaign(engine: AsyncEngine, name: str) -> CampaignSettings:
    query = select(Campaign.id, Campaign.name, Campaign.state, Campaign.settings).where(Campaign.name == name.strip())
    async with readers(engine).connect() as db:
        row = (await db.execute(query)).one_or_none()
        if row is None:
            raise unknown_campaign(name, (await db.execute(select(Campaign.name))).scalars().all())
    if row.state == CampaignState.ENDED:
        raise IllegalAction(f"campaign {row.name!r} has ended; leads can be added to one that has not (S4-21).")
    return decode_settings(row.settings, row.id, row.name)


def _target(source: Source, settings: CampaignSettings, list_name: str | None, now: float) -> Target:
    name = (list_name if list_name is not None else source.path.stem).strip()
    if not name or len(name) > _NAME_LENGTH:
        raise BadInput(f"list: give it a name of 1 to {_NAME_LENGTH} characters.")
    fields = tuple(field for field in source.mapping if field in CUSTOMER_FIELDS)
    return Target(settings, name, now, fields, source.mapping.get("code", 0))


def _writing(batch: Batch, target: Target) -> Callable[[Connection], Counts]:
    return lambda db: write_batch(db, batch, target)


class _Writer:
    """Write whole batches: into an SQLite file in a thread, so that whatever else this process does goes on."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        in_file = engine.dialect.name == "sqlite" and engine.url.database not in {None, "", ":memory:"}
        self._twin = blocking_twin(engine) if in_file else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._twin is not None:
            self._twin.dispose()

    async def write(self, work: Callable[[Connection], Counts]) -> Counts:
        """Run one transaction; it is finished even when nobody waits for it any more."""
        if self._twin is None:
            return await in_transaction(self._engine, work)
        writing = asyncio.create_task(asyncio.to_thread(_transact, self._twin, work))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise


def _transact(engine: Engine, work: Callable[[Connection], Counts]) -> Counts:
    with engine.begin() as db:
        return work(db)


class _Report:
    """Count, and write the failed rows to the result file when there is the first one."""

    def __init__(self, source: Source, path: Path | None) -> None:
        if path is not None and path.resolve() == source.path.resolve():
            raise BadInput(f"{path}: the result would overwrite the file that is imported; name another file.")
        if path is not None and (path.suffix.lower() not in {".xlsx", ".csv"} or not path.parent.is_dir()):
            raise BadInput(f"{path}: the result file is an .xlsx or .csv file in a folder that exists.")
        self._path = path
        self._width = source.sheet.width
        self._stack = ExitStack()
        self._add: AddRow | None = None
        self._written = 1
        self._counts = Counts()
        self._blank = self._old = self._migrated = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        # Also after an interruption: the rows that failed so far are worth having.
        self._stack.close()

    def take(self, batch: Batch, counts: Counts) -> None:
        total = self._counts
        total.added += counts.added
        total.existing += counts.existing
        total.failed += counts.failed
        total.duplicates += counts.duplicates
        self._blank += batch.blank
        self._migrated += sum(person.migrated for person in batch.people)
        self._old += sum(failure.fault is PhoneFault.OLD_11_DIGITS for failure in counts.failures)
        if counts.failures and self._path is not None:
            self._write(self._path, counts.failures)

    def _write(self, path: Path, failures: list[Failure]) -> None:
        if self._add is None:
            more = [""] * max(0, self._width - 1)
            self._add = self._stack.enter_context(new_table(path, [*HEADINGS, *more]))
        for failure in failures:
            if self._written < LAST_ROW or path.suffix.lower() == ".csv":
                self._add(_line(failure))
                self._written += 1

    def result(self) -> ImportResult:
        counts = self._counts
        return ImportResult(
            added=counts.added,
            existing=counts.existing,
            failed=counts.failed,
            duplicates=counts.duplicates,
            rows=counts.added + counts.existing + counts.failed,
            blank=self._blank,
            old_numbers=self._old,
            migrated=self._migrated,
            result_path=self._path if self._add is not None else None,
        )


def _line(failure: Failure) -> list[str | int]:
    cell = f"{column_letters(failure.column)}{failure.row}"
    words = (failure.field, failure.value, failure.vi, failure.en)
    return [failure.row, cell, *words, *(plain(value) for value in failure.cells)]
