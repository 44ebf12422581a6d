"""A carrier's whole table: CSV in, CSV out, errors by row and column."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.commands.status_table import classify_table
from dialer.errors import BadInput
from statuses.classify import AttemptFacts, Override, classify
from statuses.outcomes import CallStatus


def test_a_table_gains_status_rule_and_attribution() -> None:
    text = "note,sip,q850,rang\nbusy one,486,17,yes\nblank,,,\nwrong,404,,no\n"
    assert classify_table(text).to_csv() == (
        "note,sip,q850,rang,status,rule,attribution\n"
        "busy one,486,17,yes,busy,q850.17,callee\n"
        "blank,,,,failed,unknown,unknown\n"
        "wrong,404,,no,invalid-number,sip.404,callee\n"
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_comma_semicolon_and_tab_are_understood_and_kept(delimiter: str) -> None:
    text = f"Q850{delimiter}RANG{delimiter}SIP\r\n{delimiter}x{delimiter}480\r\n"
    result = classify_table(text)
    assert result.delimiter == delimiter
    assert result.to_csv().splitlines()[1] == delimiter.join(["", "x", "480", "no-answered", "sip.480", "callee"])


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("yes", "no-answered"),
        ("TRUE", "no-answered"),
        ("1", "no-answered"),
        (" x ", "no-answered"),
        ("Có", "no-answered"),
        ("", "not-available"),
        ("no", "not-available"),
        ("0", "not-available"),
        ("FALSE", "not-available"),
        ("không", "not-available"),
    ],
)
def test_ringing_is_told_in_the_usual_words(word: str, status: str) -> None:
    (record,) = classify_table(f"sip,q850,rang\n480,,{word}\n").records()
    assert record["status"] == status


def test_short_rows_and_blank_lines_are_fine_and_keep_the_row_numbers() -> None:
    text = "sip,q850,rang\n\n486\n,,\n"
    assert [record["status"] for record in classify_table(text).records()] == ["busy"]
    with pytest.raises(BadInput, match=r"^row 5, column 'sip'"):
        classify_table(text + "abc,,\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table is empty"),
        ("\n\n", "the table is empty"),
        ("sip,rang\n486,yes\n", "row 1: no column 'q850'"),
        ("sip,q850,rang,sip\n486,,,\n", "row 1: more than one column 'sip'"),
        ("sip,q850,rang,Status\n486,,,x\n", "row 1: the table already has a column 'status'"),
        ("sip,q850,rang\n486,,\nBusy,,\n", "row 3, column 'sip': 'Busy' is not a code"),
        ("sip,q850,rang\n48,,\n", "row 2, column 'sip': '48' is not a code; give a whole number from 100 to 699"),
        ("sip,q850,rang\n700,,\n", "row 2, column 'sip'"),
        ("sip,q850,rang\n-486,,\n", "row 2, column 'sip'"),
        ("sip,q850,rang\n486.5,,\n", "row 2, column 'sip'"),
        ("sip,q850,rang\n४८६,,\n", "row 2, column 'sip'"),
        ("sip,q850,rang\n486,128,\n", "row 2, column 'q850': '128' is not a code; give a whole number from 1 to 127"),
        ("sip,q850,rang\n486,17,maybe\n", "row 2, column 'rang': 'maybe' is neither yes nor no"),
        ("sip,q850,rang\n486,17,yes,more\n", "row 2: 4 cells, but the header has 3"),
        ('sip,q850,rang\n486,"17,yes\n', "cannot be read as CSV"),
    ],
)
def test_a_bad_table_is_refused_by_row_and_column(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        classify_table(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_trunks_overrides_apply_to_the_whole_table() -> None:
    table = (Override("north", CallStatus.PHONE_BLOCK, sip=480),)
    text = "sip,q850,rang\n480,,\n"
    assert [r["status"] for r in classify_table(text, table, "north").records()] == ["phone-block"]
    assert [r["status"] for r in classify_table(text, table, "south").records()] == ["not-available"]


def test_a_2xx_in_a_table_of_codes_is_an_answer() -> None:
    assert [r["status"] for r in classify_table("sip,q850,rang\n200,16,yes\n").records()] == ["answered"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd", "'+cmd"),
        ("-5", "-5"),
        ("+8400", "+8400"),
        ("plain", "plain"),
    ],
)
def test_no_cell_becomes_a_formula(cell: str, written: str) -> None:
    result = classify_table(f"note,sip,q850,rang\n{cell},486,,\n")
    assert result.to_csv().splitlines()[1].startswith(f"{written},486")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(100, 699),
            st.none() | st.integers(1, 127),
            st.booleans(),
            st.text(alphabet='ab,;"\n đ', max_size=8),
        ),
        max_size=20,
    )
)
def test_a_table_says_what_the_function_says_and_loses_no_row(
    rows: list[tuple[int | None, int | None, bool, str]],
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "sip", "q850", "rang", "note"])
    for number, (sip, q850, rang, note) in enumerate(rows):
        writer.writerow([f"n{number}", sip, q850, "yes" if rang else "", note])
    records = list(csv.DictReader(io.StringIO(classify_table(text.getvalue()).to_csv())))
    assert [record["note"] for record in records] == [note for *_, note in rows]
    for record, (sip, q850, rang, _) in zip(records, rows, strict=True):
        answered = sip is not None and 200 <= sip < 300
        facts = AttemptFacts(sip_status=sip, q850=q850, rang=rang, answered=answered, agent_bridged=answered)
        verdict = classify(facts)
        assert (record["status"], record["rule"]) == (verdict.status.value, verdict.rule)
