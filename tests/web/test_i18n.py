from __future__ import annotations

import re
from string import Formatter

import pytest

from dialer.core.campaign import CampaignAction, CampaignState
from dialer.core.types import CampaignKind, HoldReason
from statuses.outcomes import EndedBy
from web.i18n import Words, as_lang
from web.texts import TEXTS

VI, EN = Words("vi"), Words("en")


def _places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_each_text_exists_in_both_languages_with_the_same_places(key: str) -> None:
    vi, en = TEXTS[key]
    assert vi.strip()
    assert en.strip()
    assert _places(vi) == _places(en)


def test_every_value_that_pages_name_has_words() -> None:
    wanted = [f"hold.{reason}" for reason in HoldReason]
    wanted += [f"state.{state}" for state in CampaignState]
    wanted += [f"action.{action}" for action in CampaignAction]
    wanted += [f"kind.{kind}" for kind in CampaignKind]
    wanted += [f"ended.{end}" for end in EndedBy]
    assert [key for key in wanted if key not in TEXTS] == []


def test_hold_reasons_can_be_told_apart_in_both_languages() -> None:
    for words in (VI, EN):
        said = [words(f"hold.{reason}") for reason in HoldReason]
        assert len(set(said)) == len(said)


def test_an_unknown_key_is_an_error_not_an_empty_place() -> None:
    with pytest.raises(KeyError):
        VI("no.such.key")


def test_numbers_are_written_as_each_language_does() -> None:
    assert VI.number(1234567.5, 1) == "1.234.567,5"
    assert EN.number(1234567.5, 1) == "1,234,567.5"
    assert VI.share(0.0312, 2) == "3,12%"
    assert EN.share(0.0312, 2) == "3.12%"
    assert VI.share(None) == "—"


def test_times_are_in_the_campaigns_zone_and_the_zone_is_said() -> None:
    at = 1_767_225_600.0  # 2026-01-01 00:00 UTC
    assert VI.at(at) == "01/01/2026 07:00:00"
    assert Words("en", "America/New_York").at(at) == "31/12/2025 19:00:00"
    assert VI.zone_note(at) == "Giờ hiển thị: Asia/Ho_Chi_Minh (GMT+7)"
    assert Words("en", "Asia/Kolkata").zone_note(at) == "Times shown: Asia/Kolkata (GMT+5:30)"
    assert Words("en", "America/New_York").zone_note(at) == "Times shown: America/New_York (GMT-5)"


@pytest.mark.parametrize(("seconds", "written"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_durations(seconds: float, written: str) -> None:
    assert VI.duration(seconds) == written


def test_an_unknown_language_is_vietnamese() -> None:
    assert [as_lang(value) for value in ("vi", "en", "xx", None, 7)] == ["vi", "en", "vi", "vi", "vi"]


def test_texts_hold_no_status_words_of_their_own() -> None:
    # Words for the 12 statuses live in statuses.catalog; these labels are so particular that a copy would be one.
    copies = [
        key for key, texts in TEXTS.items() if any(re.search(r"\b(Voicemail|Hộp thư thoại|Sai số)\b", t) for t in texts)
    ]
    assert copies == []
