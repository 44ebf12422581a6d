"""Every reason has its words in both languages."""

from __future__ import annotations

import pytest

from dialer.core.agents import AgentState
from dialer.core.types import Declined, HoldReason
from web.desk_words import agent_state, refusal
from web.i18n import Words


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_reason_and_every_state_has_words(lang: str) -> None:
    words = Words("en" if lang == "en" else "vi")
    for code in (*HoldReason, *Declined):
        assert refusal(code, words) != code.value
    for state in AgentState:
        assert agent_state(state, words) != state.value


def test_what_a_newer_engine_says_is_shown_as_it_is() -> None:
    assert refusal("moon", Words("en")) == "moon"
    assert agent_state("asleep", Words("en")) == "asleep"
