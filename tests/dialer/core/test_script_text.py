"""Scripts from TOML: every mistake by its node and key, in both languages."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.script import Gather, RecordMessage, Script, Speech
from dialer.core.script_text import BadScript, parse_script
from statuses.outcomes import LocalError
from tests.dialer.core.scripts import MENU


def test_a_script_is_read_with_its_defaults() -> None:
    script = parse_script(MENU)
    menu, note = script.nodes["menu"], script.nodes["note"]
    assert isinstance(menu, Gather)
    assert (menu.timeout_s, menu.repeats, menu.barge, menu.otherwise) == (4.0, 1, True, "bye")
    assert isinstance(menu.wrong, Speech)
    assert menu.wrong.language == "vi"
    assert isinstance(note, RecordMessage)
    assert note.limit_s == 30.0
    assert script.start == "hello"
    assert parse_script(MENU.replace('start = "hello"', "")).start == "hello"


@pytest.mark.parametrize(
    ("old", "new", "en", "vi"),
    [
        ('language = "vi"', 'language = "fr"', "language: the language is one of vi, en, not 'fr'", "ngôn ngữ"),
        ('start = "hello"', 'begin = "hello"', "key 'begin': there is no such key", "khoá 'begin': không có khoá này"),
        ('start = "hello"', 'start = "hi"', "start: there is no node 'hi'", "start: không có nút 'hi'"),
        ('audio = "chime"', 'audio = "../chime"', "node 'hello', key 'audio': '../chime' is no name", "nút 'hello'"),
        ('audio = "chime"', "", "node 'hello', key 'say': say (a text) or audio", "cần say"),
        ('audio = "chime"', 'audio = "a"\nsay = "b"', "node 'hello', key 'audio': give say or audio", "chỉ dùng một"),
        ('do = "play"', 'do = "dance"', "node 'hello', key 'do': must be one of: play, gather", "phải là một trong"),
        ('do = "play"', "", "node 'hello', key 'do': must be one of", "phải là một trong"),
        ("{name}", "{name", "node 'menu', key 'say': the { at character 6 has no partner", "nút 'menu', khoá 'say'"),
        ("1 = ", '"*" = ', "node 'menu', key 'keys.*': keys are 0 to 9", "luôn là phím sai"),
        ('2 = "menu"', "2 = 5", "node 'menu', key 'keys.2': must be the name of a node", "phải là tên một nút"),
        ('2 = "menu"', '2 = "main"', "node 'menu', key 'keys.2': there is no node 'main'", "không có nút 'main'"),
        (
            "timeout_s = 4",
            "timeout_s = 0",
            "node 'menu', key 'timeout_s': is a number from 1 to 60, not 0",
            "từ 1 đến 60",
        ),
        ("timeout_s = 4", "timeout_s = true", "is a number from 1 to 60, not True", "không phải True"),
        ("repeats = 1", "repeats = 1.5", "node 'menu', key 'repeats': is a whole number, not 1.5", "số nguyên"),
        ("repeats = 1", "barge = 1", "node 'menu', key 'barge': is true or false, not 1", "true hoặc false"),
        ("limit_s = 30", "keys = 30", "node 'note', key 'keys': a record node has no such key", "không có khoá này"),
        ('otherwise = "bye"', 'otherwise = ""', "node 'menu', key 'otherwise': must be a text", "phải là văn bản"),
        ('otherwise = "bye"', 'otherwise = "hello"', "node 'hello': this circle never ends unless", "vòng lặp"),
        ('3 = "note"', '4 = "bye"', "node 'note': no path from 'hello' leads to it", "không có đường nào"),
        ("[nodes.bye]", "[[nodes.bye]]", "node 'bye': must be a table [nodes.bye]", "phải là một bảng"),
        ("repeats = 1", "repeats = ", "not TOML: Invalid value (at line 16", "sai cú pháp TOML"),
    ],
)
def test_a_mistake_is_told_by_node_and_key(old: str, new: str, en: str, vi: str) -> None:
    assert old in MENU
    with pytest.raises(BadScript) as caught:
        parse_script(MENU.replace(old, new, 1))
    assert en in caught.value.en
    assert vi in caught.value.vi
    assert (caught.value.error is LocalError.TEMPLATE) == ("partner" in en)


@pytest.mark.parametrize("text", ["", "nodes = 3", "[nodes]"])
def test_a_script_needs_nodes(text: str) -> None:
    with pytest.raises(BadScript, match="nodes: a script has 1 to 100 nodes"):
        parse_script(text)


@given(st.text(max_size=60), st.integers(0, len(MENU)))
def test_whatever_is_written_is_a_script_or_refused(text: str, at: int) -> None:
    with suppress(BadScript):
        assert isinstance(parse_script(MENU[:at] + text + MENU[at:]), Script)
