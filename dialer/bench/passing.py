"""Memory while many events pass, in a process of its own: `python -m dialer.bench.passing WHAT KAFKA TOPIC EVENTS`.

WHAT is `projector`, or `insert`: one range's blocks again and again, bare. The ClickHouse server's address is read from
the environment, because it may hold a password; without it, it is chDB in the same process.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Final, Literal, TypeAlias

import msgspec

from cdr.clickhouse import Analytics
from cdr.kafka_at import KafkaAt
from cdr.kafka_fetch import KafkaFetcher
from cdr.projector import BATCH_ROWS
from dialer.bench.analytics import own_analytics
from dialer.bench.figures import Figure, at_most, plain
from dialer.bench.memory import MEGABYTE, rss_bytes
from dialer.bench.projecting import Told, blocks, insert_all, project_all, projector
from dialer.errors import DialerError
from dialer.ports import LogRecord

What: TypeAlias = Literal["projector", "insert"]
GROWTH_MB: Final = 32
URL_ENV: Final = "DIALER_CLICKHOUSE_URL"
QUARTERS: Final = ("start", "1/4", "1/2", "3/4", "end")
_LEAST_A_SECOND: Final = 2_000
_BEGIN_S: Final = 120.0


class Point(msgspec.Struct, frozen=True):
    """The memory at a moment."""

    rss: int
    blocks: int
    """Pieces of memory that Python's objects have: what an engine in the same process takes is not among them."""


def figures(kafka: str, topic: str, url: str, events: int) -> list[Figure]:
    """Let the topic's events pass through a projector and as many through bare inserts; compare how memory grows."""
    mine = watch("projector", kafka, topic, url, events)
    bare = watch("insert", kafka, topic, url, events)
    return [
        at_most(
            f"memory from the first quarter to the end of {events:,} events, beyond bare inserts'",
            (_growth(mine) - _growth(bare)) / MEGABYTE,
            GROWTH_MB,
            "MB",
        ),
        *_told("projector's memory", mine),
        *_told("bare inserts' memory", bare),
        plain("projector's pieces of Python memory, more at the end than at 1/4", mine[-1].blocks - mine[1].blocks),
    ]


def _told(name: str, points: list[Point]) -> list[Figure]:
    return [plain(f"{name}, {at}", one.rss / MEGABYTE, "MB") for at, one in zip(QUARTERS, points, strict=True)]


def _growth(points: list[Point]) -> int:
    return points[-1].rss - points[1].rss


def watch(what: What, kafka: str, topic: str, url: str, events: int) -> list[Point]:
    """Return the memory at the start, the quarters and the end; raise DialerError when the process fails."""
    command = [sys.executable, "-m", "dialer.bench.passing", what, kafka, topic, str(events)]
    longest = _BEGIN_S + events / _LEAST_A_SECOND
    try:
        done = subprocess.run(  # noqa: S603 -- our own module and an address that the operator gave
            command, env=os.environ | {URL_ENV: url}, capture_output=True, check=False, timeout=longest
        )
    except subprocess.TimeoutExpired as error:
        raise DialerError(f"{events:,} events took longer than {longest:.0f} s: let fewer pass") from error
    if done.returncode:
        raise DialerError(f"the {what} process failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return msgspec.json.decode(done.stdout, type=list[Point])


async def pass_all(what: What, kafka: KafkaAt, topic: str, url: str, events: int) -> list[Point]:
    """Do one of the two in this process."""
    async with own_analytics(url) as analytics:
        points = [_point()]

        def told(passed: int) -> None:
            while len(points) < len(QUARTERS) and passed * (len(QUARTERS) - 1) >= events * len(points):
                points.append(_point())

        if what == "projector":
            async with projector(kafka, topic, analytics) as working:
                await project_all(working, events, told)
        else:
            await _insert_again(analytics, await _first_range(kafka, topic), events, told)
        return points


async def _insert_again(analytics: Analytics, records: list[LogRecord], events: int, told: Told) -> None:
    made = blocks("again", records)
    for passed in range(len(records), events + len(records), len(records)):
        await insert_all(analytics, [(f"{token}:{passed}", block) for token, block in made])
        told(passed)


async def _first_range(kafka: KafkaAt, topic: str) -> list[LogRecord]:
    fetcher = KafkaFetcher(kafka, topic)
    await fetcher.start()
    try:
        records: list[LogRecord] = []
        while len(records) < BATCH_ROWS and (more := await fetcher.fetch(0, len(records))).records:
            records += more.records
        return records[:BATCH_ROWS]
    finally:
        await fetcher.close()


def _point() -> Point:
    return Point(rss_bytes(), sys.getallocatedblocks())


def main(what: What, kafka: str, topic: str, events: int) -> None:
    """Let events pass and print the points as JSON."""
    points = asyncio.run(pass_all(what, KafkaAt(kafka), topic, os.environ.get(URL_ENV, ""), events))
    sys.stdout.write(msgspec.json.encode(points).decode())


if __name__ == "__main__":
    main("projector" if sys.argv[1] == "projector" else "insert", sys.argv[2], sys.argv[3], int(sys.argv[4]))
