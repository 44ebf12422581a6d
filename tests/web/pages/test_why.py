from __future__ import annotations

import pytest

from crm.why import CampaignHold, WhyReport
from dialer.core.campaign import CampaignState
from dialer.core.types import HoldReason
from web.i18n import Words
from web.pages.why import hold_text

REPORT = WhyReport(
    campaign_id=1,
    name="A",
    state=CampaignState.PAUSED,
    timezone="Asia/Ho_Chi_Minh",
    holds=(),
    counts={},
    examples={},
)
OPENS = 1_767_225_600.0  # 07:00 in Viet Nam


@pytest.mark.parametrize(
    ("hold", "vi", "en"),
    [
        (CampaignHold("no_service", None, "x"), "dịch vụ quay số", "dialing service"),
        (
            CampaignHold(HoldReason.CAMPAIGN_NOT_RUNNING, None, "x"),
            "Chiến dịch không chạy (Tạm dừng)",
            "The campaign is not running (Paused)",
        ),
        (
            CampaignHold(HoldReason.WINDOW, OPENS, "x"),
            "mở lại lúc 01/01/2026 07:00:00",
            "opens again at 01/01/2026 07:00:00",
        ),
    ],
)
def test_a_hold_of_the_campaign_is_said_in_the_readers_language(hold: CampaignHold, vi: str, en: str) -> None:
    assert vi in hold_text(hold, REPORT, Words("vi"))
    assert en in hold_text(hold, REPORT, Words("en"))


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_can_be_said(reason: HoldReason) -> None:
    assert hold_text(CampaignHold(reason, None, ""), REPORT, Words("vi")) != ""
