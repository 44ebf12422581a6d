"""`dialer bench asterisk`: rounds of a bare ARI loop and our adapter at the same calls, and offers at a steady rate."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from dialer.bench.figures import Figure, Result, Step, at_least, at_most, plain
from dialer.bench.sip import ari, sipp
from dialer.bench.sip.asterisk import folder_of
from dialer.bench.sip.bench import ABSENT
from dialer.bench.sip.programs import HOST, found
from dialer.bench.switch import ours
from dialer.bench.switch.place import Place, place
from dialer.errors import BadInput

OFFER_GOAL_MS: Final = 300.0
RATE_GOAL: Final = 0.8
AT_ONCE: Final = 50
RATE: Final = 20.0

Round = dict[str, float]


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    repeats: int = 3
    calls: int = 1000
    """Of each closed loop."""
    offers_s: float = 15.0
    talk_s: float = 1.0
    agents: int = 60


QUICK: Final = Sizes(repeats=1, calls=100, offers_s=2.0, talk_s=0.5, agents=40)


def bench_asterisk(*, sizes: Sizes, asterisk: Path | None, step: Step) -> Result:
    """Measure; raise DialerError when SIPp is not installed, BadInput when there is no Asterisk."""
    found("sipp", "sip-tester (Debian)")
    root = folder_of(asterisk)
    if root is None:
        raise BadInput(ABSENT)
    with TemporaryDirectory(prefix="dialer-bench-") as folder:
        rounds = [
            _play(Path(folder) / str(number), root, sizes, functools.partial(_say, step, number))
            for number in range(1, sizes.repeats + 1)
        ]
    settings = {name: float(getattr(sizes, name)) for name in sizes.__struct_fields__}
    return Result("asterisk", settings, list(_figures(rounds)))


def _say(step: Step, number: int, words: str) -> None:
    step(f"round {number}: {words}")


def _play(folder: Path, root: Path, sizes: Sizes, step: Step) -> Round:
    round_: Round = {}
    names = itertools.count()
    with place(root, folder) as at:
        step("a bare ARI loop")
        for filtered in (False, True):
            _bare(folder / str(next(names)), at, sizes, round_, filtered=filtered)
        step("our adapter")
        job = ours.Job(settings=at.settings(), calls=sizes.calls, at_once=AT_ONCE)
        _note(at, folder / str(next(names)), job, "ours", round_)
        for name, nailed_up in (("called", False), ("nailed up", True)):
            step(f"offers, agents' phones {name}")
            job = ours.Job(
                settings=at.settings(nailed_up=nailed_up), rate=RATE, duration_s=sizes.offers_s, talk_s=sizes.talk_s,
                agents=sizes.agents,
            )  # fmt: skip
            _note(at, folder / str(next(names)), job, name, round_)
    return round_


def _bare(folder: Path, at: Place, sizes: Sizes, round_: Round, *, filtered: bool) -> None:
    job = ari.Job(
        url=at.ari.url, password=at.ari.password, to=f"PJSIP/trunk/sip:{sipp.NUMBER}@{HOST}:{at.customers}",
        calls=sizes.calls, at_once=AT_ONCE, filtered=filtered,
    )  # fmt: skip
    name, before = "bare filtered" if filtered else "bare", at.program.cpu_s()
    done = ari.call(folder, job)
    server_s = at.program.cpu_s() - before
    round_[f"{name} per s"] = done.answered / done.elapsed_s
    _cpu(round_, name, done.answered, server_s, done.cpu_s)


def _note(at: Place, folder: Path, job: ours.Job, name: str, round_: Round) -> None:
    before = at.program.cpu_s()
    done = ours.call(folder, job)
    server_s = at.program.cpu_s() - before
    round_[f"{name} per s"] = done.answered / done.elapsed_s
    round_[f"{name} failed"] = done.calls - (done.joined if job.rate else done.answered)
    _cpu(round_, name, max(1, done.answered), server_s, done.cpu_s)
    if done.to_agent is not None:
        round_[f"{name} p50"], round_[f"{name} p99"] = done.to_agent.p50, done.to_agent.p99
        round_[f"{name} max"] = done.to_agent.max
    if done.late is not None:
        round_[f"{name} late p99"] = done.late.p99


def _cpu(round_: Round, name: str, calls: int, server_s: float, client_s: float) -> None:
    round_[f"{name} server ms"] = 1000 * server_s / calls
    round_[f"{name} client ms"] = 1000 * client_s / calls
    round_[f"{name} ms"] = 1000 * (server_s + client_s) / calls


def _figures(rounds: list[Round]) -> Iterator[Figure]:
    for name in ("called", "nailed up"):
        words = f"customer answered to agent joined, {RATE:g}/s, phones {name}"
        yield at_most(f"{words}: 99th percentile", _of(rounds, f"{name} p99"), OFFER_GOAL_MS, "ms")
        yield plain(f"{words}: median", _of(rounds, f"{name} p50"), "ms")
        yield plain(f"{words}: longest", max(each[f"{name} max"] for each in rounds), "ms")
        yield at_most(f"calls that were not joined, phones {name}, in all rounds", _sum(rounds, f"{name} failed"), 0)
        yield plain(f"CPU a call, phones {name}: Asterisk", _of(rounds, f"{name} server ms"), "ms")
        yield plain(f"CPU a call, phones {name}: ours", _of(rounds, f"{name} client ms"), "ms")
        yield plain(f"calls began late by, phones {name}: 99th percentile", _of(rounds, f"{name} late p99"), "ms")
    yield at_least(f"calls a second, {AT_ONCE} at a time: ours / bare ARI loop", _ratio(rounds, "per s"), RATE_GOAL)
    yield plain("the same beside the loop with ARI's event filter", _ratio(rounds, "per s", "bare filtered"))
    yield plain("CPU a call: ours / bare ARI loop, Asterisk's with it", _ratio(rounds, "ms"))
    yield at_most("calls of the adapter that failed, in all rounds", _sum(rounds, "ours failed"), 0)
    for name, words in (("bare", "bare loop"), ("bare filtered", "bare loop, filtered"), ("ours", "ours")):
        yield plain(f"{words}: calls a second", _of(rounds, f"{name} per s"))
        yield plain(f"{words}: CPU a call, Asterisk", _of(rounds, f"{name} server ms"), "ms")
        yield plain(f"{words}: CPU a call, client", _of(rounds, f"{name} client ms"), "ms")


def _of(rounds: list[Round], name: str) -> float:
    return median(each[name] for each in rounds)


def _sum(rounds: list[Round], name: str) -> float:
    return sum(each[name] for each in rounds)


def _ratio(rounds: list[Round], what: str, beside: str = "bare") -> float:
    """Return the median of what the two came to in the same round."""
    return median(each[f"ours {what}"] / each[f"{beside} {what}"] for each in rounds)
