"""What campaigns ask of an adapter, and what becomes of those that it cannot serve."""

from __future__ import annotations

import pytest

from dialer.abilities import in_words, lacks
from dialer.core.script import Gather, Play, RecordMessage, Script, prompt_of
from dialer.core.types import CampaignKind, CampaignSettings
from dialer.switch import Capabilities

ALL = Capabilities(play=True, dtmf=True, record=True, amd=True, inbound=True, agent_first=True)
HELLO = prompt_of("say:en:Hello")
ASKS = Script({"ask": Gather(HELLO, {"1": "message"}), "message": RecordMessage(next="end"), "end": Play(HELLO)}, "ask")


@pytest.mark.parametrize(
    ("values", "script", "vital", "soft"),
    [
        ({}, None, [], []),
        ({"record": True, "amd": True, "inbound": True}, None, [], ["inbound", "record", "amd"]),
        ({"overflow_prompt": "busy"}, None, [], ["play"]),
        ({"kind": CampaignKind.AUTODIALER}, ASKS, ["play", "dtmf"], ["record"]),
        ({"kind": CampaignKind.AUTODIALER}, None, ["play"], []),
        ({"kind": CampaignKind.MANUAL, "amd": True}, None, ["agent_first"], []),
        ({"kind": CampaignKind.PREVIEW}, None, ["agent_first"], []),
        ({"kind": CampaignKind.INBOUND, "inbound": True}, None, ["inbound"], []),
    ],
)
def test_what_an_adapter_lacks_for_a_campaign(
    values: dict[str, object], script: Script | None, vital: list[str], soft: list[str]
) -> None:
    settings = CampaignSettings(campaign_id=1, name="spring", **values)  # type: ignore[arg-type]
    missing = lacks(settings, script, Capabilities())
    assert [lack.capability for lack in missing if lack.vital] == vital
    assert [lack.capability for lack in missing if not lack.vital] == soft
    assert lacks(settings, script, ALL) == ()


def test_only_what_is_vital_is_said_where_there_is_such() -> None:
    settings = CampaignSettings(campaign_id=1, name="spring", kind=CampaignKind.MANUAL, record=True)
    said = in_words("plain", lacks(settings, None, Capabilities()))
    assert said == (
        "the adapter 'plain' cannot do what the campaign needs: a manual campaign calls the agent before the customer "
        "(`agent_first`). `dialer adapters list` shows which one can"
    )
    soft = CampaignSettings(campaign_id=1, name="spring", record=True)
    said = in_words("plain", lacks(soft, None, Capabilities()))
    assert said.startswith("the adapter 'plain' cannot do all that the campaign asks for: talks are not recorded")
