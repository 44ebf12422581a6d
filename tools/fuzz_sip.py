"""Throw spoilt SIP datagrams at the parser and at a user agent with live calls (docs/sip-conformance.md).

    python -m tools.fuzz_sip --count 10000000 --seed 1

No exception may leave the agent, nothing is answered twice, and nothing is kept for ever.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import psutil

from tools.sip_mutations import Mutator
from tools.sip_world import CONNECTION, NONE, PEER, STRANGER, Bounds, World

ROUND: Final = 200
"""Datagrams until new calls are placed."""
UNSPOILT: Final = 0.08
"""How many datagrams are as they should be."""
_FLOWS: Final = (PEER, PEER, PEER, PEER, PEER, PEER, STRANGER, CONNECTION)
_MB: Final = 2**20


@dataclass(slots=True)
class Report:
    """What a run came to."""

    datagrams: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    samples: dict[str, bytes] = field(default_factory=dict)
    """The first datagram of each crash."""
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    most: Bounds = NONE
    left: Bounds = NONE
    rss_mb: list[float] = field(default_factory=list)
    """Resident memory after a tenth of the datagrams, at each further tenth, and at the end."""
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """Say it in words."""
        rate = self.seconds / max(self.datagrams, 1) * 1e6
        total = sum(self.crashes.values())
        text = [
            f"{self.datagrams:,} datagrams in {self.seconds:.0f} s of CPU ({rate:.1f} us each): {total} crashes",
            "what came of them: " + ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common()),
            f"kept at once, at most: {self.most}",
            f"kept after the last timer: {self.left}",
            "memory, MB: " + " ".join(f"{size:.1f}" for size in self.rss_mb),
        ]
        text += [f"  {count:>10,} {reason}" for reason, count in self.reasons.most_common()]
        for name, count in self.crashes.most_common():
            text += [f"CRASH {count} times: {name}", f"  first by {self.samples[name]!r}"]
        return text


def run(count: int, seed: int, *, takes_invites: bool = True, say: bool = False) -> Report:
    """Throw `count` datagrams into one world."""
    random = Random(seed)  # noqa: S311 -- the seed is the reproduction
    world, report = World(random.random, takes_invites=takes_invites), Report()
    mutator = Mutator(random.random)
    process, started = psutil.Process(os.getpid()), time.process_time()
    tenth = max(count // 10, 1)
    while report.datagrams < count:
        _try(world.renew, b"(as the calls were hung up)", report)
        _throw(world, mutator, random, min(ROUND, count - report.datagrams), report)
        report.most = Bounds(*map(max, report.most, world.bounds()))
        if report.datagrams >= tenth * (len(report.rss_mb) + 1):
            report.rss_mb.append(process.memory_info().rss / _MB)
            if say:
                print(f"{report.datagrams:,} datagrams, {report.rss_mb[-1]:.1f} MB", flush=True)
    _try(world.drain, b"(as the last timers ran out)", report)
    report.left, report.reasons = world.bounds(), world.ua.counters
    gc.collect()
    report.rss_mb.append(process.memory_info().rss / _MB)
    report.seconds = time.process_time() - started
    return report


def _throw(world: World, mutator: Mutator, random: Random, count: int, report: Report) -> None:
    templates, chance, outcomes = world.templates, random.random, report.outcomes
    for _ in range(count):
        data = templates[int(chance() * len(templates))]
        if chance() > UNSPOILT:
            data = mutator.spoil(data, templates)
        try:
            outcomes[world.feed(data, _FLOWS[int(chance() * len(_FLOWS))])] += 1
        except Exception as error:  # noqa: BLE001 -- whatever comes is what we look for
            _crashed(error, data, report)
    report.datagrams += count


def _try(do: Callable[[], object], when: bytes, report: Report) -> None:
    try:
        do()
    except Exception as error:  # noqa: BLE001
        _crashed(error, when, report)


def _crashed(error: Exception, data: bytes, report: Report) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    name = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno} {place.name}: {error}"[:200]
    report.crashes[name] += 1
    report.samples.setdefault(name, data)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = run(options.count, options.seed, say=True)
    print("\n".join(report.lines()))
    sys.exit(bool(report.crashes) or report.left != NONE)


if __name__ == "__main__":
    main()
