"""`dialer status` as a person and as a program use it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dialer.commands.status import app
from dialer.errors import BadInput
from statuses.outcomes import CallStatus

OVERRIDES = '[[override]]\ntrunk = "north"\nsip = 480\nmax_setup_ms = 3000\nstatus = "phone-block"\n'


def _run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def _json(*args: str | Path) -> Any:
    result = _run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _refused(*args: str | Path) -> str:
    result = _run(*args)
    assert isinstance(result.exception, BadInput), (result.output, result.exception)
    assert result.output == ""
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_classify_tells_people_status_rule_and_attribution() -> None:
    result = _run("classify", "--sip", "486")
    assert result.exit_code == 0
    for word in ("busy", "Busy", "Máy bận", "B1", "sip.486", "callee", "engaged"):
        assert word in result.stdout


def test_classify_tells_programs_the_whole_verdict() -> None:
    assert _json("classify", "--sip", "480", "--q850", "19", "--rang") == {
        "status": "no-answered",
        "label": "No Answered",
        "label_vi": "Không nghe máy",
        "code": "NA",
        "rule": "sip.480+q850.19",
        "attribution": "callee",
        "sub_reason": None,
        "cancel_reason": None,
        "counts": True,
    }


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["--sip", "480"], "not-available"),
        (["--sip", "480", "--rang"], "no-answered"),
        (["--q850", "54"], "phone-block"),
        (["--answered"], "answered"),
        (["--sip", "200", "--q850", "16"], "answered"),
        (["--sip", "403"], "congestion"),
    ],
)
def test_classify_one_call(args: list[str], status: str) -> None:
    assert _json("classify", *args)["status"] == status


def test_classify_with_a_trunks_overrides(tmp_path: Path) -> None:
    table = tmp_path / "overrides.toml"
    table.write_text(OVERRIDES, encoding="utf-8")
    args = ("classify", "--sip", "480", "--overrides", table, "--trunk")
    verdict = _json(*args, "north", "--setup-ms", "2000")
    assert (verdict["status"], verdict["rule"]) == ("phone-block", "override.north.sip.480")
    assert _json(*args, "north", "--setup-ms", "9000")["status"] == "not-available"
    assert _json(*args, "south", "--setup-ms", "2000")["status"] == "not-available"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "nothing to classify"),
        (["--rang"], "nothing to classify"),
        (["--sip", "abc"], "--sip: 'abc' is not a code"),
        (["--sip", "99"], "--sip: '99' is not a code; give a whole number from 100 to 699"),
        (["--q850", "0"], "--q850: '0' is not a code"),
        (["--sip", "480", "--setup-ms", "-1"], "--setup-ms"),
        (["--sip", "480", "--out", "x.csv"], "--out: goes with --csv only"),
        (["--csv", "x.csv", "--sip", "480"], "--csv: the codes come from the table"),
        (["--csv", "/no/such/table.csv"], "/no/such/table.csv: cannot be read: No such file"),
        (["--sip", "480", "--overrides", "/no/such.toml"], "name it with --trunk"),
        (["--sip", "480", "--trunk", "north"], "--trunk: has no effect without an override table"),
        (["--sip", "480", "--trunk", "a", "--overrides", "/no/such.toml"], "/no/such.toml: cannot be read"),
    ],
)
def test_wrong_options_get_one_clear_line(args: list[str], said: str) -> None:
    assert said in _refused("classify", *args)


def test_a_wrong_override_table_is_named_with_its_entry(tmp_path: Path) -> None:
    table = tmp_path / "overrides.toml"
    table.write_text(OVERRIDES + "colour = 1\n", encoding="utf-8")
    said = _refused("classify", "--sip", "480", "--trunk", "north", "--overrides", table)
    assert f"{table}: override 1: unknown key 'colour'" in said


def test_a_table_goes_to_standard_output(tmp_path: Path) -> None:
    table = tmp_path / "carrier.csv"
    table.write_text("\ufeffsip,q850,rang\n486,,\n480,,yes\n", encoding="utf-8")
    result = _run("classify", "--csv", table)
    assert result.exit_code == 0
    assert result.stdout == (
        "sip,q850,rang,status,rule,attribution\n486,,,busy,sip.486,callee\n480,,yes,no-answered,sip.480,callee\n"
    )
    assert [row["status"] for row in _json("classify", "--csv", table)] == ["busy", "no-answered"]


def test_a_table_goes_to_a_file_that_others_may_read(tmp_path: Path) -> None:
    table, out = tmp_path / "carrier.csv", tmp_path / "result.csv"
    table.write_text("sip,q850,rang\n486,,\n,,\n299,4,\n183,,\n", encoding="utf-8")
    result = _run("classify", "--csv", table, "--out", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "3 rows classified; 1 of them match no rule" in result.stderr
    assert out.read_text(encoding="utf-8").count("\n") == 4
    assert sorted(tmp_path.iterdir()) == [table, out]
    assert stat.S_IMODE(out.stat().st_mode) == stat.S_IMODE(table.stat().st_mode)


def test_a_bad_cell_writes_nothing(tmp_path: Path) -> None:
    table, out = tmp_path / "carrier.csv", tmp_path / "result.csv"
    table.write_text("sip,q850,rang\n486,,\n480,seventeen,\n", encoding="utf-8")
    out.write_text("what was there before", encoding="utf-8")
    said = _refused("classify", "--csv", table, "--out", out)
    assert f"{table}: row 3, column 'q850': 'seventeen' is not a code" in said
    assert out.read_text(encoding="utf-8") == "what was there before"
    assert sorted(tmp_path.iterdir()) == [table, out]


def test_a_table_is_never_written_over_itself_or_where_there_is_no_folder(tmp_path: Path) -> None:
    table = tmp_path / "carrier.csv"
    table.write_text("sip,q850,rang\n486,,\n", encoding="utf-8")
    assert "is the table itself" in _refused("classify", "--csv", table, "--out", table)
    assert "cannot be written" in _refused("classify", "--csv", table, "--out", tmp_path / "none" / "result.csv")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "cannot be written" in _refused("classify", "--csv", table, "--out", folder)
    assert sorted(tmp_path.iterdir()) == [table, folder]


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "carrier.csv"
    table.write_bytes("sip,q850,rang,ghi chú\n486,,,bận\n".encode("utf-16"))
    assert "is not UTF-8 text; save it as 'CSV UTF-8'" in _refused("classify", "--csv", table)


@pytest.mark.req("S0-6", "S4-3", "S3-38")
def test_list_prints_the_whole_catalogue() -> None:
    catalogue = _json("list")
    assert [entry["value"] for entry in catalogue["call_statuses"]] == [status.value for status in CallStatus]
    assert (len(catalogue["lead_states"]), len(catalogue["interactions"])) == (11, 11)
    assert catalogue["call_statuses"][8]["code"] == "IN1"
    assert catalogue["call_statuses"][8]["counter"] == "invalid"
    assert catalogue["lead_states"][0]["label_vi"] == "Chưa thực hiện"


@pytest.mark.parametrize(("lang", "words"), [("en", ["Busy line", "Undone"]), ("vi", ["Máy bận", "Chưa thực hiện"])])
def test_list_prints_tables_in_both_languages(lang: str, words: list[str]) -> None:
    result = _run("list", "--lang", lang)
    assert result.exit_code == 0
    for word in words:
        assert word in result.stdout


def test_list_refuses_another_language() -> None:
    assert "use vi or en" in _refused("list", "--lang", "fr")
