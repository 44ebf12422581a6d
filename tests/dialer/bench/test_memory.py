from __future__ import annotations

from pathlib import Path

import pytest

from dialer.bench.memory import main, peak_bytes, read_alone
from dialer.bench.workbook import write_workbook


def test_the_peak_stays_when_the_memory_is_given_back() -> None:
    before = peak_bytes()
    block = bytearray(before + 64_000_000)
    block[::4096] = b"x" * len(block[::4096])
    size = len(block)
    del block
    assert peak_bytes() >= size


@pytest.mark.parametrize("what", ["read", "import"])
def test_both_programs_print_their_peak(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = tmp_path / "leads.xlsx"
    write_workbook(book, 30)
    main(what, book)
    assert int(capsys.readouterr().out) > 1_000_000


def test_reading_alone_counts_the_rows(tmp_path: Path) -> None:
    book = tmp_path / "leads.xlsx"
    write_workbook(book, 30)
    assert read_alone(book) == 31
