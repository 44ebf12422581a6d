"""Make the Asterisk adapter from the settings, and give what the engine and the metrics need of it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dialer import metrics
from dialer.config import ASTERISK_NAME, Settings
from dialer.errors import BadInput
from dialer.metrics import Sample
from dialer.ports import Clock, Telephony
from simulator.live_agents import SimulatedDesks

if TYPE_CHECKING:
    from dialer.core.trunks import TrunkLimit
    from telephony_adapters.asterisk.adapter import AsteriskTelephony
    from telephony_adapters.asterisk.config import AsteriskFile


def read_asterisk(settings: Settings) -> AsteriskFile:
    """Read the Asterisk file in force; raise BadInput when there is none, or it is wrong."""
    from telephony_adapters.asterisk.config import load

    path = settings.asterisk_file
    if path is None:
        raise BadInput(
            f"there is no Asterisk file: `dialer asterisk example > {settings.home / ASTERISK_NAME}` "
            "is one to begin with, or name one with DIALER_ASTERISK"
        )
    return load(path)


def open_asterisk(settings: Settings, clock: Clock) -> Telephony:
    """Make the adapter; raise BadInput for a clock that runs ahead of real time, or for a file that is wrong."""
    from telephony_adapters.asterisk.adapter import AsteriskTelephony

    if clock.speed != 1.0:
        raise BadInput("Asterisk runs in real time: leave --speed out")
    return AsteriskTelephony(read_asterisk(settings), clock=clock, home=settings.home)


def _asterisk(telephony: Telephony) -> AsteriskTelephony:
    from telephony_adapters.asterisk.adapter import AsteriskTelephony

    if not isinstance(telephony, AsteriskTelephony):
        raise TypeError(f"{telephony.name!r} is not the Asterisk adapter")
    return telephony


def limits_of(telephony: Telephony) -> tuple[TrunkLimit, ...]:
    """Return what the engine has to know of the servers."""
    return _asterisk(telephony).limits


def samples_of(telephony: Telephony) -> Callable[[], Iterable[Sample]]:
    """Return what gives the figures of the servers and phones."""
    return functools.partial(_samples, _asterisk(telephony))


def _samples(telephony: AsteriskTelephony) -> Iterable[Sample]:
    phones: Counter[str] = Counter()
    for name, link in telephony.links.items():
        yield Sample(metrics.TRUNK_UP, link.is_open, (name,))
        yield Sample(metrics.TRUNK_CALLS, len(link.machine.board.calls), (name,))
        yield Sample(metrics.ARI_REQUESTS, link.requests, (name,))
        phones.update(link.machine.desks.states())
    for state, count in phones.items():
        yield Sample(metrics.PHONES, count, (state,))


def join_desks(telephony: Telephony, desks: SimulatedDesks) -> None:
    """Let simulated desks hear when their talks begin; their phones are real ones, or the carrier's."""
    _asterisk(telephony).on_connected = desks.joined
