"""The file that people begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.example import EXAMPLE
from telephony_adapters.trunks.guard import Numbers
from telephony_adapters.trunks.model import Agents, Peer, Sip, Spend, Trunk
from telephony_adapters.trunks.reading import keys_of


def test_it_is_taken_as_it_is() -> None:
    file = parse(EXAMPLE, base=Path("/etc/dialer"))
    assert list(file.trunks) == ["main", "viettel"]
    assert file.trunks["main"].password_file == Path("/etc/dialer/main.password")
    assert file.trunks["main"].rate_of("84240000000").next_s == 6
    assert file.agents is not None
    assert file.agents.uri_of("a1") == "sip:a1@10.0.0.5"


def test_it_is_taken_with_every_default_spelled_out() -> None:
    """What is commented out is right too: each line of it by itself, in the table under which it stands."""
    lines = EXAMPLE.splitlines()
    for number, line in enumerate(lines):
        if not re.match(r"# [a-z0-9_]+ = ", line) or line.startswith(("# tls_cert", "# tls_key")):
            continue
        parse("\n".join([*lines[:number], line[2:], *lines[number + 1 :]]))


@pytest.mark.parametrize("kind", [Trunk, Sip, Spend, Numbers, Agents])
def test_every_key_is_in_it(kind: type[Trunk | Sip | Spend | Numbers | Agents]) -> None:
    keys = set(keys_of(kind)) - (set(keys_of(Peer)) if kind is Agents else set())
    assert [key for key in keys if not re.search(rf"\b{key}\b", EXAMPLE)] == []
