"""Bring the analytics tables up to date by numbered SQL files, each applied once."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from cdr.cluster import Layout
from dialer.errors import DialerError, StoreTooNew

_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql")
_LEDGER: Final = """CREATE TABLE IF NOT EXISTS schema_migrations
(number UInt32, name String, sha256 String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1"""


class Migration(msgspec.Struct, frozen=True):
    """One step of the schema; statements end with `;` at the end of a line and can be repeated after a crash."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Return the fingerprint of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """Return the statements in order."""
        return [part.strip() for part in re.split(r";\s*(?:\n|$)", self.text) if part.strip()]


def migrations() -> list[Migration]:
    """Return the migrations that come with the program, in order."""
    found = ((_NAME.fullmatch(file.name), file) for file in files("cdr").joinpath("sql").iterdir())
    steps = [Migration(int(m[1]), m[2], file.read_text(encoding="utf-8")) for m, file in found if m]
    return sorted(steps, key=lambda step: step.number)


def migrate(client: Client, steps: list[Migration] | None = None, *, layout: Layout | None = None) -> list[int]:
    """Apply what is missing and return the numbers; StoreTooNew, or DialerError when an applied file has changed."""
    steps = migrations() if steps is None else steps
    layout = layout or Layout()
    client.command(layout.ledger(_LEDGER))
    rows = client.query("SELECT number, name, sha256 FROM schema_migrations").result_rows
    applied = {int(number): (str(name), str(sha256)) for number, name, sha256 in rows}
    _check(steps, applied)
    missing = [step for step in steps if step.number not in applied]
    for step in missing:
        for statement in step.statements:
            for placed in layout.statements(statement):
                client.command(placed)
        client.insert(
            "schema_migrations",
            [[step.number, step.name, step.sha256]],
            column_names=["number", "name", "sha256"],
            settings={"async_insert": 0},
        )
    return [step.number for step in missing]


def _check(steps: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {step.number: step for step in steps}
    if applied and max(applied) > max(known, default=0):
        raise StoreTooNew(
            f"the analytics tables are at version {max(applied)}, this program knows {max(known, default=0)}: "
            "use the newer program, or give this one a folder of its own"
        )
    for number, (name, sha256) in applied.items():
        if number not in known or known[number].sha256 != sha256:
            raise DialerError(
                f"analytics migration {number:04} ({name}) is not the one that was applied: install the program again"
            )
