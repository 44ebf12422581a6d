from __future__ import annotations

from datetime import UTC

import msgspec
import pytest

from cdr.queries import CallRow
from cdr.verify import Double, Gap, OddCall, PartitionReport, Report
from dialer.commands.cdr_view import as_json, call_json, print_call, print_calls, print_report

_SAMPLES = {"int": 1, "float": 65.5, "str": "", "bool": False}


def row(**changes: object) -> CallRow:
    plain = {name: _SAMPLES[kind.split(" ")[0]] for name, kind in CallRow.__annotations__.items()}
    return msgspec.convert(plain | {"phone_e164": "+84500000001"} | changes, CallRow)


def test_text_from_outside_is_not_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = row(campaign_name="[red]sale[/red]", note="[/]")
    print_calls([nasty], 1, UTC, mask=False)
    print_call(nasty, UTC, mask=False)
    shown = capsys.readouterr().out
    assert shown.count("[red]sale[/red]") == 2
    assert "[/]" in shown


def test_spans_are_minutes_and_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    print_calls([row(duration_s=3725.9, billsec_s=0.0)], 1, UTC, mask=False)
    shown = capsys.readouterr().out
    assert "62:05" in shown
    assert "0:00" in shown


def test_what_is_not_known_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_call(row(q850=None, ringing_at=None), UTC, mask=False)
    shown = capsys.readouterr().out
    assert "q850" not in shown
    assert "ringing" not in shown
    assert "sip_status" in shown


def test_json_keeps_letters_and_fields() -> None:
    shown = call_json(row(campaign_name="Chăm sóc"), UTC, mask=True)
    assert tuple(shown) == CallRow.__struct_fields__
    assert shown["started_at"] == "1970-01-01T00:01:05.500+00:00"
    assert '"Chăm sóc"' in as_json(shown)


def test_a_report_names_each_kind_of_problem(capsys: pytest.CaptureFixture[str]) -> None:
    part = PartitionReport(
        partition=0, position=9, records=8, dead_letters=1, begun=3, finals=2, calls=2, gaps=(Gap(0, 4, 6),),
        doubles=(Double(0, 8),), odd_calls=(OddCall("c[1]", 1, 1, 0, 0),),
    )  # fmt: skip
    print_report(Report((part,)))
    shown = capsys.readouterr().out
    assert "offsets 4 to 6" in shown
    assert "doubled: offset 8" in shown
    assert "call c[1]: begun 1, ended 1, CDRs 0, rows 0" in shown
    assert "the records are wrong" in shown
