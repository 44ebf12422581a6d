"""Whose topics are whose."""

from __future__ import annotations

import pytest

from dialer.agents.topics import (
    AGENT_READS,
    AGENT_WRITES,
    DIALER,
    At,
    Leaf,
    is_agent_id,
    may_read,
    may_write,
    parse,
    topic,
)


@pytest.mark.parametrize("text", ["", "dialer", "a/b", "+", "#", "a b", "a+", "-a", "$SYS", "a\n", "x" * 65, "é"])
def test_what_would_be_a_wildcard_a_level_or_the_dialer_itself_is_no_agent(text: str) -> None:
    assert not is_agent_id(text)


@pytest.mark.parametrize("text", ["an", "agent-01", "A.Nguyen_2", "0900"])
def test_agent_ids(text: str) -> None:
    assert is_agent_id(text)
    assert parse(topic(text, Leaf.STATE)) == At(text, Leaf.STATE)


@pytest.mark.parametrize(
    "text", ["dialer/agents/an", "dialer/agents/an/other", "dialer/agents/+/state", "x/agents/an/state"]
)
def test_other_topics_are_nobodys(text: str) -> None:
    assert parse(text) is None
    assert not may_read("an", text)
    assert not may_write("an", text, supervisor=True)


def test_an_agent_has_four_topics_and_a_supervisor_one_more() -> None:
    for leaf in Leaf:
        mine, other = topic("an", leaf), topic("ba", leaf)
        assert may_read("an", mine) == (leaf in AGENT_READS)
        assert may_write("an", mine, supervisor=False) == (leaf in AGENT_WRITES)
        assert may_write("an", mine, supervisor=True) == (leaf in AGENT_WRITES | {Leaf.SUPERVISE})
        assert not may_read("an", other)
        assert not may_write("an", other, supervisor=True)
        assert may_read(DIALER, mine)
        assert may_write(DIALER, mine, supervisor=False)
    assert not may_write(DIALER, "home/lamp", supervisor=False)
