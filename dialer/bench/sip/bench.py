"""`dialer bench sip`: rounds of measurements, and what their medians say of the goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from dialer.bench.figures import Figure, Result, Step, at_least, at_most, plain
from dialer.bench.sip.asterisk import folder_of
from dialer.bench.sip.measure import FAILED, LIVE_RATE, PACED, Round, Sizes, make, play
from dialer.bench.sip.programs import found

SIPP_GOAL: Final = 5.0
ARI_GOAL: Final = 12.0
PACED_GOAL: Final = 4.0
RATE_GOAL: Final = 1500.0
P99_GOAL_MS: Final = 50.0
DIGEST_GOAL: Final = 2.2
CALLEE_GOAL: Final = 8.0
ABSENT: Final = "Asterisk + ARI is absent: `python -m tests.plugins.asterisk` fetches it, or name --asterisk FOLDER"


def bench_sip(*, sizes: Sizes, asterisk: Path | None, step: Step) -> Result:
    """Measure; raise DialerError when SIPp is not installed, BadInput for a folder without Asterisk."""
    found("sipp", "sip-tester (Debian)")
    root = folder_of(asterisk)
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        bench = make(Path(folder), sizes, root)
        rounds = [
            play(bench, lambda words, number=number: step(f"round {number}: {words}"))  # type: ignore[misc]  # a default
            for number in range(1, sizes.repeats + 1)
        ]
    settings = {name: float(getattr(sizes, name)) for name in sizes.__struct_fields__}
    return Result("sip", settings, [*_ours(rounds), *_theirs(rounds, with_asterisk=root is not None)])


def _ours(rounds: list[Round]) -> Iterator[Figure]:
    yield at_most("CPU a call / SIPp's caller, closed loop", _ratio(rounds, "closed ms", "sipp 50 ms"), SIPP_GOAL)
    yield plain("CPU a call, 50 at a time", _of(rounds, "closed ms"), "ms")
    yield plain("SIPp's caller: CPU a call, 50 at a time", _of(rounds, "sipp 50 ms"), "ms")
    yield plain("SIPp's caller: CPU a call, 200 at a time", _of(rounds, "sipp 200 ms"), "ms")
    yield at_least("set-ups a second, 50 at a time", _of(rounds, "closed per s"), RATE_GOAL)
    yield plain("set-up, 50 at a time: median", _of(rounds, "closed p50"), "ms")
    yield plain("set-up, 50 at a time: 99th percentile", _of(rounds, "closed p99"), "ms")
    yield at_most(f"set-up at {LIVE_RATE:g}/s: 99th percentile", _of(rounds, "live p99"), P99_GOAL_MS, "ms")
    yield plain(f"set-up at {LIVE_RATE:g}/s: median", _of(rounds, "live p50"), "ms")
    yield plain(f"live calls at {LIVE_RATE:g}/s", _of(rounds, "live peak"))
    yield plain(f"CPU a call at {LIVE_RATE:g}/s", _of(rounds, "live ms"), "ms")
    yield plain(f"memory (RSS) at {LIVE_RATE:g}/s", _of(rounds, "live rss"), "MB")
    yield plain(f"calls began late at {LIVE_RATE:g}/s by: 99th percentile", _of(rounds, "live late p99"), "ms")
    yield plain(f"CPU a call at {PACED:g}/s", _of(rounds, "paced ms"), "ms")
    yield at_most("CPU a call, each challenged / unchallenged", _ratio(rounds, "digest ms", "closed ms"), DIGEST_GOAL)
    yield plain("set-ups a second, each challenged", _of(rounds, "digest per s"))
    yield plain("CPU a call over TCP to SIPp", _of(rounds, "sipp tcp ms"), "ms")
    for kind in ("udp", "tcp", "tls"):
        yield plain(f"CPU a call over {kind.upper()} to our carrier", _of(rounds, f"{kind} ms"), "ms")
    failed: Counter[str] = Counter()
    for each in rounds:
        failed.update({name: int(count) for name, count in each.items() if name.startswith(FAILED) and count})
    yield at_most("calls that failed, in all rounds", failed.total(), 0)
    yield from (plain(name, count) for name, count in sorted(failed.items()))


def _theirs(rounds: list[Round], *, with_asterisk: bool) -> Iterator[Figure]:
    yield at_most(
        "simulator as callee: CPU a call / SIPp's callee", _ratio(rounds, "uas carrier ms", "uas sipp ms"), CALLEE_GOAL
    )
    yield plain("simulator as callee: CPU a call", _of(rounds, "uas carrier ms"), "ms")
    yield plain("SIPp's callee: CPU a call", _of(rounds, "uas sipp ms"), "ms")
    if not with_asterisk:
        yield plain(ABSENT, 0)
        return
    yield at_least(
        "Asterisk + ARI: CPU a call / ours, closed loop", _ratio(rounds, "ari closed ms", "closed ms"), ARI_GOAL
    )
    yield plain("the same with ARI's event filter", _ratio(rounds, "ari filtered ms", "closed ms"))
    yield at_least(
        f"Asterisk + ARI: CPU a call / ours, {PACED:g}/s", _ratio(rounds, "ari paced ms", "paced ms"), PACED_GOAL
    )
    for name, words in (("ari closed", "50 at a time"), ("ari paced", f"{PACED:g}/s")):
        yield plain(f"Asterisk: CPU a call, {words}", _of(rounds, f"{name} server ms"), "ms")
        yield plain(f"ARI client: CPU a call, {words}", _of(rounds, f"{name} client ms"), "ms")
        yield plain(f"Asterisk + ARI: set-ups a second, {words}", _of(rounds, f"{name} per s"))
        yield plain(f"Asterisk + ARI: set-up, {words}: 99th percentile", _of(rounds, f"{name} p99"), "ms")


def _of(rounds: list[Round], name: str) -> float:
    return median(each[name] for each in rounds)


def _ratio(rounds: list[Round], one: str, other: str) -> float:
    """Return the median of what the two came to in the same round."""
    return median(each[one] / each[other] for each in rounds)
