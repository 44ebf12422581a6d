from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm.settings_check import DIALED_KINDS, check_settings
from crm.settings_text import apply_settings
from dialer.core.types import CampaignKind, CampaignSettings
from dialer.errors import BadInput
from tests.crm.worlds import NOW

PLAIN = CampaignSettings(0, "Tết")


@pytest.mark.parametrize("kind", DIALED_KINDS)
def test_plain_settings_are_fine(kind: CampaignKind) -> None:
    prompt = {"prompt": "reminder"} if kind is CampaignKind.AUTODIALER else {}
    check_settings(apply_settings(PLAIN, {"kind": kind.value} | prompt), now=NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ratio": "0.5"}, "ratio: 0.5 is outside 1 to 20"),
        ({"ratio": "7"}, "ratio: 7 is above max_ratio, 6"),
        ({"max_calls": "0"}, "max_calls: 0 is outside"),
        ({"ring_timeout_s": "1"}, "ring_timeout_s: 1 is outside 5 to 180"),
        ({"ring_timeout_s": "14"}, "ring_timeout_s: 14 is less than the 15 s that a call must ring"),
        ({"abandon_limit": "2"}, "abandon_limit: 2 is outside 0 to 1"),
        ({"per_24h": "0"}, "per_24h: 0 is outside"),
        ({"short_talk_s": "-1"}, "short_talk_s: -1 is outside 0 to 3600"),
        ({"kind": "inbound", "end_when_done": "yes"}, "end_when_done: a campaign of kind inbound dials no leads"),
        ({"offer_s": "1"}, "offer_s: 1 is outside 3 to 120"),
        ({"queue_s": "0"}, "queue_s: 0 is outside 5 to 3600"),
        ({"pacer": "guess"}, "pacer: guess is not dialed; choose one of: agentless, predictive, progressive, ratio"),
        ({"pacer": "agentless"}, "pacer: 'agentless' is for the kind autodialer"),
        ({"kind": "autodialer", "prompt": "x", "pacer": "ratio"}, "pacer: a campaign of kind autodialer dials by"),
        ({"kind": "autodialer"}, "prompt: a campaign of kind autodialer needs something to play; set script=NAME"),
        ({"kind": "autodialer", "prompt": " "}, "prompt: a campaign of kind autodialer needs something to play"),
        ({"hotline_strategy": "luck"}, "hotline_strategy: luck"),
        ({"timezone": "Asia/Saigon2"}, "window.timezone: there is no time zone 'Asia/Saigon2'"),
        ({"hours": "17:00-08:00"}, "closes before it opens"),
        ({"hours": "08:00-10:00,09:00-11:00"}, "overlap"),
        ({"holidays": "ZZ"}, "no holiday calendar for 'ZZ'"),
        ({"closed_on": "Tết"}, "'Tết' is not a date"),
        ({"purpose": "advertising", "hours": "18:00-20:00"}, "advertising calls are lawful only 08:00-17:00"),
        ({"starts_at": "2027-03-02", "ends_at": "2027-03-01"}, "ends_at: the campaign would end before it starts"),
        ({"ends_at": "2020-01-01"}, "ends_at: the campaign would end before its call window opens"),
    ],
)
def test_what_cannot_be_meant_is_named(changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_settings(apply_settings(PLAIN, changes), now=NOW)


@pytest.mark.parametrize("name", ["", "  ", "x" * 256])
def test_a_campaign_has_a_name(name: str) -> None:
    with pytest.raises(BadInput, match="name: "):
        check_settings(CampaignSettings(0, name), now=NOW)


def test_a_window_that_can_never_open_is_refused() -> None:
    # Only Mondays, and every Monday of two years is closed.
    mondays = ",".join(f"{day:%Y-%m-%d}" for day in _mondays())
    settings = apply_settings(PLAIN, {"days": "mon", "closed_on": mondays})
    with pytest.raises(BadInput, match="never opens"):
        check_settings(settings, now=NOW)


def _mondays() -> list[date]:
    first = date(2027, 1, 11)
    return [first + timedelta(weeks=week) for week in range(104)]
