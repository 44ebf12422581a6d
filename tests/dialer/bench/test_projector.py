"""The projector's bench really does the work that it times."""

from __future__ import annotations

import asyncio

import pytest

from dialer.bench.projector import bench_projector
from dialer.errors import BadInput, DialerError, Unreachable
from tests.dialer.bench.kafka_topics import topics_left
from tests.plugins.clickhouse import send
from tests.plugins.kafka import KafkaServer


@pytest.mark.component("kafka")
def test_a_broker_that_is_away_is_named() -> None:
    with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        bench_projector(kafka="127.0.0.1:1", clickhouse_url="", events=10, repeats=1, step=lambda _: None)


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("nonsense", BadInput, "must be http"),
        ("http://me:secret@127.0.0.1:1/x", DialerError, "nothing answers as ClickHouse does"),
    ],
)
def test_a_clickhouse_that_is_away_is_named_without_its_password(
    kafka: KafkaServer, url: str, error: type[DialerError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        bench_projector(kafka=kafka.bootstrap, clickhouse_url=url, events=10, repeats=1, step=lambda _: None)
    assert "secret" not in str(caught.value)
    assert asyncio.run(topics_left(kafka)) == []


@pytest.mark.component("chdb")
def test_the_same_events_are_projected_consumed_and_inserted(kafka: KafkaServer) -> None:
    steps: list[str] = []
    result = bench_projector(kafka=kafka.bootstrap, clickhouse_url="", events=400, repeats=1, step=steps.append)
    by_name = {figure.name: figure for figure in result.figures}
    assert len(by_name) == 4
    assert all(figure.value > 0 for figure in result.figures)
    best = min(
        by_name[f"events a second, {name}"].value for name in ("aiokafka consuming", "clickhouse-connect inserting")
    )
    share = result.figures[0]
    assert share.goal == 0.7
    assert share.value == pytest.approx(by_name["events a second, Kafka to ClickHouse"].value / best, rel=0.01)
    steps_of_a_run = ["Kafka to ClickHouse, 1 of 1", "consuming, 1 of 1", "inserting, 1 of 1"]
    assert steps == ["events are made", *steps_of_a_run]
    assert asyncio.run(topics_left(kafka)) == []


@pytest.mark.slow
def test_memory_is_watched_while_events_pass_and_the_server_is_left_as_it_was(
    kafka: KafkaServer, clickhouse_server: str
) -> None:
    result = bench_projector(
        kafka=kafka.bootstrap, clickhouse_url=clickhouse_server, events=200, repeats=1, passing=1000, step=print
    )
    by_name = {figure.name: figure for figure in result.figures}
    for at in ("start", "1/4", "1/2", "3/4", "end"):
        assert 30 < by_name[f"projector's memory, {at}"].value < 2000
        assert 30 < by_name[f"bare inserts' memory, {at}"].value < 2000
    assert by_name["memory from the first quarter to the end of 1,000 events, beyond bare inserts'"].goal == 32
    assert "dialer_bench_" not in send(clickhouse_server, "SHOW DATABASES")
    assert asyncio.run(topics_left(kafka)) == []
