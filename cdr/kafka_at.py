"""Where Kafka is and how to speak to it; what its client throws becomes a sentence for a person."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

import msgspec
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from dialer.errors import BadInput, NotFound, Unreachable

TOPIC: Final = "cdr.events"
CLIENT_ID: Final = "predictive-dialer"
TIMEOUT_S: Final = 15.0
STOP_S: Final = 2.0
"""How long a stop waits for a connection that is being made."""
T = TypeVar("T")
_AWAY: Final = (KafkaConnectionError, KafkaTimeoutError)

# The client says each failed try as an error of its own; who calls it says once what it means.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Await work that connects; a stop in the middle waits a moment: aiokafka leaves a half-made connection open."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_S)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        raise


class KafkaAt(msgspec.Struct, frozen=True):
    """A Kafka cluster: `bootstrap` is `host:port[,host:port]`, no request waits longer than `timeout_s`.

    `security` holds aiokafka's own options (`security_protocol`, `ssl_context`, `sasl_mechanism` ...); never logged.
    """

    bootstrap: str
    timeout_s: float = TIMEOUT_S
    security: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"KafkaAt({self.bootstrap!r})"

    def options(self) -> dict[str, Any]:
        """Return what every client of the cluster is made with."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": CLIENT_ID,
            "request_timeout_ms": round(self.timeout_s * 1000),
            **self.security,
        }

    @contextlib.contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn the client's errors into Unreachable, NotFound or BadInput; `doing` says what failed ("reading x")."""
        try:
            yield
        except UnknownTopicOrPartitionError as error:
            raise NotFound(
                f"{doing}: the topic is not at Kafka {self.bootstrap}; let `dialer relay` make it, or name another"
            ) from error
        except (KafkaError, TimeoutError, OSError) as error:
            why = type(error).__name__
            if isinstance(error, KafkaError) and not (error.retriable or isinstance(error, _AWAY)):
                raise BadInput(
                    f"{doing}: Kafka at {self.bootstrap} refuses it ({why}); check the name, the rights and the sign-in"
                ) from error
            raise Unreachable(
                f"{doing}: Kafka at {self.bootstrap} does not answer ({why}); check that it runs, and the address"
            ) from error
