"""Mosquitto's files; that the real one obeys them is shown by test_mqtt_link.py, which runs it with them."""

from __future__ import annotations

import pytest

from dialer.agents.mosquitto import acl, conf, passwords
from dialer.ports import AgentAccount

PEOPLE = [
    AgentAccount("an", secret="$7$1$a$b"), AgentAccount("boss", secret="$7$1$c$d", supervisor=True),
    AgentAccount("gone", secret="$7$1$e$f", active=False),
]  # fmt: skip


def test_each_has_their_own_topics_and_who_is_gone_has_none() -> None:
    blocks = acl(PEOPLE, dialer="engine").split("\n\n")
    assert blocks[0].endswith("user engine\ntopic readwrite dialer/#\ntopic read $SYS/broker/version")
    assert blocks[1].splitlines() == [
        "user an",
        "topic write dialer/agents/an/command",
        "topic read dialer/agents/an/offer",
        "topic write dialer/agents/an/presence",
        "topic read dialer/agents/an/state",
    ]
    assert "topic write dialer/agents/boss/supervise" in blocks[2]
    assert "gone" not in acl(PEOPLE) + passwords(PEOPLE, secret="s")


def test_the_passwords_are_the_hashes_that_the_store_has() -> None:
    assert passwords(PEOPLE, secret="$7$1$x$y") == "dialer:$7$1$x$y\nan:$7$1$a$b\nboss:$7$1$c$d\n"


@pytest.mark.parametrize("word", ["allow_anonymous false", "password_file /etc/m/passwords", "acl_file /etc/m/acl"])
def test_nobody_is_let_in_without_a_password(word: str) -> None:
    assert word in conf("/etc/m").splitlines()
