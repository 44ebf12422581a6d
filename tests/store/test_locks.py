"""Advisory locks: no two things have one number, and no number stands anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

from store.locks import Lock

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cdr", "crm", "dialer", "store", "web")


def test_numbers_are_distinct() -> None:
    assert len({int(lock) for lock in Lock}) == len(Lock.__members__)


def test_no_statement_names_a_number_of_its_own() -> None:
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [str(path) for path in sources if re.search(r"advisory\w*\(\s*\d", path.read_text(encoding="utf-8"))] == []
