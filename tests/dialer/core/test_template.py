"""Texts with fields: what is filled, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.template import BadTemplate, UnknownField, field_names, fill, parse_template


def test_fields_are_filled_and_empty_ones_take_their_default() -> None:
    text = parse_template("Chào {name|quý khách}, hợp đồng { Số hợp đồng }: {{ok}}")
    assert field_names(text) == ("name", "Số hợp đồng")
    assert fill(text, {"name": "", "Số hợp đồng": "12"}) == "Chào quý khách, hợp đồng 12: {ok}"
    assert fill(text, {"name": "Lan", "Số hợp đồng": ""}) == "Chào Lan, hợp đồng : {ok}"


def test_a_field_that_the_customer_does_not_have_is_a_fault_unless_there_is_a_default() -> None:
    with pytest.raises(UnknownField, match="debt"):
        fill(parse_template("{debt}"), {"name": "Lan"})
    assert fill(parse_template("{debt|0}"), {}) == "0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Chào {name", "the { at character 6 has no partner; write {{ for a brace"),
        ("Chào }", "the } at character 6 has no partner; write }} for a brace"),
        ("{}", "{} names no field"),
        ("{|x}", "names no field"),
        ("{a{b}", "the { at character 1"),
    ],
)
def test_braces_that_do_not_go_together_are_refused_by_their_place(text: str, said: str) -> None:
    with pytest.raises(BadTemplate, match=said.replace("{", r"\{").replace("}", r"\}").replace("|", r"\|")):
        parse_template(text)


@given(st.text())
def test_any_text_can_be_said_with_its_braces_doubled(text: str) -> None:
    assert fill(parse_template(text.replace("{", "{{").replace("}", "}}")), {}) == text
