"""docs/sip-conformance.md names each torture message as the table has it, and no test that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.telephony_adapters.sip.torture import BY_NAME, VECTORS, Vector, row

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "sip-conformance.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## RFC (\d+)[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
IDS = sorted(set(re.findall(r"`((?:[a-z_]+/)*test_\w+\.py)::(test_\w+)(?:\[([^\]`]+)\])?`", PAGE)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_each_torture_message_has_its_row(vector: Vector) -> None:
    assert row(vector) in PAGE.splitlines()


def test_no_torture_message_has_two_rows() -> None:
    rows = [line for line in SECTIONS["4475"].splitlines() if re.match(r"\| 3\.\d", line)]
    assert len(rows) == len(VECTORS)


def test_each_rfc_has_its_rows_and_each_row_its_test() -> None:
    assert SECTIONS.keys() >= {
        "3261", "3262", "3263", "3264", "3326", "3725", "4028", "4475", "5626", "6026", "7616",
    }  # fmt: skip
    for number, text in SECTIONS.items():
        rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
        assert rows, number
        if number != "4475":
            assert [line for line in rows if len(re.findall(r"::test_\w+", line)) != 1] == []


@pytest.mark.parametrize(("file", "test", "case"), IDS, ids=str)
def test_each_test_that_is_named_exists(file: str, test: str, case: str) -> None:
    source = (ROOT / "tests" / "telephony_adapters" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE)
    assert not case or case in BY_NAME
