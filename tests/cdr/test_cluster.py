from __future__ import annotations

import os
from pathlib import Path

import pytest

from cdr.cluster import Layout
from cdr.migrate import Migration, migrations
from cdr.retention import statement
from dialer.errors import BadInput, DialerError

SNAPSHOTS = Path(__file__).with_name("snapshots")
CLUSTER = Layout("dialer")


@pytest.mark.parametrize("step", migrations(), ids=lambda step: f"{step.number:04}_{step.name}")
def test_each_migration_on_a_cluster_is_as_it_was_looked_at(step: Migration) -> None:
    """After a change look at the new text, then take it over with `SNAPSHOTS=write`."""
    text = ";\n\n".join(placed for one in step.statements for placed in CLUSTER.statements(one)) + ";\n"
    path = SNAPSHOTS / f"{step.number:04}_{step.name}.sql"
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_there_is_no_snapshot_of_what_is_no_migration() -> None:
    known = {f"{step.number:04}_{step.name}.sql" for step in migrations()}
    assert {path.name for path in SNAPSHOTS.iterdir()} == known


def test_on_one_server_a_statement_stays_as_it_is() -> None:
    for step in migrations():
        for one in step.statements:
            assert Layout().statements(one) == [one]


@pytest.mark.parametrize(
    ("written", "placed"),
    [
        ("CREATE VIEW IF NOT EXISTS v AS SELECT 1", ["CREATE VIEW IF NOT EXISTS v ON CLUSTER 'dialer' AS SELECT 1"]),
        ("-- why\nCREATE OR REPLACE VIEW v AS SELECT 1", ["CREATE OR REPLACE VIEW v ON CLUSTER 'dialer' AS SELECT 1"]),
        ("DROP VIEW IF EXISTS v", ["DROP VIEW IF EXISTS v ON CLUSTER 'dialer'"]),
        (
            "ALTER TABLE calls ADD COLUMN x UInt8",
            [
                "ALTER TABLE calls_local ON CLUSTER 'dialer' ADD COLUMN x UInt8",
                "ALTER TABLE calls ON CLUSTER 'dialer' ADD COLUMN x UInt8",
            ],
        ),
        (
            "ALTER TABLE dead_letters DELETE WHERE log_offset = 1",
            ["ALTER TABLE dead_letters_local ON CLUSTER 'dialer' DELETE WHERE log_offset = 1"],
        ),
        (
            "ALTER TABLE dead_letters UPDATE discarded = true WHERE log_offset = 1",
            ["ALTER TABLE dead_letters_local ON CLUSTER 'dialer' UPDATE discarded = true WHERE log_offset = 1"],
        ),
        (
            statement("calls", 30),
            [("ALTER TABLE calls_local ON CLUSTER 'dialer' MODIFY TTL toDateTime(started_at) + INTERVAL 30 DAY")],
        ),
        ("TRUNCATE TABLE calls", ["TRUNCATE TABLE calls_local ON CLUSTER 'dialer' SYNC"]),
    ],
)
def test_other_statements(written: str, placed: list[str]) -> None:
    assert CLUSTER.statements(written) == placed


@pytest.mark.parametrize("odd", ["OPTIMIZE TABLE calls FINAL", "CREATE TABLE x (y UInt8) ENGINE = Log"])
def test_what_has_no_form_on_a_cluster_is_refused(odd: str) -> None:
    with pytest.raises(DialerError, match="has no form on a cluster"):
        CLUSTER.statements(odd)


@pytest.mark.parametrize("name", ["a b", "x'; DROP", "ữ!"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="as in remote_servers"):
        Layout(name)


def test_the_migrations_own_table_is_one_on_all_servers() -> None:
    made = CLUSTER.ledger("CREATE TABLE IF NOT EXISTS m\n(number UInt32)\nENGINE = MergeTree ORDER BY number")
    path = "'/clickhouse/tables/all/{database}/m', '{shard}-{replica}'"
    assert made == (
        f"CREATE TABLE IF NOT EXISTS m ON CLUSTER 'dialer'\n(number UInt32)\nENGINE = ReplicatedMergeTree({path}) "
        "ORDER BY number"
    )


def test_an_insert_into_a_cluster_waits_for_its_servers() -> None:
    assert CLUSTER.insert_settings == {"distributed_foreground_insert": 1}
    assert Layout().insert_settings == {}
