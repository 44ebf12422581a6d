"""Make the sample workbook: 5,000 leads as a person would export them from Excel, whom no call can reach.

`python -m simulator.sample FILE.xlsx` writes it again; the same seed gives the same cells.

The numbers. Nearly all begin with 095: that was S-Fone, the CDMA network that went silent in 2012; the prefix was
given back and nobody has it since, yet the numbering rules (and libphonenumber) still hold it valid, so an importer
takes it. The old 11-digit numbers begin with 01990 and 01991: Gmobile's old series had 01992, 01993, 01998 and 01999
only, so what the 2018 migration makes of them (0590, 0591) was never issued either. The addresses are of example.com
(RFC 2606). The names are drawn from common syllables; that one is somebody's name cannot be avoided.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

import xlsxwriter

Cell: TypeAlias = str | float | date | None
Row: TypeAlias = list[Cell]

SEED: Final = 2018
ROWS: Final = 5_000
DUPLICATES: Final = 50
BLANK_AFTER: Final = frozenset({400, 1_600, 2_900, 4_100})
"""Empty rows in between, as they are left behind when somebody tidies up."""
HEADER: Final = (
    "Mã KH", "Họ và tên", "Số điện thoại", "Email", "Ngày sinh", "Giới tính", "Tỉnh/Thành phố", "Nguồn", "Ghi chú",
)  # fmt: skip
WIDTHS: Final = (10, 26, 16, 30, 12, 10, 18, 14, 36)

_FAMILY: Final = (
    ["Nguyễn"] * 38 + ["Trần"] * 12 + ["Lê"] * 9 + ["Phạm"] * 7 + ["Hoàng"] * 5 + ["Huỳnh"] * 4 + ["Phan"] * 4
    + ["Vũ"] * 3 + ["Võ"] * 3 + ["Đặng"] * 3 + ["Bùi"] * 2 + ["Đỗ"] * 2 + ["Hồ"] * 2 + ["Ngô"] * 2 + ["Dương", "Lý"]
)  # fmt: skip
_MIDDLE: Final = {
    "Nam": ("Văn", "Đức", "Minh", "Quốc", "Hữu", "Công", "Thành", "Xuân", "Ngọc", "Anh"),
    "Nữ": ("Thị", "Thị", "Thị Ngọc", "Thị Thu", "Ngọc", "Thanh", "Thị Mỹ", "Phương", "Thuỳ", "Diệu"),
}
_GIVEN: Final = {
    "Nam": ("Anh", "Bình", "Cường", "Dũng", "Đạt", "Giang", "Hải", "Hiếu", "Hùng", "Khánh", "Long", "Nam", "Phúc",
            "Quân", "Sơn", "Thắng", "Tùng", "Tuấn", "Việt", "Ước"),
    "Nữ": ("An", "Ánh", "Chi", "Dung", "Hà", "Hạnh", "Hoa", "Hương", "Lan", "Linh", "Mai", "Nga", "Oanh", "Phượng",
           "Quỳnh", "Thảo", "Trang", "Tuyết", "Vân", "Yến"),
}  # fmt: skip
_PROVINCES: Final = (
    ["TP. Hồ Chí Minh"] * 9 + ["Hà Nội"] * 8 + ["Đà Nẵng"] * 3
    + ["Hải Phòng", "Cần Thơ", "Đồng Nai", "Bình Dương", "Nghệ An", "Thanh Hoá", "Lâm Đồng", "Đắk Lắk", None]
)  # fmt: skip
_SOURCES: Final = ("Facebook", "Zalo", "Website", "Hội thảo", "Giới thiệu", "Cửa hàng", None)
_NOTES: Final = (
    None, None, None, None, None, "Gọi sau 18h", "Khách quen", "Quan tâm gói 12 tháng", "Đã nhận báo giá",
    "Không gọi buổi trưa", "Nói giọng miền Trung, nghe kém; gọi chậm",
)  # fmt: skip
_WRONG_PHONES: Final = (
    "không có", "0951 23", "0951000001 / 0951000002", "9.51E+08", "0611234567", "09512345678901", "095o123456", None,
    "N/A",
)  # fmt: skip
_WRONG_EMAILS: Final = ("khong co mail", "lien.he@", "hoi-sau@example")
_FORMULA: Final = '=HYPERLINK("https://example.com","bấm vào đây")'


def sample_rows(seed: int = SEED) -> Iterator[Row]:
    """Yield the header and the data rows, with empty rows in between."""
    chance = Random(seed)
    yield list(HEADER)
    people = [_person(chance, number) for number in range(ROWS)]
    _spoil(chance, people)
    for number, row in enumerate(people, 1):
        yield row
        if number in BLANK_AFTER:
            yield [None] * len(HEADER)


def _person(chance: Random, number: int) -> Row:
    gender = chance.choice(("Nam", "Nữ"))
    name = f"{chance.choice(_FAMILY)} {chance.choice(_MIDDLE[gender])} {chance.choice(_GIVEN[gender])}"
    email = f"{_slug(name)}.{number}@example.com" if _happens(chance, percent=70) else None
    birthday = date(1955, 1, 1) + timedelta(days=chance.randrange(18_000)) if _happens(chance, percent=80) else None
    code = f"PT{number + 1:05d}" if _happens(chance, percent=90) else None
    shown = chance.choice((gender, gender, gender, None))
    words = (chance.choice(_PROVINCES), chance.choice(_SOURCES), chance.choice(_NOTES))
    return [code, _typed(chance, name), _phone(chance, number), email, birthday, shown, *words]


def _phone(chance: Random, number: int) -> str | float:
    """Write one number as one of many people would, or as Excel made it."""
    if _happens(chance, percent=4):
        return f"0199{chance.choice('01')}{number:06d}"
    nine = f"95{number:04d}{chance.randrange(1000):03d}"
    forms: tuple[str | float, ...] = (
        f"0{nine}",
        f"0{nine}",
        f"0{nine}",
        f"84{nine}",
        f"+84{nine}",
        f"+84 {nine[:2]} {nine[2:5]} {nine[5:]}",
        f"0{nine[:3]}.{nine[3:6]}.{nine[6:]}",
        f"0{nine[:2]}-{nine[2:5]}-{nine[5:]}",
        nine,
        float(nine),
        float(nine),
        float(f"84{nine}"),
    )
    return chance.choice(forms)


def _happens(chance: Random, *, percent: int) -> bool:
    return chance.randrange(100) < percent


def _typed(chance: Random, name: str) -> str:
    return chance.choice((name, name, name, name, name, name.upper(), f" {name}", f"{name} "))


def _slug(name: str) -> str:
    bare = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return ".".join("".join(c for c in bare if not unicodedata.combining(c)).lower().split())


def _spoil(chance: Random, people: list[Row]) -> None:
    """Put in what real lists have: people twice, empty names, wrong rows, a cell that looks like a formula."""
    places = chance.sample(range(100, ROWS), DUPLICATES + len(_WRONG_PHONES) + len(_WRONG_EMAILS) + 21)
    for at in (places.pop() for _ in range(DUPLICATES)):
        twin = people[chance.randrange(at)]
        people[at] = [*twin[:6], people[at][6], people[at][7], "Nhập lại"]
    for wrong in _WRONG_PHONES:
        people[places.pop()][2] = wrong
    for wrong in _WRONG_EMAILS:
        people[places.pop()][3] = wrong
    for at in (places.pop() for _ in range(20)):
        people[at][1] = None
    people[places.pop()][8] = _FORMULA


def write_sample(path: Path, seed: int = SEED) -> None:
    """Write the workbook; the same seed gives the same file."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": "Danh sách khách hàng", "created": datetime(2026, 1, 5, tzinfo=UTC)})
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Khách hàng")
        sheet.freeze_panes(1, 0)
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width)
        for number, row in enumerate(sample_rows(seed)):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, datetime.combine(cell, datetime.min.time()), day)
                elif cell is not None:
                    sheet.write(number, column, cell, bold if number == 0 else None)


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
