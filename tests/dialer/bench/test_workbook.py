from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from crm.reading import Reader, open_source
from dialer.bench.workbook import MAPPING, START_ROW, write_workbook


def test_every_row_is_a_person_of_their_own(tmp_path: Path) -> None:
    book = tmp_path / "leads.xlsx"
    write_workbook(book, 120)
    reader = Reader(open_source(book, MAPPING, START_ROW), zone=ZoneInfo("Asia/Ho_Chi_Minh"), migrate_2018=False)
    batch = reader.next_batch()
    assert batch is not None
    assert not batch.failures
    assert len({person.phone for person in batch.people}) == 120
    assert all(person.phone.startswith("+8495") for person in batch.people)
    assert {name for person in batch.people for name in person.values} == set(MAPPING) - {"phone"}
