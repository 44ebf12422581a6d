"""Calls by our adapter through a switch, in a process of its own: a job in, what it came to out, both as JSON."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from dialer.bench.load import Load, Loader
from dialer.bench.load_report import Spread
from dialer.bench.sip.programs import Program
from dialer.bench.switch.offers import Offerer, Offers
from dialer.bench.switch.place import SERVER
from dialer.clock import SystemClock
from dialer.ports import Telephony
from telephony_adapters.asterisk.adapter import AsteriskTelephony
from telephony_adapters.asterisk.config import parse
from telephony_adapters.wire.uvloops import run

_START: Final = "from dialer.bench.switch.ours import main; main()"
_PHONE: Final = "+84900000001"
_HOTLINE: Final = "+84240000000"
_GRACE_S: Final = 60.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`calls`, so many `at_once`, hung up as soon as they are answered; or `rate` a second, each joined to an agent."""

    settings: str
    """The text of an Asterisk file."""
    calls: int = 0
    at_once: int = 0
    rate: float = 0.0
    duration_s: float = 0.0
    talk_s: float = 0.0
    agents: int = 0

    @property
    def takes_s(self) -> float:
        """Return for how long it may be waited."""
        return self.duration_s + self.talk_s + self.calls / 20 + _GRACE_S


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a job came to; processor time is the whole process's, without its start."""

    calls: int
    answered: int
    joined: int
    elapsed_s: float
    cpu_s: float
    to_answer: Spread | None = None
    to_agent: Spread | None = None
    late: Spread | None = None
    without_agent: int = 0


def call(folder: Path, job: Job) -> Done:
    """Do a job in a process of its own; raise DialerError when that ends badly."""
    words = [sys.executable, "-c", _START, msgspec.json.encode(job).decode()]
    with Program(words, folder) as program:
        program.wait(job.takes_s)
        return msgspec.json.decode(program.said(), type=Done)


def main() -> None:
    """Do the job of the first argument."""
    done = run(_do(msgspec.json.decode(sys.argv[1], type=Job)))
    sys.stdout.write(msgspec.json.encode(done).decode())


async def _do(job: Job) -> Done:
    async with AsteriskTelephony(parse(job.settings), clock=SystemClock()) as telephony:
        await asyncio.sleep(0.5)  # what opening costs is not a call's
        return await (_offers(telephony, job) if job.rate else _closed(telephony, job))


async def _closed(telephony: Telephony, job: Job) -> Done:
    load = Load(trunk=SERVER, numbers=(_PHONE,), hotline=_HOTLINE, calls=job.calls, at_once=job.at_once, drain_s=1.0)
    before = _cpu_s()
    loader = Loader(telephony, load, ordered=True)
    await loader.run()
    seen = loader.seen
    return Done(
        calls=seen.due, answered=seen.answered, joined=0, elapsed_s=seen.elapsed_s, cpu_s=_cpu_s() - before,
        to_answer=Spread.of(seen.to_answer_s), late=Spread.of(seen.late_s),
    )  # fmt: skip


async def _offers(telephony: Telephony, job: Job) -> Done:
    agents = tuple(f"agent{number}" for number in range(1, job.agents + 1))
    for agent in agents:
        await telephony.station(agent, up=True)
    offers = Offers(
        trunk=SERVER, numbers=(_PHONE,), hotline=_HOTLINE, agents=agents, rate=job.rate, duration_s=job.duration_s,
        talk_s=job.talk_s,
    )  # fmt: skip
    offerer = Offerer(telephony, offers)
    loop = asyncio.get_running_loop()
    before, began = _cpu_s(), loop.time()
    await offerer.run()
    seen = offerer.seen
    return Done(
        calls=seen.calls, answered=seen.answered, joined=seen.joined, elapsed_s=loop.time() - began,
        cpu_s=_cpu_s() - before, to_agent=Spread.of(seen.to_agent_s), late=Spread.of(seen.late_s),
        without_agent=seen.without_agent,
    )  # fmt: skip


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
