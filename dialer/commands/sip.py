"""Make the SIP adapter from the settings: its trunks file, its secrets, where its journal and its traces are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from dialer.config import TRUNKS_NAME, Settings
from dialer.errors import BadInput
from dialer.home import Home
from dialer.ports import Clock, Telephony
from simulator.live_agents import SimulatedDesks
from statuses.classify import Override

if TYPE_CHECKING:
    from dialer.core.trunks import TrunkLimit
    from telephony_adapters.trunks.model import TrunksFile
    from telephony_adapters.trunks.setup import Plant

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
    return Plant(file, key=key, overrides=overrides, spend_file=settings.home / SPEND)


def _alone(file: TrunksFile, name: str) -> TrunksFile:
    from telephony_adapters.trunks.reading import nearest

    if name not in file.trunks:
        raise BadInput(f"the trunks file has no trunk {name!r}{nearest(name, file.trunks)}")
    return msgspec.structs.replace(file, trunks={name: file.trunks[name]}, agents=None)


def open_sip(settings: Settings, clock: Clock, overrides: Sequence[Override]) -> Telephony:
    """Make the adapter; raise BadInput for a clock that runs ahead: real calls take real time."""
    from telephony_adapters.trunks.journal import Journal
    from telephony_adapters.trunks.telephony import SipTelephony

    if clock.speed != 1.0:
        raise BadInput("a SIP trunk runs in real time: leave --speed out")
    plant = open_plant(settings, overrides)
    journal: Path = plant.file.sip.journal or settings.home / JOURNAL
    return SipTelephony(plant, clock=clock, journal=Journal(journal))


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
