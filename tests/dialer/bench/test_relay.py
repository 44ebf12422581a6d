"""The relay's bench really does the work that it times."""

from __future__ import annotations

import asyncio

import pytest

from cdr.lanes import OutboxRow
from dialer.bench.relay import bench_relay, distinct
from dialer.errors import BadInput, Unreachable
from tests.dialer.bench.kafka_topics import topics_left
from tests.plugins.kafka import KafkaServer


def test_rows_that_come_again_have_ids_of_their_own() -> None:
    rows = [OutboxRow(number, str(number), f"id-{number}", b"%d" % number, 0.0) for number in range(3)]
    found = distinct(rows, 8)
    assert [row.value for row in found] == [b"0", b"1", b"2", b"0", b"1", b"2", b"0", b"1"]
    assert found[:3] == rows
    assert len({row.event_id for row in found}) == 8


@pytest.mark.component("kafka")
def test_a_broker_that_is_away_is_named() -> None:
    with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        bench_relay(kafka="127.0.0.1:1", database_url="", events=10, repeats=1, step=lambda _: None)


@pytest.mark.component("sqlite")
def test_the_same_records_are_relayed_and_produced(kafka: KafkaServer) -> None:
    steps: list[str] = []
    result = bench_relay(kafka=kafka.bootstrap, database_url="", events=300, repeats=1, step=steps.append)
    by_name = {figure.name: figure for figure in result.figures}
    assert by_name["records a second, outbox to Kafka"].value > 0
    assert by_name["records a second, aiokafka's producer"].value > 0
    assert by_name["outbox to Kafka: records a second / aiokafka's own producer"].goal == 0.7
    assert steps == ["events are made", "relay, 1 of 1", "producer, 1 of 1"]
    assert asyncio.run(topics_left(kafka)) == []


def test_the_outbox_can_be_on_postgresql(kafka: KafkaServer, postgres_server: str) -> None:
    result = bench_relay(kafka=kafka.bootstrap, database_url=postgres_server, events=300, repeats=1, step=print)
    assert all(figure.value > 0 for figure in result.figures)


def test_an_outbox_on_anything_else_is_refused(kafka: KafkaServer) -> None:
    with pytest.raises(BadInput, match="needs postgresql"):
        bench_relay(kafka=kafka.bootstrap, database_url="sqlite:///x.db", events=10, repeats=1, step=lambda _: None)
    assert asyncio.run(topics_left(kafka)) == []
