from __future__ import annotations

import msgspec
import pytest

from dialer.core.kinds import check_prompts, is_scripted, names_fields, pacer_for, script_for
from dialer.core.script import ScriptText, Speech, one_message, prompt_of
from dialer.core.types import CampaignKind, CampaignSettings
from statuses.outcomes import LocalError

TALK = CampaignSettings(1, "talk", prompt="left over")
MESSAGE = CampaignSettings(2, "message", kind=CampaignKind.AUTODIALER, pacer="agentless", prompt="reminder")


SCRIPTED = msgspec.structs.replace(MESSAGE, script="menu")
HANG_UP = '[nodes.bye]\ndo = "hangup"\nsay = "Chào {name"\n'


def test_a_message_is_a_script_of_one_node_and_belongs_to_the_kind_autodialer_only() -> None:
    assert script_for(MESSAGE, None) == one_message(prompt_of("reminder"))
    assert script_for(TALK, None) is None
    assert not is_scripted(TALK)


def test_the_stored_script_takes_the_place_of_the_message() -> None:
    script = script_for(SCRIPTED, ScriptText("menu", 1, HANG_UP.replace("{name", "{name}")))
    assert getattr(script, "start", None) == "bye"


@pytest.mark.parametrize(
    ("settings", "stored", "fault"),
    [
        (SCRIPTED, None, LocalError.SCRIPT_DELETED),
        (SCRIPTED, ScriptText("menu", 2, None), LocalError.SCRIPT_DELETED),
        (SCRIPTED, ScriptText("other", 1, HANG_UP), LocalError.SCRIPT_DELETED),
        (SCRIPTED, ScriptText("menu", 1, "[nodes"), LocalError.SCRIPT),
        (SCRIPTED, ScriptText("menu", 1, HANG_UP), LocalError.TEMPLATE),
        (msgspec.structs.replace(MESSAGE, prompt="say:vi:{"), None, LocalError.TEMPLATE),
    ],
)
def test_a_script_that_cannot_be_followed_is_a_fault_by_its_name(
    settings: CampaignSettings, stored: ScriptText | None, fault: LocalError
) -> None:
    assert script_for(settings, stored) is fault


def test_texts_in_settings_may_name_fields_and_their_braces_are_checked() -> None:
    spoken = msgspec.structs.replace(MESSAGE, prompt="say:en:Hello {name}")
    check_prompts(spoken)
    assert isinstance(prompt_of(spoken.prompt or ""), Speech)
    assert [names_fields(s) for s in (spoken, SCRIPTED, MESSAGE, TALK)] == [True, True, False, False]
    with pytest.raises(ValueError, match=r"overflow_prompt: the \{ at character 7 has no partner"):
        check_prompts(msgspec.structs.replace(TALK, overflow_prompt="say:en:Sorry {name"))


@pytest.mark.parametrize("prompt", [None, ""])
def test_an_autodialer_needs_its_message(prompt: str | None) -> None:
    with pytest.raises(ValueError, match="prompt: a campaign of kind autodialer needs something to play"):
        is_scripted(msgspec.structs.replace(MESSAGE, prompt=prompt))


def test_the_policy_without_agents_goes_with_the_kind_without_agents() -> None:
    assert (pacer_for(MESSAGE).name, pacer_for(TALK).name) == ("agentless", "predictive")
    with pytest.raises(ValueError, match="dials by 'agentless', not by 'ratio'"):
        pacer_for(msgspec.structs.replace(MESSAGE, pacer="ratio"))
    with pytest.raises(ValueError, match="'agentless' is for the kind autodialer; a predictive campaign needs agents"):
        pacer_for(msgspec.structs.replace(TALK, pacer="agentless"))
    with pytest.raises(ValueError, match="there is no 'turbo'"):
        pacer_for(msgspec.structs.replace(MESSAGE, pacer="turbo"))
