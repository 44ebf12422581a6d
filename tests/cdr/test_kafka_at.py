"""What Kafka's client throws becomes a sentence; secrets are not shown."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from cdr.kafka_at import KafkaAt, unbroken
from dialer.errors import BadInput, DialerError, NotFound, Unreachable

AT = KafkaAt("kafka:9092", security={"sasl_plain_password": "secret"})


@pytest.mark.parametrize(
    ("thrown", "told"),
    [
        (KafkaConnectionError(), Unreachable),
        (NotLeaderForPartitionError(), Unreachable),
        (TimeoutError(), Unreachable),
        (ConnectionRefusedError(), Unreachable),
        (UnknownTopicOrPartitionError(), NotFound),
        (TopicAuthorizationFailedError(), BadInput),
    ],
)
def test_every_failure_is_a_sentence_with_the_address(thrown: Exception, told: type[DialerError]) -> None:
    with pytest.raises(told, match=r"reading x: .*kafka:9092") as caught, AT.explained("reading x"):
        raise thrown
    assert caught.value.__cause__ is thrown
    assert "secret" not in str(caught.value)


def test_what_is_wrong_elsewhere_passes() -> None:
    with pytest.raises(KeyError), AT.explained("reading x"):
        raise KeyError


def test_secrets_are_for_the_client_alone() -> None:
    assert "secret" not in repr(AT)
    assert AT.options()["sasl_plain_password"] == "secret"
    assert AT.options()["request_timeout_ms"] == 15_000


async def test_a_stop_waits_for_what_connects_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def connect(seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            ended.append("whole")
        except asyncio.CancelledError:
            ended.append("cut")
            raise

    monkeypatch.setattr("cdr.kafka_at.STOP_S", 0.2)
    for seconds in (0.05, 30.0):
        task = asyncio.create_task(unbroken(connect(seconds)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
    assert ended == ["whole", "cut"]
