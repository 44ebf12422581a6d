from __future__ import annotations

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Server
from telephony_adapters.trunks.config import parse
from telephony_adapters.trunks.handsets import Handsets
from tests.telephony_adapters.trunks.stage import AGENTS, PHONES, TRUNK

NOW = 1000.0


def handsets(more: str = "", text: str = PHONES) -> Handsets:
    agents = parse(TRUNK + text + more).agents
    assert agents is not None
    return Handsets(agents, uniform=lambda: 0.5)


def test_a_phone_is_called_where_the_file_says() -> None:
    phones = handsets(
        "session_expires_s = 1800\nearly_100rel = true\nanswer_limit_s = 9\njoin_limit_s = 3\nnailed_up = true\n"
    )
    assert phones.invitation("a1", NOW) is None
    phones.serve([Server((0,), 0, (AGENTS,))])
    invitation = phones.invitation("a1", NOW)
    assert invitation is not None
    assert (invitation.flow, invitation.uri, invitation.to) == (AGENTS, "sip:a1@192.0.2.3", "<sip:a1@192.0.2.3>")
    assert invitation.from_ == "<sip:dialer@192.0.2.3>"
    assert (invitation.interval_s, invitation.reliable) == (1800, True)
    assert (phones.answer_limit_s, phones.join_limit_s, phones.nailed_up, phones.auth) == (9, 3, True, None)


def test_an_agent_whom_the_file_does_not_name_has_no_phone() -> None:
    phones = handsets(text='\n[agents]\nserver = "192.0.2.3"\nuris = { a1 = "sip:101@192.0.2.3" }\n')
    phones.serve([Server((0,), 0, (AGENTS,))])
    known = phones.invitation("a1", NOW)
    assert known is not None
    assert known.uri == "sip:101@192.0.2.3"
    assert phones.invitation("a2", NOW) is None


def test_a_server_that_failed_is_passed_over() -> None:
    other = Flow("udp", "192.0.2.4", 5060)
    phones = handsets()
    phones.serve([Server((0,), 0, (AGENTS,)), Server((1,), 0, (other,))])
    phones.servers.failed(AGENTS, NOW + 60)
    invitation = phones.invitation("a1", NOW)
    assert invitation is not None
    assert invitation.flow == other
