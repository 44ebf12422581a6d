"""How long calls and their events are kept: a TTL of two tables; shortening it deletes what is older.

The state of leads and the dead letters have none: a lead's state has no age, and dead letters are bounded.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from cdr.cluster import LOCAL, Layout
from cdr.named import Reader
from dialer.errors import BadInput

DAYS_MAX: Final = 36_500
COLUMNS: Final = {"calls": "started_at", "call_events": "occurred_at"}
"""The tables that age, and what their age is counted from."""
_TTL: Final = re.compile(r"\bTTL (?:(?!SETTINGS).)*?toIntervalDay\((\d+)\)", re.DOTALL)
_TEXT: Final = """SELECT create_table_query FROM system.tables
WHERE database = currentDatabase() AND name IN {tables:Array(String)} LIMIT 10"""


class Retention(NamedTuple):
    """After how many days rows are deleted: 0 = never, None = as it was."""

    calls: int | None = None
    events: int | None = None


KEEP: Final = Retention()
"""Leave what is kept as it is."""


def keep(client: Client, retention: Retention, layout: Layout | None = None) -> list[str]:
    """Set the TTL of the tables where it is another; return the tables that were changed.

    Raises BadInput for a number that is no retention.
    """
    layout = layout or Layout()
    wanted = {"calls": retention.calls, "call_events": retention.events}
    changed = []
    for table, days in wanted.items():
        if days is None:
            continue
        if not 0 <= days <= DAYS_MAX:
            raise BadInput(f"a retention of {days} days: give 1 to {DAYS_MAX}, or 0 to keep {table} for ever")
        if days != _stored(client, layout.stored(table)):
            for placed in layout.statements(statement(table, days)):
                client.command(placed)
            changed.append(table)
    return changed


async def kept_days(reader: Reader) -> int:
    """Return after how many days something of a call is deleted: the shorter of the two that are set, 0 = never."""
    rows = await reader.query(_TEXT, {"tables": [name for table in COLUMNS for name in (table, f"{table}{LOCAL}")]})
    return min(filter(None, (_days(str(text)) for (text,) in rows)), default=0)


def whole_hours(days: int) -> int:
    """Return up to which age in hours nothing of a call can be deleted yet, for `kept_days` of one or more.

    That is a day less than the retention, half a day less for one of a day: calls age by their start and events by when
    they occurred, so a call that has gone may have ended, and have been told of, that much later.
    """
    return 24 * days - min(24, 12 * days)


def statement(table: str, days: int) -> str:
    """Return the statement that sets a table's TTL, or takes it away (0)."""
    if not days:
        return f"ALTER TABLE {table} REMOVE TTL"
    return f"ALTER TABLE {table} MODIFY TTL toDateTime({COLUMNS[table]}) + INTERVAL {days} DAY"


def _stored(client: Client, table: str) -> int:
    rows = client.query(_TEXT, parameters={"tables": [table]}).result_rows
    return _days(str(rows[0][0])) if rows else 0


def _days(text: str) -> int:
    found = _TTL.search(text)
    return int(found[1]) if found else 0
