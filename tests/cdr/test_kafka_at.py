"""What Kafka's client throws becomes a sentence; secrets are not shown."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from cdr.kafka_at import KafkaAt
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
