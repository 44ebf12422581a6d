"""What a script knows of itself."""

from __future__ import annotations

from dialer.core.script import Audio, one_message, prompt_of
from dialer.core.script_text import parse_script
from tests.dialer.core.scripts import MENU


def test_all_prompts_are_named_once_with_the_fields_filled_in() -> None:
    names = parse_script(MENU).named({"name": "Lan"})
    assert names[0] == "chime"
    assert names[1].startswith("say:vi:Chào Lan. Bấm 1")
    assert names[-1] == "say:en:Goodbye."
    assert len(names) == 6
    assert parse_script(MENU).fields == ("name",)


def test_a_message_asks_for_nothing_and_gives_the_call_to_nobody() -> None:
    script = one_message(prompt_of("reminder"))
    assert (script.asks, script.transfers, list(script.prompts())) == (False, False, [Audio("reminder")])
    menu = parse_script(MENU)
    assert (menu.asks, menu.transfers) == (True, True)


def test_a_prompt_of_a_setting_is_a_name_or_a_text_of_a_language() -> None:
    assert prompt_of("sorry").named({}) == "sorry"
    assert prompt_of("say:en:Dear {name}: sorry").named({"name": "Lan"}) == "say:en:Dear Lan: sorry"
