"""Each safeguard against ghosts and calls without an end, switched off, is missed within the seeds of the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from telephony_adapters.sip import agent, calling, dialogs
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.state import UaState
from telephony_adapters.trunks.bridge import Bridge
from telephony_adapters.trunks.calls import Call
from telephony_adapters.trunks.desks import Desks
from telephony_adapters.trunks.machine import TrunkMachine
from tests.telephony_adapters.trunks.test_weather import SEEDS
from tests.telephony_adapters.trunks.world import World

Patch = pytest.MonkeyPatch


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def no_late_answers(patch: Patch) -> None:
    """Leave a 2xx alone that comes after its INVITE was given up."""
    patch.setattr(agent, "hang_up_stray", _nothing)


def no_forks(patch: Patch) -> None:
    """Leave a second callee alone."""
    patch.setattr(calling, "hang_up_stray", _nothing)


def no_second_ack(patch: Patch) -> None:
    """Acknowledge the first 2xx only."""
    patch.setattr(calling.Invitation, "_again", _nothing)


def no_bye_for_what_crossed(patch: Patch) -> None:
    """Leave a call that crossed our CANCEL as it is."""
    before = dialogs.bye

    def bye(state: UaState, leg: Leg, now: float, **more: str) -> None:
        if leg.cancel is None or not leg.cancelled:
            before(state, leg, now, **more)

    patch.setattr(calling, "bye", bye)


def no_late_cancel(patch: Patch) -> None:
    """Forget a CANCEL that has to wait for a provisional response."""
    before = calling.Invitation._progressed

    def progressed(self: calling.Invitation, *args: object) -> None:
        if not self._leg.cancelled:
            before(self, *args)  # type: ignore[arg-type]

    patch.setattr(calling.Invitation, "_progressed", progressed)


def no_end_of_what_waits(patch: Patch) -> None:
    """Let a call end while a request of it waits."""
    patch.setattr(dialogs, "settle", _nothing)


def no_limits(patch: Patch) -> None:
    """Trust the engine to end every call."""
    patch.setattr(TrunkMachine, "_too_long", _nothing)


def no_memory_of_what_was_told(patch: Patch) -> None:
    """Tell the engine what it knows."""
    patch.setattr(Call, "is_news", lambda _self, _said: True)


def no_parting(patch: Patch) -> None:
    """Leave agents' phones to themselves when their customers go."""
    patch.setattr(Desks, "let_go", _nothing)


def no_limit_to_joins(patch: Patch) -> None:
    """Wait for an agent's phone for as long as it takes."""
    before = Bridge.connect

    def connect(self: Bridge, *args: object) -> None:
        self._desks.phones.join_limit_s = 100.0
        patch.setattr("telephony_adapters.trunks.bridge.JOIN_MAX_S", 100.0)
        before(self, *args)  # type: ignore[arg-type]

    patch.setattr(Bridge, "connect", connect)


SAFEGUARDS = (
    no_late_answers, no_forks, no_second_ack, no_bye_for_what_crossed, no_late_cancel, no_end_of_what_waits, no_limits,
    no_memory_of_what_was_told, no_parting, no_limit_to_joins,
)  # fmt: skip


@pytest.mark.parametrize("safeguard", SAFEGUARDS)
def test_what_a_safeguard_prevents_is_seen_without_it(
    safeguard: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguard(monkeypatch)
    assert any(World(seed).run().complaints() for seed in range(SEEDS))
