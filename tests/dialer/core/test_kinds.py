from __future__ import annotations

import msgspec
import pytest

from dialer.core.kinds import message_of, pacer_for
from dialer.core.types import CampaignKind, CampaignSettings

TALK = CampaignSettings(1, "talk", prompt="left over")
MESSAGE = CampaignSettings(2, "message", kind=CampaignKind.AUTODIALER, pacer="agentless", prompt="reminder")


def test_a_message_belongs_to_the_kind_autodialer_only() -> None:
    assert message_of(MESSAGE) == "reminder"
    assert message_of(TALK) is None


@pytest.mark.parametrize("prompt", [None, ""])
def test_an_autodialer_needs_its_message(prompt: str | None) -> None:
    with pytest.raises(ValueError, match="prompt: a campaign of kind autodialer needs the message to play"):
        message_of(msgspec.structs.replace(MESSAGE, prompt=prompt))


def test_the_policy_without_agents_goes_with_the_kind_without_agents() -> None:
    assert (pacer_for(MESSAGE).name, pacer_for(TALK).name) == ("agentless", "predictive")
    with pytest.raises(ValueError, match="dials by 'agentless', not by 'ratio'"):
        pacer_for(msgspec.structs.replace(MESSAGE, pacer="ratio"))
    with pytest.raises(ValueError, match="'agentless' is for the kind autodialer; a predictive campaign needs agents"):
        pacer_for(msgspec.structs.replace(TALK, pacer="agentless"))
    with pytest.raises(ValueError, match="there is no 'turbo'"):
        pacer_for(msgspec.structs.replace(MESSAGE, pacer="turbo"))
