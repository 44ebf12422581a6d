"""Make the SIP adapter from the settings: its trunks file, its secrets, where its journal and its traces are."""

from __future__ import annotations

import functools
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
    from telephony_adapters.trunks.model import TrunksFile
    from telephony_adapters.trunks.process import SipProcess
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

    path = _trunks_file(settings)
    file = _alone(load(path), only) if only else load(path)
    return Plant(
        file, key=_key(settings), overrides=overrides, spend_file=settings.home / SPEND,
        drained_file=settings.drained_trunks,
    )  # fmt: skip


def read_trunks(settings: Settings) -> TrunksFile:
    """Read the trunks file in force; raise BadInput when there is none, or it is wrong."""
    from telephony_adapters.trunks.config import load

    return load(_trunks_file(settings))


def _trunks_file(settings: Settings) -> Path:
    path = settings.trunks_file
    if path is None:
        raise BadInput(
            f"there is no trunks file: `dialer trunk example > {settings.home / TRUNKS_NAME}` "
            "is one to begin with, or name one with DIALER_TRUNKS"
        )
    return path


def _key(settings: Settings) -> bytes:
    home = Home(settings.home)
    home.prepare()
    return home.secrets().service.encode()[:_KEY_BYTES]


def _alone(file: TrunksFile, name: str) -> TrunksFile:
    from telephony_adapters.trunks.reading import nearest

    if name not in file.trunks:
        raise BadInput(f"the trunks file has no trunk {name!r}{nearest(name, file.trunks)}")
    return msgspec.structs.replace(file, trunks={name: file.trunks[name]}, agents=None)


def open_sip(settings: Settings, clock: Clock, overrides: Sequence[Override]) -> Telephony:
    """Make the adapter, here or in a process of its own; raise BadInput for a clock that runs ahead of real time."""
    if clock.speed != 1.0:
        raise BadInput("a SIP trunk runs in real time: leave --speed out")
    return _beside(settings, clock, overrides) if settings.sip_process else _here(settings, clock, overrides)


def _here(settings: Settings, clock: Clock, overrides: Sequence[Override]) -> Telephony:
    from telephony_adapters.trunks.journal import Journal
    from telephony_adapters.trunks.telephony import SipTelephony

    plant = open_plant(settings, overrides)
    trace = None
    if settings.sip_trace_share:
        trace = plant.message_log(
            settings.sip_trace_path, share=settings.sip_trace_share, max_bytes=settings.sip_trace_bytes
        )
    return SipTelephony(plant, clock=clock, journal=Journal(_journal(settings, plant.file)), trace=trace)


def _beside(settings: Settings, clock: Clock, overrides: Sequence[Override]) -> Telephony:
    from telephony_adapters.trunks.config import load
    from telephony_adapters.trunks.frames import Start, Tracing
    from telephony_adapters.trunks.process import SipProcess

    path = _trunks_file(settings)
    file = load(path)
    trace = None
    if settings.sip_trace_share:
        trace = Tracing(str(settings.sip_trace_path), settings.sip_trace_share, settings.sip_trace_bytes)
    start = Start(
        str(path),
        _key(settings),
        tuple(overrides),
        str(settings.home / SPEND),
        str(_journal(settings, file)),
        trace,
        str(settings.drained_trunks),
    )
    return SipProcess(file, start, clock=clock)


def _journal(settings: Settings, file: TrunksFile) -> Path:
    return file.sip.journal or settings.home / JOURNAL


def _sip(telephony: Telephony) -> SipTelephony | SipProcess | None:
    from telephony_adapters.trunks.process import SipProcess
    from telephony_adapters.trunks.telephony import SipTelephony

    return telephony if isinstance(telephony, SipTelephony | SipProcess) else None


def samples_of(telephony: Telephony) -> Callable[[], Iterable[Sample]]:
    """Return what gives the figures of the adapter's trunks, phones and traces."""
    sip = _sip(telephony)
    return tuple if sip is None else functools.partial(_samples, sip)


def _samples(telephony: SipTelephony | SipProcess) -> Iterable[Sample]:
    figures = telephony.figures()
    for name, (is_up, calls) in figures.trunks.items():
        yield Sample(metrics.TRUNK_UP, is_up, (name,))
        yield Sample(metrics.TRUNK_CALLS, calls, (name,))
    for state, count in figures.phones.items():
        yield Sample(metrics.PHONES, count, (state,))
    for event, count in figures.events.items():
        yield Sample(metrics.SIP_EVENTS, count, (event,))
    if figures.trace is not None:
        for metric, count in zip((metrics.TRACED, metrics.TRACED_BYTES, metrics.UNTRACED), figures.trace, strict=True):
            yield Sample(metric, count)


def limits_of(telephony: Telephony) -> tuple[TrunkLimit, ...]:
    """Return what the engine has to know of the adapter's trunks."""
    sip = _sip(telephony)
    return () if sip is None else sip.limits


def join_desks(telephony: Telephony, desks: SimulatedDesks) -> None:
    """Let simulated desks hear when their talks begin; their phones are real ones, or the carrier's."""
    sip = _sip(telephony)
    if sip is not None:
        sip.on_connected = desks.joined
