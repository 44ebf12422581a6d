from __future__ import annotations

import re
from importlib.resources import files

import pytest

from cdr.named import named

NAMES = sorted(file.name.removesuffix(".sql") for file in files("cdr").joinpath("sql", "queries").iterdir())


def test_there_are_queries() -> None:
    assert {"search", "call_history_by_phone", "call_detail", "campaign_totals", "lead_counts"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_says_what_it_answers(name: str) -> None:
    assert re.match(r"-- \w.*\.\n", named(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_bounded_or_counts(name: str) -> None:
    text = named(name)
    assert "\nLIMIT " in text or re.search(r"count\(\)|countIf", text.split("\nFROM")[0])


@pytest.mark.parametrize("name", NAMES)
def test_replacing_tables_are_read_with_their_latest_version(name: str) -> None:
    assert not re.search(r"FROM (calls|lead_status)(?! FINAL)", named(name))
