from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dialer.errors import BadInput
from simulator.wire.books import LedgerFile
from simulator.wire.ledger import COLUMNS, Ending, Row


def row(call_id: str) -> Row:
    made = Row(call_id, "0240000001", "+84900000001", "answer", 100.0, status=486)
    made.close(Ending.CALLEE, 101.0)
    return made


def test_rows_are_json_lines_and_appear_when_they_are_flushed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with LedgerFile(path) as books:
        books.take(row("a"))
        books.flush()
        assert [json.loads(line)["call_id"] for line in path.read_text().splitlines()] == ["a"]
        books.take(row("b"))
    assert [json.loads(line)["expected"] for line in path.read_text().splitlines()] == ["busy", "busy"]


def test_a_name_in_csv_makes_csv(tmp_path: Path) -> None:
    path = tmp_path / "ledger.CSV"
    with LedgerFile(path) as books:
        books.take(row("a"))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["call_id"], rows[0]["status"], rows[0]["answered_at"]) == ("a", "486", "")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere/ledger\.jsonl: the ledger cannot be written there"):
        LedgerFile(tmp_path / "nowhere" / "ledger.jsonl")
