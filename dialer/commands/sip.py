"""Make the SIP adapter from the settings: its trunks file, its secrets, where its journal and its traces are."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from dialer import metrics
from dialer.config import TRUNKS_NAME, Settings
from dialer.errors import BadInput
from dialer.home import Home
from dialer.metrics import Sample
from dialer.ports import Clock, Telephony
from simulator.live_agents import SimulatedDesks
from statuses.classify import Override

if TYPE_CHECKING:
    from dialer.core.trunks import TrunkLimit
    from telephony_adapters.tracing.record import CallLeg
    from telephony_adapters.trunks.model import TrunksFile
    from telephony_adapters.trunks.setup import Plant
    from telephony_adapters.trunks.telephony import SipTelephony

JOURNAL: Final = "sip-calls.journal"
SPEND: Final = "sip-spend.json"
_KEY_BYTES: Final = 32


def open_plant(settings: Settings, overrides: Sequence[Override] = (), *, only: str = "") -> Plant:
    """Read the trunks file in force; raise BadInput when there is none, or it is wrong.

    `only` names one trunk that is wanted by itself, without the agents' phones.
    """
    from telephony_adapters.trunks.config import load
    from telephony_adapters.trunks.setup import Plant

    path = settings.trunks_file
    if path is None:
        raise BadInput(
            f"there is no trunks file: `dialer trunk example > {settings.home / TRUNKS_NAME}` "
            "is one to begin with, or name one with DIALER_TRUNKS"
        )
    file = _alone(load(path), only) if only else load(path)
    home = Home(settings.home)
    home.prepare()
    key = home.secrets().service.encode()[:_KEY_BYTES]
    return Plant(
        file, key=key, overrides=overrides, spend_file=settings.home / SPEND, drained_file=settings.drained_trunks
    )


def _alone(file: TrunksFile, name: str) -> TrunksFile:
    from telephony_adapters.trunks.reading import nearest

    if name not in file.trunks:
        raise BadInput(f"the trunks file has no trunk {name!r}{nearest(name, file.trunks)}")
    return msgspec.structs.replace(file, trunks={name: file.trunks[name]}, agents=None)


def open_sip(settings: Settings, clock: Clock, overrides: Sequence[Override]) -> Telephony:
    """Make the adapter; raise BadInput for a clock that runs ahead: real calls take real time."""
    from telephony_adapters.tracing.log import MessageLog
    from telephony_adapters.trunks.journal import Journal
    from telephony_adapters.trunks.telephony import SipTelephony

    if clock.speed != 1.0:
        raise BadInput("a SIP trunk runs in real time: leave --speed out")
    plant = open_plant(settings, overrides)
    journal: Path = plant.file.sip.journal or settings.home / JOURNAL
    log = None
    if settings.sip_trace_share:
        log = MessageLog(
            settings.sip_trace_path, share=settings.sip_trace_share, max_bytes=settings.sip_trace_bytes,
            split=lambda sip_call_id: _leg_of(plant, sip_call_id),
        )  # fmt: skip
    return SipTelephony(plant, clock=clock, journal=Journal(journal), trace=log)


def _leg_of(plant: Plant, sip_call_id: str) -> CallLeg:
    """Return whose message this is: an agent's phone stays on the line while customers come and go."""
    from telephony_adapters.tracing.record import CallLeg, split_call_id
    from telephony_adapters.trunks.desks import customer_of

    customer = customer_of(plant.machine.ua, sip_call_id)
    return CallLeg(customer, "a") if customer is not None else split_call_id(sip_call_id)


def samples_of(telephony: Telephony) -> Callable[[], Iterable[Sample]]:
    """Return what gives the figures of the adapter's trunks, phones and traces."""
    from telephony_adapters.trunks.telephony import SipTelephony

    return functools.partial(_samples, telephony) if isinstance(telephony, SipTelephony) else tuple


def _samples(telephony: SipTelephony) -> Iterable[Sample]:
    from telephony_adapters.trunks.health import State

    machine = telephony.plant.machine
    for line in telephony.plant.lines:
        yield Sample(metrics.TRUNK_UP, line.gate.health.state in {State.UP, State.SUSPECT, State.PROBING}, (line.name,))
        yield Sample(metrics.TRUNK_CALLS, line.gate.calls, (line.name,))
    for state, count in Counter(machine.phones().values()).items():
        yield Sample(metrics.PHONES, count, (state,))
    for event, count in (machine.ua.counters + machine.counters + telephony.counters).items():
        yield Sample(metrics.SIP_EVENTS, count, (event,))
    if telephony.trace is not None:
        yield Sample(metrics.TRACED, telephony.trace.kept)
        yield Sample(metrics.TRACED_BYTES, telephony.trace.kept_bytes)
        yield Sample(metrics.UNTRACED, telephony.trace.dropped)


def limits_of(telephony: Telephony) -> tuple[TrunkLimit, ...]:
    """Return what the engine has to know of the adapter's trunks."""
    from telephony_adapters.trunks.routes import limit_of
    from telephony_adapters.trunks.telephony import SipTelephony

    if not isinstance(telephony, SipTelephony):
        return ()
    return tuple(limit_of(line.settings) for line in telephony.plant.lines)


def join_desks(telephony: Telephony, desks: SimulatedDesks) -> None:
    """Let simulated desks hear when their talks begin; their phones are real ones, or the carrier's."""
    from telephony_adapters.trunks.telephony import SipTelephony

    if isinstance(telephony, SipTelephony):
        telephony.on_connected = desks.joined
