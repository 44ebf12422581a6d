"""The lag's bench really does what it times, on the embedded default and over the real components."""

from __future__ import annotations

import asyncio

import pytest

from dialer.bench.lag import bench_lag
from tests.dialer.bench.kafka_topics import topics_left
from tests.plugins.kafka import KafkaServer

NAMES = [
    "a call's end to its record in a query, 99th percentile",
    "a call's end to its record in a query, median",
    "calls a second",
    "inserts a second into the busiest table",
    "active parts of all tables at the end",
]


@pytest.mark.component("chdb")
@pytest.mark.component("sqlite")
def test_embedded() -> None:
    steps: list[str] = []
    result = bench_lag(kafka="", database_url="", clickhouse_url="", rate=50, seconds=2, step=steps.append)
    figures = {figure.name: figure for figure in result.figures}
    assert list(figures) == NAMES
    assert 0 < figures[NAMES[1]].value <= figures[NAMES[0]].value
    assert figures[NAMES[2]].value == pytest.approx(50, rel=0.5)
    assert (figures[NAMES[0]].goal, figures[NAMES[3]].goal) == (2.0, 1.0)
    assert steps == ["events are made", "calls end for 2 s", "the last ones are looked for"]


def test_over_the_real_components(kafka: KafkaServer, clickhouse_server: str, postgres_server: str) -> None:
    result = bench_lag(
        kafka=kafka.bootstrap, database_url=postgres_server, clickhouse_url=clickhouse_server, rate=50, seconds=2,
        step=lambda _: None,
    )  # fmt: skip
    assert [figure.name for figure in result.figures] == NAMES
    assert asyncio.run(topics_left(kafka)) == []
