"""`dialer bench amd`: what a real Asterisk's AMD(), ordered through the adapter, takes made greetings for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from dialer.bench.amd.detecting import Detection
from dialer.bench.amd.far_end import DIGITS, greeter
from dialer.bench.amd.greetings import corpus
from dialer.bench.amd.score import Score, Verdict
from dialer.bench.amd.voice import speak
from dialer.bench.figures import Result, Step
from dialer.bench.sip.asterisk import folder_of, running
from dialer.bench.sip.bench import ABSENT
from dialer.bench.switch.place import SERVER, settings
from dialer.clock import SystemClock
from dialer.errors import BadInput
from telephony_adapters.asterisk.adapter import AsteriskTelephony
from telephony_adapters.asterisk.config import Common, parse
from telephony_adapters.asterisk.files import extensions

RATE: Final = 10.0
"""Calls a second: each takes sound for some seconds at both ends."""
_HOTLINE: Final = "+84240000000"


def bench_amd(*, per_kind: int, seed: int, asterisk: Path | None, step: Step) -> Result:
    """Measure; raise DialerError when espeak-ng is not installed, BadInput when there is no Asterisk."""
    root = folder_of(asterisk)
    if root is None:
        raise BadInput(ABSENT)
    step("espeak-ng speaks")
    greetings = list(corpus(per_kind, seed=seed, speak=speak))
    numbers = [f"+8490000{number:0{DIGITS}d}" for number in range(len(greetings))]
    with TemporaryDirectory(prefix="dialer-bench-") as name, greeter(root, Path(name) / "far", greetings) as port:
        step(f"Asterisk listens to {len(greetings)} greetings")
        found = _detected(root, Path(name) / "near", port, numbers)
    score = Score((greeting.kind, verdict) for greeting, verdict in zip(greetings, found, strict=True))
    return Result("amd", {"per kind": per_kind, "seed": seed}, list(score.figures()))


def _detected(root: Path, folder: Path, port: int, numbers: Sequence[str]) -> list[Verdict]:
    async def listen(text: str) -> list[Verdict]:
        async with AsteriskTelephony(parse(text), clock=SystemClock()) as telephony:
            await asyncio.sleep(0.5)
            return await Detection(telephony, trunk=SERVER, hotline=_HOTLINE).of(numbers, rate=RATE)

    with running(root, folder, {"extensions": extensions(Common().app)}) as (_, ari):
        return asyncio.run(listen(settings(ari, port, port)))
