"""Events are values: frozen, named in the past tense, and all of them are in the union."""

from __future__ import annotations

from typing import get_args

import pytest

from telephony_adapters.sip import events
from telephony_adapters.sip.leg import Leg
from tests.telephony_adapters.sip.pair import PEER


def test_every_event_of_the_module_is_one_of_sip_event() -> None:
    declared = {each for each in vars(events).values() if isinstance(each, type) and each.__module__ == events.__name__}
    assert set(get_args(events.SipEvent)) == declared


def test_an_event_cannot_be_changed() -> None:
    event = events.Ended(Leg("call", PEER, is_caller=True, local_tag="tag"), "remote", None)
    with pytest.raises(AttributeError):
        event.by = "local"  # type: ignore[misc]
