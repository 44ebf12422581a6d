"""Workbooks that no one should open, made when a test asks."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

_PARTS = {
    "[Content_Types].xml": (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
SHEET = "xl/worksheets/sheet1.xml"


def workbook(path: Path, sheet_data: str, *, extra: dict[str, bytes] | None = None) -> Path:
    """Write a minimal workbook whose one sheet has this XML inside <sheetData>."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, text)
        archive.writestr(
            SHEET,
            '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f"<sheetData>{sheet_data}</sheetData></worksheet>",
        )
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def lie(path: Path, name: str, size: int) -> Path:
    """Make the directories promise `size` bytes for one part."""
    data = bytearray(path.read_bytes())
    needle = name.encode()
    at = 0
    while (at := data.find(needle, at)) >= 0:
        if data[at - 46 : at - 42] == b"PK\x01\x02":
            data[at - 22 : at - 18] = struct.pack("<I", size)
        elif data[at - 30 : at - 26] == b"PK\x03\x04":
            data[at - 8 : at - 4] = struct.pack("<I", size)
        at += 1
    path.write_bytes(bytes(data))
    return path


def overlap(path: Path, name: str) -> Path:
    """Make a second directory entry share the bytes of the sheet, as the non-recursive zip bombs do."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"x")
        archive.getinfo(name).header_offset = archive.getinfo(SHEET).header_offset
    return path
