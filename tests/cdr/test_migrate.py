from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from cdr.migrate import Migration, migrate, migrations
from dialer.errors import DialerError, StoreTooNew
from tests.cdr.conftest import BACKENDS


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    if request.param == "chdb":
        opened = clickhouse_connect.get_client(interface="chdb", path=str(tmp_path / "a"))
    else:
        url = str(request.getfixturevalue("clickhouse_url"))
        opened = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    yield opened
    opened.close()


def tables(client: Client) -> dict[str, str]:
    rows = client.query("SELECT name, engine FROM system.tables WHERE database = currentDatabase()").result_rows
    return {str(name): str(engine) for name, engine in rows}


def test_each_number_is_given_once_and_a_number_may_be_left_out() -> None:
    numbers = [step.number for step in migrations()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1


def test_a_number_that_was_left_out_is_applied_when_it_comes(client: Client) -> None:
    first, *rest = migrations()
    later = Migration(50, "later", "CREATE TABLE IF NOT EXISTS later (x UInt8) ENGINE = MergeTree ORDER BY x;")
    between = msgspec.structs.replace(later, number=49, name="between", text=later.text.replace("later", "between"))
    migrate(client, [first, *rest, later])
    assert migrate(client, [first, *rest, between, later]) == [49]


def test_an_empty_folder_gets_all_tables_once(client: Client) -> None:
    assert migrate(client) == [step.number for step in migrations()]
    assert migrate(client) == []
    assert {name: engine for name, engine in tables(client).items() if engine != "View"} == {
        "call_events": "MergeTree",
        "calls": "ReplacingMergeTree",
        "lead_status": "ReplacingMergeTree",
        "dead_letters": "MergeTree",
        "schema_migrations": "MergeTree",
    }


def test_settings_whose_defaults_differ_between_servers_are_written_down(client: Client) -> None:
    migrate(client)
    for table in ("call_events", "calls", "lead_status", "dead_letters"):
        text = client.command(f"SHOW CREATE TABLE {table}")
        assert "non_replicated_deduplication_window = 10000" in str(text)
        assert "index_granularity = 8192" in str(text)


def test_a_step_that_was_cut_off_by_a_crash_is_done_again(client: Client) -> None:
    first, *rest = migrations()
    for statement in first.statements:
        client.command(statement)
    assert migrate(client) == [first.number, *(step.number for step in rest)]


def test_tables_of_a_newer_program_are_left_alone(client: Client) -> None:
    newer = Migration(99, "more", "CREATE TABLE IF NOT EXISTS more (x UInt8) ENGINE = MergeTree ORDER BY x;")
    migrate(client, [*migrations(), newer])
    with pytest.raises(StoreTooNew, match=rf"version 99, this program knows {migrations()[-1].number}"):
        migrate(client)


def test_a_step_that_has_changed_since_is_refused(client: Client) -> None:
    migrate(client)
    steps = migrations()
    steps[1] = msgspec.structs.replace(steps[1], text=steps[1].text + "-- later\n")
    with pytest.raises(DialerError, match=r"migration 0002 \(calls\)"):
        migrate(client, steps)


def test_statements_are_split_at_the_ends_of_lines() -> None:
    assert Migration(1, "x", "SELECT ';'\n;\nSELECT 2;\n").statements == ["SELECT ';'", "SELECT 2"]
