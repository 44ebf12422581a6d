"""Logs: machine-readable, with an action, without phone numbers."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.logs import masked, set_up_logging


@pytest.fixture
def quiet_root() -> object:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = before


def test_each_line_is_an_object_with_an_action_and_people_see_warnings(
    tmp_path: Path, quiet_root: object, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("info", tmp_path / "dialer.log")
    logging.getLogger("x").info("taken", extra={"action": "campaign.taken", "campaign": 3})
    failure = OSError("disk full")
    logging.getLogger("x").error("write failed for +84901234567", extra={"action": "store.retry"}, exc_info=failure)
    first, second = [json.loads(line) for line in (tmp_path / "dialer.log").read_text().splitlines()]
    assert (first["action"], first["campaign"], first["level"]) == ("campaign.taken", 3, "INFO")
    assert "disk full" in second["trace"]
    assert "901234567" not in (tmp_path / "dialer.log").read_text()
    shown = capsys.readouterr().err
    assert shown.splitlines() == ["error: write failed for *****: OSError('disk full')"]


@given(st.from_regex(r"(\+84|84|0)[35789][0-9]{8}", fullmatch=True), st.sampled_from(("", " ", "'", "(", "to=")))
def test_no_phone_number_passes(phone: str, before: str) -> None:
    assert phone.lstrip("+") not in masked(f"call {before}{phone} failed")


def test_ids_and_times_stay_readable() -> None:
    text = "01a3185c-51f4-7f1b-8fa1-ee09d23f34bb at 1800000000.123 lead 42"
    assert masked(text) == text


def test_no_password_of_an_address_is_logged(
    tmp_path: Path, quiet_root: object, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("info", tmp_path / "dialer.log")
    url = 'postgresql://dialer:geh"eim@db/x'
    logging.getLogger("x").warning("no answer from %s", url, extra={"url": url}, exc_info=OSError(url))
    assert "eim" not in (tmp_path / "dialer.log").read_text() + capsys.readouterr().err


def test_addresses_that_we_ask_are_not_logged(tmp_path: Path, quiet_root: object) -> None:
    file = tmp_path / "log"
    set_up_logging("info", file)
    logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1/tts?text=a-customer's-name")
    assert file.read_text() == ""
