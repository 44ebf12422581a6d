from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from crm import xlsx_guard
from crm.xlsx_guard import check_workbook
from dialer.errors import BadInput
from tests.crm.bombs import SHEET, lie, overlap, workbook

CELL = '<row r="1"><c r="A1"><v>1</v></c></row>'


def overwritten_names(path: Path) -> Path:
    workbook(path, CELL)
    path.write_bytes(path.read_bytes().replace(b"[Content_Types].xml", b"[Content_Typos].xml"))
    return path


MAKERS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one part that unpacks a thousandfold": (
        lambda path: workbook(path, CELL, extra={"xl/media/x.bin": bytes(50 << 20)}),
        "more than 200 times",
    ),
    "a part longer than the directory says": (
        lambda path: lie(workbook(path, CELL * 5000), SHEET, 1000),
        "longer than it says",
    ),
    "parts that share their bytes": (
        lambda path: overlap(workbook(path, CELL), "xl/more.xml"),
        "overlaps|not a readable",
    ),
    "too many parts": (
        lambda path: workbook(path, CELL, extra={f"xl/p{i}.xml": b"" for i in range(xlsx_guard.MAX_ENTRIES)}),
        "parts inside, at most 2000",
    ),
    "a directory that promises terabytes": (
        lambda path: lie(workbook(path, CELL), SHEET, 0xFFFFFFF0),
        "unpacks to 4096 MB",
    ),
    "a name outside": (lambda path: workbook(path, CELL, extra={"../../evil": b""}), "outside the workbook"),
    "two cells a sheet apart": (
        lambda path: workbook(path, CELL + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "as far as row 1048576 and column 16384",
    ),
    "the same, with lower-case and other quotes": (
        lambda path: workbook(path, CELL + "<row\tr='1048576'><c\nr='xfd1048576'><v>1</v></c></row>"),
        "as far as row 1048576 and column 16384",
    ),
    "the same, without places": (
        lambda path: workbook(
            path, "<row>" + "<c/>" * 16_000 + "<c><v>1</v></c></row>" + "<row><c><v>1</v></c></row>" * 3000
        ),
        "as far as row 3001 and column 16001",
    ),
    "places written oddly": (
        lambda path: workbook(path, '<row r = "1"><c r= "XFD1"><v>1</v></c></row>'),
        "no spreadsheet",
    ),
    "a zip of something else": (overwritten_names, "no Excel workbook"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_bomb_is_refused_with_what_where_and_what_to_do(name: str, tmp_path: Path) -> None:
    make, words = MAKERS[name]
    path = make(tmp_path / "bomb.xlsx")
    tracemalloc.start()
    with pytest.raises(BadInput, match=words) as caught:
        check_workbook(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert peak < 16 << 20


@pytest.mark.parametrize("keep", [30, 200, 900])
def test_a_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    path = workbook(tmp_path / "cut.xlsx", CELL)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BadInput, match="not a readable workbook"):
        check_workbook(path)


def test_an_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(xlsx_guard.MAX_FILE_BYTES + 1)
    with pytest.raises(BadInput, match="larger than 200 MB"):
        check_workbook(path)


@pytest.mark.parametrize(
    "data",
    [
        CELL,
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row><row r="99999"><c r="B99999"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="H1048576"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="PZ1"><v>1</v></c></row><row r="900"><c r="B900"><v>1</v></c></row>',
        "<row><c><v>1</v></c><c><v>2</v></c></row>",
    ],
    ids=["one", "styled to the edge", "long and narrow", "wide and short", "without places"],
)
def test_what_people_have_is_taken(data: str, tmp_path: Path) -> None:
    check_workbook(workbook(tmp_path / "honest.xlsx", data))
