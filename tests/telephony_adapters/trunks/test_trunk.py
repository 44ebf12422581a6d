from __future__ import annotations

from telephony_adapters.sip.flow import Flow
from telephony_adapters.trunks.desks import DeskState
from telephony_adapters.trunks.trunk import Invitation, NoPhones, Phones
from tests.telephony_adapters.trunks.stage import Stage


def test_without_phones_nobody_is_invited() -> None:
    none: Phones = NoPhones()
    assert none.invitation("a1", 0.0) is None
    assert not none.nailed_up
    stage = Stage(agents=None)
    stage.station("a1")
    assert stage.machine.phones() == {"a1": DeskState.DOWN}


def test_an_invitation_asks_for_nothing_by_itself() -> None:
    plain = Invitation(Flow("udp", "192.0.2.2", 5060), "sip:1@a", "<sip:2@a>", "<sip:1@a>")
    assert (plain.headers, plain.interval_s, plain.reliable) == ((), 0, False)
