"""A leg: what tells it apart, and when nothing can be said in it any more."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.leg import Early, Leg, LegState
from tests.telephony_adapters.sip.pair import PEER


def test_a_leg_is_told_apart_by_its_call_id_and_our_tag() -> None:
    leg = Leg("call", PEER, is_caller=True, local_tag="tag", owner="me")
    assert (leg.key, leg.owner, leg.state) == (("call", "tag"), "me", LegState.INVITED)


@pytest.mark.parametrize("state", list(LegState))
def test_a_leg_is_over_once_our_bye_is_out(state: LegState) -> None:
    leg = Leg("call", PEER, is_caller=True, local_tag="tag")
    leg.state = state
    assert leg.is_over is (state in {LegState.ENDING, LegState.ENDED})


def test_legs_share_nothing() -> None:
    one, other = (Leg("call", PEER, is_caller=True, local_tag="tag") for _ in range(2))
    one.early["tag"] = Early()
    one.held.append(lambda _leg, _now: None)
    one.ack_wait.append([])
    assert (other.early, other.held, other.ack_wait) == ({}, [], [])
