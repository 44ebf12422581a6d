"""A workbook of any length to import: Vietnamese names and columns, numbers as people type them, nobody's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import xlsxwriter

MAPPING: Final = {
    "code": 1, "name": 2, "phone": 3, "email": 4, "birthday": 5, "gender": 6, "province": 7, "source": 8, "note": 9,
}  # fmt: skip
START_ROW: Final = 2
_HEADER: Final = (
    "Mã KH", "Họ và tên", "Số điện thoại", "Email", "Ngày sinh", "Giới tính", "Tỉnh/Thành phố", "Nguồn", "Ghi chú",
)  # fmt: skip
_NAMES: Final = ("Nguyễn Văn An", "Trần Thị Thu Hà", "Lê Minh Đạt", "Phạm Ngọc Yến", "Đặng Quốc Hùng")
_PROVINCES: Final = ("Hà Nội", "TP. Hồ Chí Minh", "Đà Nẵng", "Cần Thơ", "")
_FORMS: Final = ("0{}", "84{}", "+84{}", "0{}", "{}")


def write_workbook(path: Path, rows: int) -> None:
    """Write a header and so many rows, each a person of their own.

    The numbers begin with 095, a prefix that was given back in 2012 and that nobody has had since.
    """
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Khách hàng")
        sheet.write_row(0, 0, _HEADER)
        for number in range(1, rows + 1):
            sheet.write_row(number, 0, _row(number))


def _row(number: int) -> list[str]:
    kind = number % 5
    born = f"{number % 28 + 1:02d}/{number % 12 + 1:02d}/{1960 + number % 40}"
    return [
        f"PT{number:07d}",
        _NAMES[kind],
        _FORMS[kind].format(f"95{number:07d}"),
        f"khach.{number}@example.com",
        born,
        "Nam" if kind % 2 else "Nữ",
        _PROVINCES[kind],
        "Website",
        f"Quan tâm gói {number % 24 + 1} tháng" if kind else "",
    ]
