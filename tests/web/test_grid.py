from __future__ import annotations

from web.grid import Column


def test_a_cell_shows_its_own_field_and_carries_its_heading_for_the_phone() -> None:
    template = Column("code", "Mã khách hàng", css="nowrap").template()
    assert "{{ props.row.code }}" in template
    assert 'data-label="Mã khách hàng"' in template
    assert 'key="code"' in template


def test_a_heading_cannot_leave_its_attribute() -> None:
    template = Column("code", '"><script>', cell="x").template()
    assert "<script>" not in template
    assert template.count('"') % 2 == 0
