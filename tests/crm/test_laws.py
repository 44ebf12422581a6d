"""Legal profiles: what is written in the files is what binds; laxer is refused, stricter is not."""

from __future__ import annotations

import msgspec
import pytest

from crm.laws import LAWS, check_law, check_may_dial, law_named
from crm.settings_text import apply_settings
from dialer.core.types import CampaignKind, CampaignSettings, LegalProfile, Purpose, Slot
from dialer.errors import BadInput
from tests.crm.worlds import SETTINGS

DAY_S = 86_400.0


def test_every_law_can_be_read_and_names_its_source() -> None:
    for name in LAWS:
        law = law_named(name.lower())
        assert law.profile.law == name
        assert law.source
        assert law.not_checked


def test_a_campaign_follows_vietnamese_law_unless_told_otherwise() -> None:
    assert law_named("VN").profile == LegalProfile() == CampaignSettings(0, "x").legal


def test_figures_of_the_laws() -> None:
    us, uk = law_named("US").profile, law_named("UK").profile
    assert (us.abandon_limit, us.window_s, us.advertising_hours) == (0.03, 30 * DAY_S, (Slot(480, 1260),))
    assert (us.message_needed, us.dnc_max_age_days, us.lockout_s) == (True, 31, 0)
    assert (uk.abandon_limit, uk.window_s, uk.lockout_s, uk.min_ring_s) == (0.01, DAY_S, 72 * 3600.0, 15)


@pytest.mark.parametrize(
    "laxer",
    [{"abandon_limit": "0.05"}, {"connect_within_s": "3"}, {"min_ring_s": "5"}, {"law": "UK", "lockout_s": "60"}],
)
def test_laxer_than_the_law_is_refused_but_for_ones_own_account(laxer: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=f"{list(laxer)[-1]}: .* is laxer than the law"):
        check_law(apply_settings(SETTINGS, laxer))
    check_law(apply_settings(SETTINGS, laxer | {"law": "custom"}))


@pytest.mark.parametrize("stricter", [{"abandon_limit": "0.01"}, {"connect_within_s": "1"}, {"lockout_s": "3600"}])
def test_stricter_than_the_law_is_fine(stricter: dict[str, str]) -> None:
    check_law(apply_settings(SETTINGS, stricter))


def test_an_unknown_law_names_those_there_are() -> None:
    with pytest.raises(BadInput, match="choose one of: VN, US, UK, custom"):
        apply_settings(SETTINGS, {"law": "FR"})


def test_advertising_waits_for_a_declared_consent() -> None:
    advertising = msgspec.structs.replace(SETTINGS, purpose=Purpose.ADVERTISING)
    with pytest.raises(BadInput, match="consent: the law VN"):
        check_may_dial(advertising)
    check_may_dial(msgspec.structs.replace(advertising, consent=True))
    check_may_dial(SETTINGS)


def test_where_a_message_is_needed_dialing_ahead_waits_for_one() -> None:
    mine = apply_settings(SETTINGS, {"law": "US"})
    with pytest.raises(BadInput, match="overflow_prompt: the law US"):
        check_may_dial(mine)
    check_may_dial(apply_settings(mine, {"overflow_prompt": "sorry.wav"}))
    check_may_dial(msgspec.structs.replace(mine, kind=CampaignKind.PROGRESSIVE))
