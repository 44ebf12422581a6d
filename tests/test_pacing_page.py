"""The page's figures are the stored ones."""

from __future__ import annotations

from pathlib import Path

from dialer.bench.pacing.report import tables

DOCS = Path(__file__).parent.parent / "docs"


def test_the_tables_are_made_of_the_stored_figures() -> None:
    text = tables(DOCS / "pacing")
    assert "| 10 | 0.2 |" in text
    assert text in (DOCS / "pacing.md").read_text()
