"""The look-ups over the cause tables."""

from __future__ import annotations

import pytest

from statuses import causes
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import Announcement


def _all_rows() -> list[causes.Row]:
    return [
        *causes.SIP.values(),
        *causes.SIP_CLASSES.values(),
        *causes.SIP_AND_Q850.values(),
        *causes.Q850.values(),
        *causes.FREESWITCH.values(),
        *causes.DIALSTATUS.values(),
        *causes.QUEUE_LEFT.values(),
        *causes.ANNOUNCEMENTS.values(),
    ]


def test_rule_ids_are_unique_and_every_row_says_what_it_means() -> None:
    rows = _all_rows()
    assert len({row.rule for row in rows}) == len(rows) > 150
    assert all(row.meaning for row in rows)


@pytest.mark.parametrize("code", [404, 499, 302])
def test_a_sip_code_has_its_own_row_or_that_of_its_class(code: int) -> None:
    row = causes.sip_row(code)
    assert row is not None
    assert row.rule == ("sip.404" if code == 404 else f"sip.{code // 100}xx")


def test_what_has_no_row_gives_none() -> None:
    assert causes.sip_row(200) is None
    assert causes.q850_row(127) is None
    assert causes.freeswitch_row("INTERWORKING") is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (Announcement.UNREACHABLE, "not-available"),
        (Announcement.LOCKED, "phone-block"),
        (Announcement.WRONG_NUMBER, "invalid-number"),
        (Announcement.MAILBOX, "voicemail"),
        (Announcement.NETWORK_BUSY, "congestion"),
        (Announcement.HOTLINE_BLOCKED, "congestion"),
    ],
)
def test_an_announcement_outranks_the_code_that_follows_it(said: Announcement, status: str) -> None:
    verdict = classify(AttemptFacts(announcement=said, sip_status=480, q850=16, progressed=True))
    assert (verdict.status, verdict.rule) == (status, f"announcement.{said}")
