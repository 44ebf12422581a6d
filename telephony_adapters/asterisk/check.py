"""Whether each Asterisk of the file can be used, step by step, in words; nobody is called."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Final, NamedTuple

from dialer.errors import Unreachable
from telephony_adapters.asterisk.ari import Ari, Info, Name
from telephony_adapters.asterisk.config import AsteriskFile, Server
from telephony_adapters.asterisk.files import MODULES

OLDEST: Final = 20
"""Before this, ARI tells no SIP status of a call that failed."""


class Level(StrEnum):
    """How a step went."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


class Step(NamedTuple):
    """One thing that was tried."""

    level: Level
    server: str
    what: str
    words: str


async def check(file: AsteriskFile) -> AsyncIterator[Step]:
    """Try every server."""
    for server in file.servers.values():
        async with Ari(server, file.common) as ari:
            try:
                async for step in _tried(server, file, ari):
                    yield step
            except Unreachable as error:
                yield Step(Level.FAILED, server.name, "ARI", str(error))


async def _tried(server: Server, file: AsteriskFile, ari: Ari) -> AsyncIterator[Step]:
    yield _version(server, await ari.info())
    missing = await _missing(ari)
    if missing:
        yield Step(Level.FAILED, server.name, "modules", f"not loaded: {', '.join(missing)}; see modules.conf")
    else:
        yield Step(Level.OK, server.name, "modules", "all that are needed run")
    busy = await ari.told_of()
    async with ari.events():
        yield Step(Level.OK, server.name, "WebSocket", f"the application {file.common.app!r} is told of calls")
    if busy:
        words = f"{len(busy)} channels belong to {file.common.app!r}: a dialer uses it now, or left them"
        yield Step(Level.NOTE, server.name, "calls", words)


def _version(server: Server, info: Info) -> Step:
    version = info.system.version
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        words = f"it is {version}: without tech_cause (from {OLDEST} on) calls that fail are told apart by Q.850 only"
        return Step(Level.NOTE, server.name, "version", words)
    return Step(Level.OK, server.name, "version", f"Asterisk {version}")


class _Module(Name, frozen=True):
    """A module of Asterisk's."""

    status: str = ""


async def _missing(ari: Ari) -> list[str]:
    running = {
        one.name.removesuffix(".so")
        for one in await ari.get("/asterisk/modules", list[_Module])
        if one.status == "Running"
    }
    return [name for name in MODULES if name not in running]
