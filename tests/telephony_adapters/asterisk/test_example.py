from __future__ import annotations

import re

from telephony_adapters.asterisk.config import Agents, Common, Server, parse
from telephony_adapters.asterisk.example import EXAMPLE
from telephony_adapters.trunks.reading import keys_of


def test_the_example_is_a_file_and_shows_every_key_with_its_default() -> None:
    parse(EXAMPLE)
    everything = re.sub(r"^# (?=[\w.\[\]]+( =|\]))", "", EXAMPLE, flags=re.MULTILINE)
    file = parse(everything)
    assert (file.agents.nailed_up, file.common.lost_after_s) == (False, 60.0)
    for kind in (Server, Agents, Common):
        for key in keys_of(kind):
            assert re.search(rf"\b{key}\b", EXAMPLE), key
