from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cdr.queries import CallRow
from statuses.catalog import colour, label
from statuses.outcomes import CallStatus, EndedBy
from web.i18n import Words
from web.pages.call_detail import call_facts
from web.pages.calls import call_columns, call_row

BLANK: dict[type, Any] = {str: "", int: 0, float: 0.0, bool: False}


def call(**values: Any) -> CallRow:
    fields: dict[str, Any] = {field.name: BLANK.get(field.type) for field in msgspec.structs.fields(CallRow)}
    known = {"status": "answered", "direction": "outbound", "started_at": 1_767_225_600.0}
    return CallRow(**(fields | known | values))


@pytest.mark.req("S0-22")
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_column_of_the_history_has_a_value_or_a_cell_of_its_own(lang: Any) -> None:
    words = Words(lang)
    row = call_row(call(call_id="c-1"), words)
    assert {column.name for column in call_columns(words) if not column.cell} <= row.keys()
    assert row["id"] == "c-1"
    assert row["started"] == "01/01/2026 07:00:00"


@pytest.mark.parametrize("status", CallStatus)
def test_the_words_and_colours_are_the_catalogues(status: CallStatus) -> None:
    for lang in ("vi", "en"):
        row = call_row(call(status=status.value), Words(lang))
        assert (row["status"], row["colour"]) == (label(status, lang), colour(status))


@pytest.mark.parametrize("end", [*EndedBy, ""])
def test_whoever_hung_up_can_be_said(end: str) -> None:
    assert bool(call_row(call(ended_by=end), Words("vi"))["ended_by"]) is bool(end)


@pytest.mark.req("S0-23")
def test_the_dialog_lists_its_fields_in_order_and_what_decided_the_status() -> None:
    made = call(status="busy", rule_id="sip.486", sub_reason="rejected", sip_status=486, sip_call_id="s@x")
    facts = dict(call_facts(made, Words("en")))
    assert list(facts) == [
        f"calls.{name}"
        for name in [
            *("id", "sip_id", "extension", "duration", "direction", "billsec"),
            *("phone", "status", "hotline", "group", "extra"),
        ]
    ]
    assert facts["calls.extra"] == "rejected, sip.486, SIP 486"
    assert facts["calls.status"] == "Busy"
    assert call_facts(made, Words("vi"), "12")[-1] == ("calls.keys", "12")
